"""What the repository carries, made anew: `train`, `build-heads`."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(commands: argparse._SubParsersAction) -> None:
    """Adds this module's commands."""
    train = commands.add_parser("train", help="train the bundled checkpoint anew")
    train.add_argument("--data", type=Path, required=True, help="with grid_s1/ and facegood/ in it")
    train.add_argument("-o", "--output", type=Path, required=True, help="the checkpoint folder")
    train.add_argument("--steps", type=int, help="optimiser steps (default: as the bundled one)")
    train.set_defaults(run=_train, verbose=True)

    heads = commands.add_parser("build-heads", help="make assets/heads anew from MakeHuman's data")
    heads.add_argument("-o", "--output", type=Path, help="default: assets/heads")
    heads.set_defaults(run=_build_heads, verbose=True)


def _train(options: argparse.Namespace) -> None:
    from jambatalk.train.default import train_default
    from jambatalk.train.loop import TrainConfig

    config = TrainConfig(steps=options.steps) if options.steps else TrainConfig()
    scores = train_default(options.data, options.output, config)
    print(", ".join(f"{name} {value:.3f}" for name, value in scores.items()))


def _build_heads(options: argparse.Namespace) -> None:
    from jambatalk.face import HEADS
    from jambatalk.heads.build import build

    build(None, options.output or HEADS)
