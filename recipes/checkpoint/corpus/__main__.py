"""Command `python -m recipes.checkpoint.corpus`: build the training corpus from recordings."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from jambatalk.errors import JambaTalkError
from recipes.checkpoint.corpus.build_corpus import build_corpus
from recipes.checkpoint.corpus.speech_sources import SOURCES


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the corpus and return the exit status."""
    parser = argparse.ArgumentParser("python -m recipes.checkpoint.corpus", description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="data folder, see recipes/README.md"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the corpus")
    parser.add_argument(
        "--sources",
        nargs="+",
        metavar="SOURCE",
        default=list(SOURCES),
        help=f"collections to include (default: all): {', '.join(SOURCES)}",
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        count = build_corpus(options.data, options.output, options.sources)
    except JambaTalkError as error:
        print(f"recipes.checkpoint.corpus: {error}", file=sys.stderr)
        return 1
    print(", ".join(f"{source} {number}" for source, number in count.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
