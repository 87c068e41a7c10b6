"""GRID, speaker 1: English six-word commands, with the face tracked from the video.

Cooke, Barker, Cunningham and Shao, "An audio-visual corpus for speech perception and automatic
speech recognition", JASA 2006; CC BY 4.0.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jambatalk.data.clip import Clip
from jambatalk.data.landmark_fit import LandmarkFit, remove_head_movement
from jambatalk.errors import DataError
from jambatalk.face import Face
from jambatalk.speech import Speech

STYLE = "crisp"
UNIT = 20000.0  # the landmarks' integers a picture width
CLOSED = 0.008  # lips this far apart (in distances between the eyes) are touching
REST_FRAMES = 10  # at each end of a clip nobody speaks


def read_grid(folder: Path, face: Face) -> Iterator[Clip]:
    """Reads every clip of `motion.npz` and `audio/CLIP.opus`, fitted to a face.

    Raises:
        DataError: the folder is not of this kind.
    """
    try:
        with np.load(folder / "motion.npz", allow_pickle=False) as file:
            names, frames, fps = file["clip"].tolist(), file["frames"], float(file["fps"])
            weights = _fit(file, face)
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"No GRID motion in {folder} ({error}).", "Check --data.") from error
    ends = np.cumsum(frames)
    for name, start, end in zip(names, ends - frames, ends, strict=True):
        speech = Speech.read(folder / "audio" / f"{name}.opus")
        yield Clip(name, speech.samples, weights[start:end], fps, STYLE)


def _fit(file: np.lib.npyio.NpzFile, face: Face) -> np.ndarray:
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
