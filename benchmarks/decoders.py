"""Decoders after the same number of training steps.

    python benchmarks/decoders.py --data DATA --corpus CORPUS --labels LABELS --cache CACHE

Each is trained by a shortened recipe of the bundled checkpoint on the same crops and validated as
in training: r of lip aperture and mouth width on people of whom nothing is learned, in the neutral
style.
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
SETS = ("people", "address")


def with_decoder(task: StyleTask, layers: tuple[Layer, ...]) -> StyleTask:
    """Return the task with another, untrained decoder."""
    torch.manual_seed(task.config.seed)
    model = JambaTalk(replace(task.model.config, layers=layers))
    model.encoder = task.model.encoder
    decoder, trained = model.decoder, task.model.decoder
    assert isinstance(decoder, JambaDecoder)
    for buffer in ("output_units", "articulation.aperture"):
        decoder.get_buffer(buffer).copy_(trained.get_buffer(buffer))
    other = copy.copy(task)
    other.model, other.module = model, DecoderModule(decoder, task.loss)
    return other


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="folder that caches features")
    parser.add_argument("--epochs", type=int, default=6, help="of 50 steps")
    options = parser.parse_args()
    changes = [f"data.folder={options.data}", f"data.corpus={options.corpus}"]
    changes.append(f"data.labels={options.labels}")
    changes += [f"epochs={options.epochs}", f"validate_every={options.epochs}"]
    if options.cache:
        changes.append(f"data.cache={options.cache}")
    config = load_config(RECIPE, RecipeConfig, changes)
    task = build_task(config)
    columns = " | ".join(f"{name}, open / width" for name in SETS)
    print(f"| decoder | weights | {columns} | s a step |")
    print("|---|---|" + "---|" * (len(SETS) + 1))
    for name, layers in DECODERS.items():
        other, started = with_decoder(task, layers), time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            scores = train(partial(copy.copy, other), config, Path(folder))
        step = (time.perf_counter() - started) / options.epochs / 50
        size = sum(weight.numel() for weight in other.model.decoder.parameters()) / 1e6
        found = " | ".join(
            f"{scores[f'{s}.r_aperture']:.3f} / {scores[f'{s}.r_width']:.3f}" for s in SETS
        )
        print(f"| {name} | {size:.2f} M | {found} | {step:.2f} |", flush=True)


if __name__ == "__main__":
    main()
