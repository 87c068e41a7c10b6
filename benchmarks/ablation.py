"""Ablation of the bundled checkpoint's recipe: decoders, losses and data, after the same steps.

    python benchmarks/ablation.py --data DATA --corpus CORPUS --labels LABELS --cache CACHE

Each case is trained by a shortened recipe and validated as in training: r of lip aperture and mouth
width on people of whom nothing is learned, in the neutral style.
"""

from __future__ import annotations

import argparse
import copy
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from jambatalk.model.decoder import JambaDecoder
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.train.config_file import load_config
from jambatalk.train.loop import train
from recipes.checkpoint.training.build_task import build_task
from recipes.checkpoint.training.recipe_config import RecipeConfig
from recipes.checkpoint.training.style_task import STEPS, DecoderModule, StyleTask
from recipes.checkpoint.training.styled_crops import StyledCrops

RECIPE = Path(__file__).parent.parent / "recipes" / "checkpoint" / "train.yaml"
SETS = ("people", "address")


@dataclass(frozen=True)
class Case:
    """What differs from the recipe.

    Attributes:
        name: shown in the table.
        network: fields of the network's configuration.
        without: kinds of clips that are left out; the others share their crops.
        loss: weights of the loss.
    """

    name: str
    network: Mapping[str, Any] = field(default_factory=dict)
    without: Sequence[str] = ()
    loss: Mapping[str, float] = field(default_factory=dict)


CASES = (
    Case("the recipe: hybrid, 4 experts, 2 a frame"),
    Case("2 experts, 2 a frame", {"experts": 2, "experts_per_frame": 2}),
    Case("no experts", {"layers": ("mamba", "mamba", "attention", "mamba", "mamba", "mamba")}),
    Case("no attention", {"layers": ("mamba", "mamba_moe") * 3}),
    Case("attention alone", {"layers": ("attention",) * 6}),
    Case("no phone and contact heads", {"phones": ()}, loss={"phones": 0.0, "contact": 0.0}),
    Case("no pseudo-labels", without=("labelled",)),
    Case("no lips without sound", without=("spliced",)),
    Case("no people but speaker 1", without=("people", "spliced")),
    Case("pseudo-labels alone", without=("grid", "people", "spliced", "facegood")),
)


def change(task: StyleTask, case: Case) -> StyleTask:
    """Return the task of a case, with an untrained decoder."""
    config, other = task.config, copy.copy(task)
    shares = {k: 0.0 if k in case.without else v for k, v in config.data.shares.items()}
    other.config = replace(
        config,
        data=replace(config.data, shares=shares),
        loss=replace(config.loss, **case.loss),
    )
    torch.manual_seed(config.seed)
    other.model = JambaTalk(replace(task.model.config, **case.network))
    other.model.encoder = task.model.encoder
    decoder, first = other.model.decoder, task.model.decoder
    assert isinstance(decoder, JambaDecoder)
    for name, buffer in decoder.named_buffers():
        if name in ("output_units", "articulation.aperture"):
            buffer.copy_(first.get_buffer(name))
    other.module = DecoderModule(decoder, task.loss)
    other.dataset = StyledCrops(task.dataset.clips, other.config.data, STEPS * config.batch)
    return other


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="folder that caches features")
    parser.add_argument("--epochs", type=int, default=4, help=f"of {STEPS} steps, default 4")
    options = parser.parse_args()
    changes = [f"data.folder={options.data}", f"data.corpus={options.corpus}"]
    changes.append(f"data.labels={options.labels}")
    changes += [f"epochs={options.epochs}", f"validate_every={options.epochs}"]
    if options.cache:
        changes.append(f"data.cache={options.cache}")
    task = build_task(load_config(RECIPE, RecipeConfig, changes))
    columns = " | ".join(f"{name}, open / width" for name in SETS)
    print(f"| case | decoder | {columns} |\n|{'---|' * (len(SETS) + 2)}")
    for case in CASES:
        other = change(task, case)
        with tempfile.TemporaryDirectory() as folder:
            scores = train(partial(copy.copy, other), other.config, Path(folder))
        size = sum(weight.numel() for weight in other.model.decoder.parameters()) / 1e6
        found = " | ".join(
            f"{scores[f'{s}.r_aperture']:.3f} / {scores[f'{s}.r_width']:.3f}" for s in SETS
        )
        print(f"| {case.name} | {size:.2f} M | {found} |", flush=True)


if __name__ == "__main__":
    main()
