"""Phone times that come with recordings: GRID's clips, and LibriVox as CMU Sphinx aligned it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jambatalk.errors import DataError
from recipes.checkpoint.corpus.phones import Phone, from_arpabet

PAUSES = ("sil", "sp")  # among GRID's words


@dataclass(frozen=True)
class TimedTranscript:
    """The words said in a recording, and its phones in order; none where they were not placed."""

    text: str
    phones: list[Phone]


def read_sphinx(path: Path) -> TimedTranscript:
    """Reads a `.phone.json` as CMU Sphinx writes it.

    Raises:
        DataError: not such a file.
    """
    with _saying(path):
        found = json.loads(path.read_text())
        phones = [_phone(p["t"], p["b"], p["d"]) for word in found["w"] for p in word["w"]]
        return TimedTranscript(found["t"], phones)


def read_grid_alignments(folder: Path) -> dict[str, TimedTranscript]:
    """Reads GRID's `alignments.json`: name of a clip → what was said when.

    Raises:
        DataError: there is no such file.
    """
    path = folder / "alignments.json"
    with _saying(path):
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
def _saying(path: Path) -> Iterator[None]:
    """Says of a file that cannot be read, or is of another kind, which it is."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} holds no phone times ({error}).", "Check --data.") from error
