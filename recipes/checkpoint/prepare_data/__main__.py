"""Command `python -m recipes.checkpoint.prepare_data`: convert downloads to the data folder."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from jambatalk.errors import JambaTalkError
from recipes.checkpoint.prepare_data.convert_facegood import convert_facegood
from recipes.checkpoint.prepare_data.convert_grid import convert_grid
from recipes.checkpoint.prepare_data.convert_speech import (
    convert_librispeech,
    convert_librivox,
    convert_speechocean762,
)
from recipes.checkpoint.prepare_data.downloads import DOWNLOADS


def main(arguments: Sequence[str] | None = None) -> int:
    """Convert what has been downloaded, list what is missing, and return the exit status."""
    parser = argparse.ArgumentParser(
        "python -m recipes.checkpoint.prepare_data", description=__doc__
    )
    parser.add_argument(
        "--downloads", type=Path, required=True, help="folder with one subfolder per source"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="the data folder")
    parser.add_argument(
        "--sources",
        nargs="+",
        choices=list(DOWNLOADS),
        default=list(DOWNLOADS),
        help="sources to convert (default: all)",
    )
    parser.add_argument(
        "--face-landmarker", type=Path, metavar="FILE", help="MediaPipe's face_landmarker.task"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    return prepare_data(options.downloads, options.output, options.sources, options.face_landmarker)


def prepare_data(
    downloads: Path, data: Path, sources: Sequence[str], face_landmarker: Path | None = None
) -> int:
    """Convert sources and print a report.

    Returns:
        0 if all sources are complete in the data folder, else 1.
    """
    converters: dict[str, Callable[[Path, Path], int]] = {
        "grid": partial(convert_grid, face_landmarker=face_landmarker),
        "facegood": convert_facegood,
        "librispeech": convert_librispeech,
        "speechocean762": convert_speechocean762,
        "librivox": convert_librivox,
    }
    incomplete = 0
    for source in sources:
        download, folder = DOWNLOADS[source], downloads / source
        if not folder.is_dir():
            print(f"{source}: missing\n{download.instructions(source)}")
            incomplete += 1
            continue
        try:
            count = converters[source](folder, data)
        except JambaTalkError as error:
            print(f"{source}: incomplete. {error}\n{download.instructions(source)}")
            incomplete += 1
        else:
            print(f"{source}: {count} recordings in {data}/{download.output}")
    return 1 if incomplete else 0


if __name__ == "__main__":
    sys.exit(main())
