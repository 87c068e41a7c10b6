"""Which decoder learns best in the same number of steps: `python benchmarks/decoders.py --data DATA
--corpus CORPUS --cache CACHE`.

Each is trained by the recipe of the bundled checkpoint, only shorter, on the same cuts, and looked
at as training looks at it: r of the lips' opening with what is held out, in GRID's and FACEGOOD's
own styles, and with the teacher on unseen speakers.
"""

from __future__ import annotations

import argparse
import copy
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch

from jambatalk.model.jambatalk import JambaTalk
from jambatalk.train.config_file import load_config
from jambatalk.train.loop import train
from recipes.checkpoint.training.build_task import build_task
from recipes.checkpoint.training.recipe_config import RecipeConfig
from recipes.checkpoint.training.style_task import DecoderModule, StyleTask

RECIPE = Path(__file__).parent.parent / "recipes" / "checkpoint" / "train.yaml"
MAMBA, MOE, ATTENTION = "mamba", "mamba_moe", "attention"
RIVALS = {
    "hybrid with experts (JambaTalk)": (MAMBA, MOE, ATTENTION, MOE, MAMBA, MOE),
    "hybrid without experts": (MAMBA, MAMBA, ATTENTION, MAMBA, MAMBA, MAMBA),
    "Mamba alone": (MAMBA,) * 6,
    "Mamba with experts alone": (MAMBA, MOE, MAMBA, MOE, MAMBA, MOE),
    "attention alone": (ATTENTION,) * 6,
    "half as deep (mamba, attention, mamba_moe)": (MAMBA, ATTENTION, MOE),
}
STYLES = ("english-man", "mandarin-woman", "neutral")


def with_decoder(task: StyleTask, layers: tuple[str, ...]) -> StyleTask:
    """The same task for another decoder, from the start."""
    torch.manual_seed(task.config.seed)
    model = JambaTalk(replace(task.model.config, layers=layers))
    model.encoder = task.model.encoder
    model.decoder.output_units.copy_(task.model.decoder.output_units)
    other = copy.copy(task)
    other.model, other.module = model, DecoderModule(model.decoder, task.loss)
    return other


def main() -> None:
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="where features are kept, see configs")
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
    for name, layers in RIVALS.items():
        rival, started = with_decoder(task, layers), time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            scores = train(lambda rival=rival: rival, config, Path(folder))
        step = (time.perf_counter() - started) / options.epochs / 50
        size = sum(weight.numel() for weight in rival.model.decoder.parameters()) / 1e6
        found = " | ".join(f"{scores[f'{style}.r_aperture']:.3f}" for style in STYLES)
        print(f"| {name} | {size:.2f} M | {found} | {step:.2f} |", flush=True)


if __name__ == "__main__":
    main()
