"""Averages the decoders of two checkpoints: `python -m jambatalk.train.average A B -o OUT`.

A network that was trained on from another one, and that one, are good at different things; half way
between their weights lies one that is nearly as good at both (arXiv 2109.01903).
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from safetensors.torch import load_file, save_file

from jambatalk.errors import ModelError
from jambatalk.model.jambatalk import WEIGHTS, some


def average(first: Path, second: Path, output: Path) -> None:
    """Writes a checkpoint folder: `second`, its decoder the mean of both.

    Raises:
        ModelError: the decoders have other weights or other shapes.
    """
    one, other = load_file(first / WEIGHTS), load_file(second / WEIGHTS)
    unlike = [
        name
        for name in sorted(one.keys() | other.keys())
        if name not in one or name not in other or one[name].shape != other[name].shape
    ]
    if unlike:
        raise ModelError(
            f"The decoders of {first} and {second} differ in {some(unlike)}.",
            "Average a checkpoint with one that was trained on from it.",
        )
    mean = {name: (one[name] + other[name]) / 2 for name in one}
    shutil.copytree(second, output)
    save_file(mean, output / WEIGHTS)


def main() -> None:
    """Averages two folders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path, help="its configuration and encoder are kept")
    parser.add_argument("-o", "--output", type=Path, required=True, help="a new folder")
    options = parser.parse_args()
    average(options.first, options.second, options.output)


if __name__ == "__main__":
    main()
