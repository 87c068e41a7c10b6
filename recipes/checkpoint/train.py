"""Train the bundled checkpoint's decoder.

python -m recipes.checkpoint.train --data DATA --corpus CORPUS [-o RUN] [--resume] [key=value ...]
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from jambatalk.errors import JambaTalkError
from jambatalk.train.config_file import load_config
from jambatalk.train.loop import CHECKPOINT, train
from recipes.checkpoint.training.build_task import build_task
from recipes.checkpoint.training.recipe_config import RecipeConfig

COMMAND = "python -m recipes.checkpoint.train"
CONFIG = Path(__file__).with_name("train.yaml")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Train the bundled decoder.")
    parser.add_argument("--data", required=True, help="folder with grid_s1/ and facegood/")
    parser.add_argument(
        "--corpus", required=True, help="written by 'python -m recipes.checkpoint.corpus'"
    )
    parser.add_argument("--config", type=Path, default=CONFIG, help="default: train.yaml")
    parser.add_argument("-o", "--output", type=Path, default=Path("runs/default"))
    parser.add_argument("--resume", action="store_true", help="continue where the run stopped")
    parser.add_argument(
        "changes", nargs="*", metavar="key=value", help="override the configuration: epochs=5"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    changes = [f"data.folder={options.data}", f"data.corpus={options.corpus}", *options.changes]
    try:
        config = load_config(options.config, RecipeConfig, changes)
        scores = train(lambda: build_task(config), config, options.output, options.resume)
    except JambaTalkError as error:
        print(f"{COMMAND}: {error}", file=sys.stderr)
        return 1
    print(", ".join(f"{name} {value:.5g}" for name, value in scores.items()))
    print(options.output / CHECKPOINT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
