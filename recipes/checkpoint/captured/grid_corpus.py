"""GRID, speaker 1: English six-word commands, with the face tracked from the video.

Cooke, Barker, Cunningham and Shao, "An audio-visual corpus for speech perception and automatic
speech recognition", JASA 2006; CC BY 4.0.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jambatalk.errors import DataError
from jambatalk.face.face import Face
from jambatalk.speech import Speech
from recipes.checkpoint.captured.clip import Clip
from recipes.checkpoint.captured.landmark_fit import (
    EYE_CORNERS,
    INNER_LOWER,
    INNER_UPPER,
    LandmarkFit,
    remove_head_movement,
)

STYLE = "english-man"
UNIT = 20000.0  # the landmarks' integers a picture width
CLOSED = 0.008  # lips this far apart (in distances between the eyes) are touching
ARRAYS = ["clip", "frames", "fps", "landmarks", "landmark_index", "lips", "lips_names", "tracked"]
REST_FRAMES = 10  # at each end of a clip nobody speaks


@dataclass(frozen=True, eq=False)
class TrackedLips:
    """What the real lips did in one clip, as seen in the video; (T,) each.

    Attributes:
        gap: between the inner lips in the middle of the mouth (the mean of three pairs), over the
            distance of the outer eye corners.
        width: the set's own `lip_width`: between the inner corners of the mouth, over the distance
            of the eyes.
        seen: bool, frames in which the face was tracked.
        fps: frames a second.
    """

    aperture: np.ndarray
    width: np.ndarray
    tracked: np.ndarray
    fps: float


def clip_names(folder: Path) -> list[str]:
    """Names of all clips, in the order of the file.

    Raises:
        DataError: the folder is not of this kind.
    """
    return _open(folder)["clip"].tolist()


def read_grid(folder: Path, face: Face, only: Collection[str] | None = None) -> Iterator[Clip]:
    """Reads clips of `motion.npz` and `audio/CLIP.opus`, fitted to a face.

    Args:
        only: names of the clips to read; None for all.

    Raises:
        DataError: the folder is not of this kind.
    """
    file = _open(folder, only)
    try:
        weights = _fit(file, face)
    except (KeyError, ValueError) as error:
        raise DataError(f"No GRID motion in {folder} ({error}).", "Check --data.") from error
    for name, rows in _clips(file):
        speech = Speech.read(folder / "audio" / f"{name}.opus")
        yield Clip(name, speech.samples, weights[rows], float(file["fps"]), STYLE)


def read_tracked_lips(folder: Path, only: Collection[str] | None = None) -> dict[str, TrackedLips]:
    """Reads what was tracked of the real lips: name of a clip → its lips.

    Raises:
        DataError: the folder is not of this kind.
    """
    file = _open(folder, only)
    index = file["landmark_index"].tolist()
    points = file["landmarks"][..., :2].astype(np.float32) / UNIT

    def distance(a: tuple[int, ...], b: tuple[int, ...]) -> np.ndarray:
        between = points[:, [index.index(i) for i in a]] - points[:, [index.index(i) for i in b]]
        return np.linalg.norm(between, axis=-1).mean(-1)

    middle = slice(len(INNER_UPPER) // 2 - 1, len(INNER_UPPER) // 2 + 2)
    eyes = np.maximum(distance(EYE_CORNERS[:1], EYE_CORNERS[1:]), 1e-6)
    gap = distance(INNER_UPPER[middle], INNER_LOWER[middle]) / eyes
    width = file["lips"][:, file["lips_names"].tolist().index("lip_width")].astype(np.float64)
    return {
        name: TrackedLips(gap[rows], width[rows], file["tracked"][rows], float(file["fps"]))
        for name, rows in _clips(file)
    }


def _open(folder: Path, only: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """The arrays of `motion.npz`, of these clips alone."""
    try:
        with np.load(folder / "motion.npz", allow_pickle=False) as file:
            arrays = {name: file[name] for name in ARRAYS}
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"No GRID motion in {folder} ({error}).", "Check --data.") from error
    if only is not None:
        kept = np.isin(arrays["clip"], list(only))
        rows = np.repeat(kept, arrays["frames"])
        for name in ("clip", "frames"):
            arrays[name] = arrays[name][kept]
        for name in ("tracked", "lips", "landmarks"):
            arrays[name] = arrays[name][rows]
    return arrays


def _clips(file: dict[str, np.ndarray]) -> Iterator[tuple[str, slice]]:
    """Each clip's name and rows."""
    ends = np.cumsum(file["frames"])
    for name, start, end in zip(file["clip"].tolist(), ends - file["frames"], ends, strict=True):
        yield name, slice(start, end)


def _fit(file: dict[str, np.ndarray], face: Face) -> np.ndarray:
    tracked, index = file["tracked"], file["landmark_index"].tolist()
    frames, gap = file["frames"], file["lips"][:, file["lips_names"].tolist().index("lip_open")]
    # picture coordinates point down and away: turn them to the head's
    points = file["landmarks"][tracked].astype(np.float32) / UNIT * np.float32([1, -1, -1])
    aligned = np.full((len(tracked), len(index), 3), np.nan, np.float32)
    aligned[tracked] = remove_head_movement(points, index)
    rest = _rest(aligned, tracked & (gap < CLOSED), frames)
    borders = np.zeros(len(tracked), bool)
    borders[np.cumsum(frames) - frames] = True
    return LandmarkFit(face, index)(aligned, rest, borders)


def _rest(aligned: np.ndarray, closed: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Each frame's face at rest: the mean of its clip's silent ends with closed lips."""
    rest = np.empty_like(aligned)
    everywhere = aligned[closed].mean(0)
    for end, count in zip(np.cumsum(frames), frames, strict=True):
        clip = slice(end - count, end)
        silent = np.zeros(count, bool)
        silent[:REST_FRAMES] = silent[-REST_FRAMES:] = True
        still = aligned[clip][closed[clip] & silent]
        rest[clip] = still.mean(0) if len(still) >= 5 else everywhere
    return rest
