"""Sentences of GRID with the curves of their lips, from `grid_lips` (see captured/spliced_pairs).

The columns of its `coords` are x and y, pixels, of nine points of the face; rows run from the first
to the last word at 25 frames a second.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jambatalk.errors import DataError
from jambatalk.evaluate.lip_reader import CURVES, SLOTS, lip_curves, normalise
from recipes.checkpoint.captured.held_out import held_out_clips
from recipes.checkpoint.captured.people import HELD_OUT
from recipes.checkpoint.corpus.phone_times import PAUSES

RIGHT, LEFT, UPPER, LOWER = range(4)  # of the points: inner corners, middles of the inner lips
EVERY = 20  # sentences, by the checksum of their names
LEAST = 20  # frames


@dataclass(frozen=True, eq=False)
class Sentence:
    """A sentence and its lips.

    Attributes:
        person: who says it.
        name: GRID's, six letters that name its words.
        curves: (t, 3), normalised.
        words: (6,), the number of each in its slot.
        slots: (t,), which of the six words is said in each frame.
        held_out: whether the reader learns nothing of this sentence, whoever says it.
    """

    person: str
    name: str
    curves: np.ndarray
    words: np.ndarray
    slots: np.ndarray
    held_out: bool


def read_sentences(data: Path) -> list[Sentence]:
    """Read all sentences of all people.

    Held out are those by which the bundled network is judged too.

    Raises:
        DataError: the folder has no such lips.
    """
    folder = data / "grid_lips"
    if not (folder / "word_times.json").is_file():
        raise DataError(f"There are no tracked lips in {folder}.", "Give --data with grid_lips/.")
    times = json.loads((folder / "word_times.json").read_text())
    test = set(held_out_clips(data / "grid_s1"))
    found = []
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in ("names", "offset", "coords", "word_frames")}
            usable = np.flatnonzero(file["ok"])
        for clip in usable:
            name = str(arrays["names"][clip])
            points = arrays["coords"][arrays["offset"][clip] : arrays["offset"][clip + 1]]
            spoken = [word for _, _, word in times[path.stem][name] if word not in PAUSES]
            words = number_words(spoken)
            if words is None or len(points) < LEAST or not np.isfinite(points).all():
                continue
            slots = np.repeat(np.arange(len(SLOTS)), arrays["word_frames"][clip][: len(SLOTS)])
            slots = np.pad(slots, (0, max(0, len(points) - len(slots))), mode="edge")
            curves = image_curves(points.astype(np.float32).reshape(len(points), -1, 2))
            curves = normalise(curves).astype(np.float32)
            held_out = zlib.crc32(name.encode()) % EVERY == 0 or name in test
            found.append(Sentence(path.stem, name, curves, words, slots[: len(points)], held_out))
    return found


def number_words(spoken: list[str]) -> np.ndarray | None:
    """Return the number of each word in its slot, (6,); None for what is no sentence of GRID."""
    if len(spoken) != len(SLOTS):
        return None
    if not all(w in words for w, words in zip(spoken, SLOTS.values(), strict=True)):
        return None
    return np.array([words.index(w) for w, words in zip(spoken, SLOTS.values(), strict=True)])


def image_curves(points: np.ndarray) -> np.ndarray:
    """Compute the reader's curves of tracked points (t, 4 or more, 2), y down: (t, 3)."""
    across = points[:, LEFT] - points[:, RIGHT]
    across = across / np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-6)
    up = np.stack([across[:, 1], -across[:, 0]], 1)
    corners = points[:, [RIGHT, LEFT]]
    return lip_curves(points[:, UPPER], points[:, LOWER], corners, up)


def split(sentences: list[Sentence]) -> tuple[list[Sentence], list[Sentence], list[Sentence]]:
    """Split into those to train on, held-out sentences of the same people, and other people's."""
    known = [one for one in sentences if one.person not in HELD_OUT]
    return (
        [one for one in known if not one.held_out],
        [one for one in known if one.held_out],
        [one for one in sentences if one.person in HELD_OUT],
    )


def stretched(sentence: Sentence, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw another tempo, reach and noise: curves (t', 3) and the slot of each frame (t',)."""
    frames = len(sentence.curves)
    at = np.linspace(0, frames - 1, max(LEAST, round(frames * rng.uniform(0.85, 1.18))))
    curves = np.stack([np.interp(at, np.arange(frames), c) for c in sentence.curves.T], 1)
    curves = curves * rng.uniform(0.85, 1.15, len(CURVES)) + rng.normal(0, 0.08, curves.shape)
    return curves.astype(np.float32), sentence.slots[np.rint(at).astype(int)]
