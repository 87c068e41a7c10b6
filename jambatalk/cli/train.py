"""What learns, and what the repository carries made anew: `train`, `build-heads`."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(commands: argparse._SubParsersAction) -> None:
    """Adds this module's commands."""
    train = commands.add_parser("train", help="train a network, see docs/training.md")
    train.add_argument("config", type=Path, help="a YAML file such as configs/vocaset.yaml")
    train.add_argument(
        "changes", nargs="*", metavar="key=value", help="on top of it: data.folder=PATH epochs=5"
    )
    train.add_argument("-o", "--output", type=Path, help="its folder (default: runs/NAME)")
    train.add_argument("--resume", action="store_true", help="go on where that run stopped")
    train.set_defaults(run=_train, verbose=True)

    heads = commands.add_parser("build-heads", help="make assets/heads anew from MakeHuman's data")
    heads.add_argument("-o", "--output", type=Path, help="default: assets/heads")
    heads.set_defaults(run=_build_heads, verbose=True)


def _train(options: argparse.Namespace) -> None:
    from jambatalk.train.config_file import load_config
    from jambatalk.train.loop import CHECKPOINT, train
    from recipes.checkpoint.training.choose import make_task

    config = load_config(options.config, options.changes)
    folder = options.output or Path("runs") / options.config.stem
    scores = train(lambda: make_task(config), config, folder, options.resume)
    print(", ".join(f"{name} {value:.5g}" for name, value in scores.items()))
    print(f"{folder / CHECKPOINT}: try 'jambatalk list --checkpoint {folder / CHECKPOINT}'")


def _build_heads(options: argparse.Namespace) -> None:
    from jambatalk.files.bundled import HEADS
    from recipes.heads.build import build

    build(None, options.output or HEADS)
