"""GRID, speaker 1: six-word English commands, with the face tracked from the video.

Cooke, Barker, Cunningham and Shao, "An audio-visual corpus for speech perception and automatic
speech recognition", JASA 2006; CC BY 4.0.

Folder, as `prepare_data` writes it: `audio/CLIP.opus`, `alignments.json` (see `corpus.phone_times`)
and `motion.npz` with the frames of all clips in sequence:

    clip (C,), frames (C,)   name and number of frames of each clip
    fps                      frames per second
    landmarks (N, P, 3)      int16: MediaPipe's normalised image coordinates times `UNIT`
    landmark_index (P,)      number of each point in MediaPipe's face mesh
    lips (N, L), lips_names  float32: among them `lip_open` and `lip_width`, the lip aperture and
                             the distance of the inner mouth corners, over that of the pupils
    tracked (N,)             bool: whether a face was found

MediaPipe normalises y by the height of the image, x and z by its width: y is brought to the unit of
the others when it is read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
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
UNIT = 20000.0  # landmark units per normalised image coordinate
ASPECT = 288 / 360  # height of GRID's images over their width
CLOSED = 0.008  # `lip_open` below which lips touch
ARRAYS = ["clip", "frames", "fps", "landmarks", "landmark_index", "lips", "lips_names", "tracked"]
PREPARE = "Prepare it with 'python -m recipes.checkpoint.prepare_data'."
REST_FRAMES = 10  # silent frames at each end of a clip
REST_LEAST = 5  # frames with closed lips from which a face at rest is measured


@dataclass(frozen=True, eq=False)
class TrackedLips:
    """Lips tracked in the video of one clip; arrays of (T,).

    Attributes:
        aperture: distance of the inner lips in the middle of the mouth (mean of three pairs), over
            the distance of the outer eye corners.
        width: distance of the inner mouth corners over that of the outer eye corners.
        tracked: bool, frames in which a face was found.
        fps: frames per second.
    """

    aperture: np.ndarray
    width: np.ndarray
    tracked: np.ndarray
    fps: float


def clip_names(folder: Path) -> list[str]:
    """List the names of all clips, in the order of the file.

    Raises:
        DataError: the folder has no GRID motion.
    """
    return _open(folder)["clip"].tolist()


def read_grid(
    folder: Path, face: Face, only: Collection[str] | None = None, style: str = STYLE
) -> Iterator[Clip]:
    """Read clips of one person with their motion fitted to the blendshapes of a face.

    Args:
        only: names of the clips to read; None for all.
        style: of the clips.

    Raises:
        DataError: the folder has no GRID motion.
    """
    file = _open(folder, only)
    for name, weights in _fit_clips(file, folder, face).items():
        speech = Speech.read(folder / "audio" / f"{name}.opus")
        yield Clip(name, speech.samples, weights, float(file["fps"]), style)


def fit_grid(
    folder: Path, face: Face, only: Collection[str] | None = None
) -> dict[str, np.ndarray]:
    """Fit the blendshapes of a face to the landmarks of clips: name → weights (T, K).

    Args:
        only: names of the clips to read; None for all.

    Raises:
        DataError: the folder has no GRID motion.
    """
    return _fit_clips(_open(folder, only), folder, face)


def read_tracked_lips(folder: Path, only: Collection[str] | None = None) -> dict[str, TrackedLips]:
    """Read the tracked lips of each clip: name → lips.

    Raises:
        DataError: the folder has no GRID motion.
    """
    file = _open(folder, only)
    index = file["landmark_index"].tolist()
    points = _points(file["landmarks"])[..., :2]

    def distance(a: Sequence[int], b: Sequence[int]) -> np.ndarray:
        between = points[:, [index.index(i) for i in a]] - points[:, [index.index(i) for i in b]]
        return np.linalg.norm(between, axis=-1).mean(-1)

    middle = slice(len(INNER_UPPER) // 2 - 1, len(INNER_UPPER) // 2 + 2)
    eyes = np.maximum(distance(EYE_CORNERS[:1], EYE_CORNERS[1:]), 1e-6)
    aperture = distance(list(INNER_UPPER)[middle], list(INNER_LOWER)[middle]) / eyes
    width = distance(INNER_UPPER[:1], INNER_UPPER[-1:]) / eyes
    return {
        name: TrackedLips(aperture[rows], width[rows], file["tracked"][rows], float(file["fps"]))
        for name, rows in _clips(file)
    }


def read_points(
    folder: Path, points: Sequence[int], only: Collection[str] | None = None
) -> dict[str, np.ndarray]:
    """Read points of MediaPipe's face mesh, in image widths, y down: clip → (T, points, 2).

    Raises:
        DataError: the folder has no GRID motion.
    """
    file = _open(folder, only)
    columns = [file["landmark_index"].tolist().index(point) for point in points]
    tracked = _points(file["landmarks"])[:, columns, :2]
    return {name: tracked[rows] for name, rows in _clips(file)}


def _open(folder: Path, only: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """Read the arrays of `motion.npz`, for some clips or all."""
    try:
        with np.load(folder / "motion.npz", allow_pickle=False) as file:
            arrays = {name: file[name] for name in ARRAYS}
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"No GRID motion in {folder} ({error}).", PREPARE) from error
    if only is not None:
        kept = np.isin(arrays["clip"], list(only))
        rows = np.repeat(kept, arrays["frames"])
        for name in ("clip", "frames"):
            arrays[name] = arrays[name][kept]
        for name in ("tracked", "lips", "landmarks"):
            arrays[name] = arrays[name][rows]
    return arrays


def _clips(file: dict[str, np.ndarray]) -> Iterator[tuple[str, slice]]:
    """Yield the name and the frames of each clip."""
    ends = np.cumsum(file["frames"])
    for name, start, end in zip(file["clip"].tolist(), ends - file["frames"], ends, strict=True):
        yield name, slice(start, end)


def _fit_clips(file: dict[str, np.ndarray], folder: Path, face: Face) -> dict[str, np.ndarray]:
    """Fit the blendshapes of a face to all clips of a file."""
    try:
        weights = _fit(file, face)
    except (KeyError, ValueError) as error:
        raise DataError(f"No GRID motion in {folder} ({error}).", PREPARE) from error
    return {name: weights[rows] for name, rows in _clips(file)}


def _fit(file: dict[str, np.ndarray], face: Face) -> np.ndarray:
    """Fit the blendshapes of a face to the landmarks of all frames: (N, K)."""
    tracked, index = file["tracked"], file["landmark_index"].tolist()
    frames = file["frames"]
    aperture = file["lips"][:, file["lips_names"].tolist().index("lip_open")]
    # image y points down and z away from the camera; the head's y up and z out of the face
    points = _points(file["landmarks"][tracked]) * np.array([1, -1, -1], np.float32)
    aligned = np.full((len(tracked), len(index), 3), np.nan, np.float32)
    aligned[tracked] = remove_head_movement(points, index)
    closed = tracked & (aperture < CLOSED)
    if closed.sum() < REST_LEAST:  # some people hardly close their lips in one clip
        closed = tracked & (aperture <= np.partition(aperture[tracked], REST_LEAST)[REST_LEAST])
    rest = _rest(aligned, closed, frames)
    borders = np.zeros(len(tracked), bool)
    borders[np.cumsum(frames) - frames] = True
    return LandmarkFit(face, index)(aligned, rest, borders)


def _points(landmarks: np.ndarray) -> np.ndarray:
    """Convert stored landmarks (..., 3) to image widths."""
    return landmarks.astype(np.float32) * np.array([1, ASPECT, 1], np.float32) / np.float32(UNIT)


def _rest(aligned: np.ndarray, closed: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Return the face at rest for each frame: the mean over its clip's silent, closed-lip ends."""
    rest = np.empty_like(aligned)
    everywhere = aligned[closed].mean(0)
    for end, count in zip(np.cumsum(frames), frames, strict=True):
        clip = slice(end - count, end)
        silent = np.zeros(count, bool)
        silent[:REST_FRAMES] = silent[-REST_FRAMES:] = True
        still = aligned[clip][closed[clip] & silent]
        rest[clip] = still.mean(0) if len(still) >= REST_LEAST else everywhere
    return rest
