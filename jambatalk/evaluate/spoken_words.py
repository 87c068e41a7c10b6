"""Lip reading as a measure: which words of a sentence of GRID the lips of a mesh show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jambatalk.errors import DataError, abbreviate, brief
from jambatalk.evaluate.mesh_regions import MeshRegions
from jambatalk.evaluate.phone_classes import read_tier
from jambatalk.files.plain import read_json
from jambatalk.files.regular import damaged

if TYPE_CHECKING:
    from jambatalk.evaluate.lip_reader import LipReader

KIND = "a file of words"
CURE = "Write [[word, start, end], ...] in seconds, or align them: a TextGrid with a tier 'words'."
SUFFIXES = (".json", ".TextGrid")
PAUSES = ("", "sil", "sp", "spn")


@dataclass(frozen=True)
class SpokenWords:
    """The six words of a sentence of GRID, and when it begins and ends, in seconds."""

    words: tuple[str, ...]
    start: float
    end: float

    @classmethod
    def of(cls, timed: Sequence[tuple[str, float, float]]) -> SpokenWords:
        """Build from words with their start and end.

        Raises:
            DataError: these are not a sentence of GRID.
        """
        from jambatalk.evaluate.lip_reader import SLOTS

        words = tuple(word for word, _, _ in timed)
        if len(words) != len(SLOTS) or not all(
            word in known for word, known in zip(words, SLOTS.values(), strict=True)
        ):
            raise DataError(
                f"The lip reader knows GRID's sentences only, not {brief(' '.join(words))!r}.",
                f"Six words: {abbreviate(list(SLOTS))}. Leave --words out for others.",
            )
        return cls(words, timed[0][1], timed[-1][2])


def read_words(path: Path) -> SpokenWords:
    """Read the words of a recording; pauses are left out.

    Args:
        path: `.json` of [[word, start, end], ...], or a TextGrid with a tier "words".

    Raises:
        DataError: no such file, or not a sentence of GRID.
    """
    if path.suffix == ".json":
        rows = read_json(path, kind=KIND, cure=CURE)
    else:
        rows = [(word, start, end) for start, end, word in read_tier(path, "words", KIND, CURE)]
    try:
        timed = [(str(word).lower(), float(start), float(end)) for word, start, end in rows]
    except (TypeError, ValueError) as error:
        raise damaged(path, error, kind=KIND, cure=CURE) from error
    if not all(0 <= start < end for _, start, end in timed):
        raise damaged(path, ValueError("a word ends before it starts"), kind=KIND, cure=CURE)
    return SpokenWords.of([word for word in timed if word[0] not in PAUSES])


def mesh_curves(vertices: np.ndarray, regions: MeshRegions) -> np.ndarray:
    """Compute the lip reader's curves of a mesh in motion (T, V, 3): (T, 3) in its unit."""
    from jambatalk.evaluate.lip_reader import lip_curves

    upper, lower = (vertices[:, regions.pairs[:, side]].mean(1) for side in (0, 1))
    return lip_curves(upper, lower, vertices[:, regions.corners], regions.up)


def names_words(
    reader: LipReader, curves: np.ndarray, fps: float, spoken: SpokenWords
) -> np.ndarray:
    """Compare what the reader names, given the sentence's begin and end, with its words.

    Args:
        curves: (T, 3), see :func:`mesh_curves`.

    Returns:
        (6,) bool, which words were named.
    """
    from jambatalk.evaluate.lip_reader import FPS

    times = np.arange(spoken.start, spoken.end, 1 / FPS)
    frames = np.arange(len(curves)) / fps
    seen = np.stack([np.interp(times, frames, curve) for curve in curves.T], 1)
    named = reader.read(seen)
    return np.array([a == b for a, b in zip(named, spoken.words, strict=True)])
