"""Phone times that come with recordings: GRID's clips, and LibriVox aligned by CMU Sphinx.

GRID's `alignments.json` maps each clip to `words`, [[word, start, end], ...] from the corpus, and
`phones`, [[word, start, duration, [[phone, start, duration], ...]], ...] from a forced aligner or
null; times in seconds, phones in ARPAbet.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jambatalk.errors import DataError
from recipes.checkpoint.corpus.phones import Phone, from_arpabet

PAUSES = ("sil", "sp")  # silence among GRID's words


@dataclass(frozen=True)
class TimedTranscript:
    """The text of a recording and its phones with times, empty if they were not aligned."""

    text: str
    phones: list[Phone]


def read_sphinx(path: Path) -> TimedTranscript:
    """Read a `.phone.json` as written by CMU Sphinx.

    Raises:
        DataError: the file is not of this format.
    """
    with _naming(path):
        found = json.loads(path.read_text(encoding="utf-8"))
        phones = [_phone(p["t"], p["b"], p["d"]) for word in found["w"] for p in word["w"]]
        return TimedTranscript(found["t"], phones)


def read_grid_alignments(folder: Path) -> dict[str, TimedTranscript]:
    """Read the `alignments.json` of a GRID folder: name of a clip → transcript.

    Raises:
        DataError: the file is missing or not of this format.
    """
    path = folder / "alignments.json"
    with _naming(path):
        return {
            name: TimedTranscript(
                " ".join(word for word, *_ in clip["words"] if word not in PAUSES),
                [_phone(*phone) for *_, phones in clip["phones"] or [] for phone in phones],
            )
            for name, clip in json.loads(path.read_text()).items()
        }


def _phone(symbol: str, start: float, duration: float) -> Phone:
    name, stress = from_arpabet(symbol)
    return Phone(name, start, start + duration, stress)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Turn errors of reading a file into one that names it."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} holds no phone times ({error!r}).") from error
