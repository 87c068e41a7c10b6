"""Decoders after the same number of training steps.

    python benchmarks/decoders.py --data DATA --corpus CORPUS --cache CACHE

Each is trained by a shortened recipe of the bundled checkpoint on the same crops and validated as
in training: r of the lip aperture with held-out recordings, in the styles of GRID and FACEGOOD, and
with synthesised motion of held-out speakers.
"""

from __future__ import annotations

import argparse
import copy
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from jambatalk.model.config import Layer
from jambatalk.model.decoder import JambaDecoder
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.train.config_file import load_config
from jambatalk.train.loop import train
from recipes.checkpoint.training.build_task import build_task
from recipes.checkpoint.training.recipe_config import RecipeConfig
from recipes.checkpoint.training.style_task import DecoderModule, StyleTask

RECIPE = Path(__file__).parent.parent / "recipes" / "checkpoint" / "train.yaml"
# fmt: off
JAMBATALK: tuple[Layer, ...] = (
    "mamba", "mamba_moe", "attention", "mamba_moe", "mamba", "mamba_moe",
)
# fmt: on
DECODERS: dict[str, tuple[Layer, ...]] = {
    "hybrid with experts (JambaTalk)": JAMBATALK,
    "hybrid without experts": ("mamba", "mamba", "attention", "mamba", "mamba", "mamba"),
    "Mamba alone": ("mamba",) * 6,
    "Mamba with experts alone": ("mamba", "mamba_moe") * 3,
    "attention alone": ("attention",) * 6,
    "half as deep (mamba, attention, mamba_moe)": ("mamba", "attention", "mamba_moe"),
}
STYLES = ("english-man", "mandarin-woman", "neutral")


def with_decoder(task: StyleTask, layers: tuple[Layer, ...]) -> StyleTask:
    """Return the task with another, untrained decoder."""
    torch.manual_seed(task.config.seed)
    model = JambaTalk(replace(task.model.config, layers=layers))
    model.encoder = task.model.encoder
    decoder, trained = model.decoder, task.model.decoder
    assert isinstance(decoder, JambaDecoder)
    decoder.get_buffer("output_units").copy_(trained.get_buffer("output_units"))
    other = copy.copy(task)
    other.model, other.module = model, DecoderModule(decoder, task.loss)
    return other


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="folder that caches features")
    parser.add_argument("--epochs", type=int, default=6, help="of 50 steps")
    options = parser.parse_args()
    changes = [f"data.folder={options.data}", f"data.corpus={options.corpus}"]
    changes += [f"epochs={options.epochs}", f"validate_every={options.epochs}"]
    if options.cache:
        changes.append(f"data.cache={options.cache}")
    config = load_config(RECIPE, RecipeConfig, changes)
    task = build_task(config)
    print(f"| decoder | weights | {' | '.join(f'r, {s}' for s in STYLES)} | s a step |")
    print("|---|---|" + "---|" * (len(STYLES) + 1))
    for name, layers in DECODERS.items():
        other, started = with_decoder(task, layers), time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            scores = train(partial(copy.copy, other), config, Path(folder))
        step = (time.perf_counter() - started) / options.epochs / 50
        size = sum(weight.numel() for weight in other.model.decoder.parameters()) / 1e6
        found = " | ".join(f"{scores[f'{style}.r_aperture']:.3f}" for style in STYLES)
        print(f"| {name} | {size:.2f} M | {found} | {step:.2f} |", flush=True)


if __name__ == "__main__":
    main()
