"""The training set of taught speech: `build-corpus`."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(commands: argparse._SubParsersAction) -> None:
    """Adds this module's commands."""
    build = commands.add_parser(
        "build-corpus", help="build the speech that the teacher animates (see docs/corpus.md)"
    )
    build.add_argument("--data", type=Path, required=True, help="with speech/ in it")
    build.add_argument("-o", "--output", type=Path, required=True, help="the corpus folder")
    build.add_argument(
        "--sources", nargs="+", metavar="SOURCE", help="only these (default: all of them)"
    )
    build.set_defaults(run=_build, verbose=True)


def _build(options: argparse.Namespace) -> None:
    from recipes.checkpoint.corpus.build import build
    from recipes.checkpoint.corpus.speech_sources import SOURCES

    count = build(options.data, options.output, options.sources or tuple(SOURCES))
    print(", ".join(f"{source} {number}" for source, number in count.items()))
