"""Measures how people move their lips, from the lips tracked in GRID's videos.

Ranges and speeds come from `grid_lips`, about a thousand clips of each person; how far the jaw
moves from the faces fitted to those who were tracked whole, since without the rest of the face the
movement of a chin cannot be told from a nod.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import brentq

from jambatalk.errors import DataError
from jambatalk.face.face import Face
from recipes.checkpoint.captured.grid_corpus import clip_names, read_grid
from recipes.checkpoint.captured.landmark_fit import eye_distance
from recipes.checkpoint.captured.lip_clips import grid_curves, person_of
from recipes.checkpoint.captured.lip_range import LipRange
from recipes.checkpoint.captured.people import HELD_OUT, read_people
from recipes.checkpoint.captured.spliced_pairs import read_words
from recipes.checkpoint.corpus.phone_times import PAUSES
from recipes.checkpoint.lip_styles.lip_shape import lip_shape_forms
from recipes.checkpoint.lip_styles.lip_style import SHARPNESS_SECONDS

VIDEO_FPS = 25.0
ENOUGH = 10  # clips of a person from which the trackers are compared
S1_CLIPS = 100  # of speaker 1: enough for a manner
INNER_LIPS = ((2, 3), (5, 7), (6, 8))  # columns of `coords`: upper and lower lip
CORNERS = (0, 1)


@dataclass(frozen=True, eq=False)
class TrackedLips:
    """Lips of a person, from the first to the last word of each clip.

    Attributes:
        lips: (t, 2) aperture and width in distances of the inner eye corners, from closed lips.
        joined: (t,) bool, False at the first frame of each clip.
    """

    lips: np.ndarray
    joined: np.ndarray

    @property
    def range(self) -> LipRange:
        """Mean and standard deviation."""
        return LipRange.of(self.lips)

    def speed(self) -> float:
        """Return the standard deviation of the aperture's change in a frame over its own."""
        aperture = self.lips[:, 0]
        return float(np.diff(aperture)[self.joined[1:]].std() / aperture.std())

    def sharpness(self, ratio: float) -> float:
        """Find the sharpness (see `LipStyle`) that multiplies the speed by a ratio."""
        smooth = np.concatenate(
            [
                gaussian_filter1d(part, SHARPNESS_SECONDS * VIDEO_FPS, axis=0, mode="nearest")
                for part in np.split(self.lips, np.flatnonzero(~self.joined)[1:])
            ]
        )

        def excess(amount: float) -> float:
            sharp = replace(self, lips=self.lips + amount * (self.lips - smooth))
            return sharp.speed() / self.speed() - ratio

        return float(brentq(excess, -1.0, 3.0, xtol=1e-3))


def read_tracked_lips(path: Path) -> TrackedLips:
    """Read the lips of a person: `grid_lips/PERSON.npz`.

    Raises:
        DataError: the file is missing or not of this format.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            offset, usable = file["offset"], np.flatnonzero(file["ok"])
            points = file["coords"].astype(np.float64).reshape(-1, 9, 2)
            width = file["feat"][:, 3].astype(np.float64)
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"No tracked lips in {path} ({error}).") from error
    rows = np.concatenate([np.arange(offset[i], offset[i + 1]) for i in usable])
    points, width = points[rows], width[rows]
    pixels = np.linalg.norm(points[:, CORNERS[1]] - points[:, CORNERS[0]], axis=-1)
    upper, lower = (
        np.mean([points[:, pair[side], 1] for pair in INNER_LIPS], 0) for side in (0, 1)
    )
    aperture = (lower - upper) * width / pixels
    closed = aperture < np.percentile(aperture, 10)
    lips = np.stack([aperture, width - np.median(width[closed])], 1)
    return TrackedLips(lips, ~np.isin(rows, offset[usable]))


def grid_ranges(folder: Path, face: Face) -> dict[str, tuple[LipRange, LipRange]]:
    """Measure the people of `grid_s1` or `grid_speakers`, mm from closed lips.

    Returns:
        Person → the range in whole clips, and that from first to last word; of people with clips
        enough.
    """
    eyes = eye_distance(face) * 1e3
    words = read_words(folder)
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for name, (lips, fps) in grid_curves(folder).items():
        said = [word for word in words[name] if word[0] not in PAUSES]
        start, end = round(said[0][1] * fps), round(said[-1][2] * fps)
        found.setdefault(person_of(name), []).append((lips * eyes, lips[start:end] * eyes))
    ranges = {}
    for who, clips in found.items():
        if len(clips) < ENOUGH or who in HELD_OUT:
            continue
        whole, spoken = (np.concatenate(parts) for parts in zip(*clips, strict=True))
        closed = whole[:, 0] < np.nanpercentile(whole[:, 0], 10)
        rest = np.array([0.0, np.nanmedian(whole[closed, 1])])
        ranges[who] = LipRange.of(whole - rest), LipRange.of(spoken - rest)
    return ranges


def measure_manners(data: Path, face: Face) -> dict[str, list[float]]:
    """Fit the manner of everybody whose face was fitted."""
    forms = lip_shape_forms(face)
    shapes: dict[str, list[np.ndarray]] = {}
    clips, _ = read_people(data / "grid_speakers", face)
    clips += list(read_grid(data / "grid_s1", face, clip_names(data / "grid_s1")[:S1_CLIPS], "s1"))
    for clip in clips:
        shapes.setdefault(clip.style, []).append(clip.weights @ forms.T)
    return {who: fit_manner(found).round(3).tolist() for who, found in shapes.items()}


def fit_manner(shapes: Sequence[np.ndarray]) -> np.ndarray:
    """Fit the manner (see `LipStyle`) to lip shapes (T, 3), by least squares: (2,)."""
    shape = np.concatenate(shapes)
    return np.linalg.lstsq(shape[:, :2], shape[:, 2], rcond=None)[0]


def measure_speakers(data: Path, face: Face) -> dict[str, dict[str, Any]]:
    """Measure range, manner (None if unknown) and sharpness of each speaker; lengths in mm.

    Ranges are those of whole clips, in which the lips rest before and after. Two trackers measured
    the lips: what relates them, and whole clips to their words, is the median of the people in both
    sets.

    Raises:
        DataError: data are missing.
    """
    paths = sorted((data / "grid_lips").glob("*.npz"), key=lambda path: int(path.stem[1:]))
    tracked = {path.stem: read_tracked_lips(path) for path in paths if path.stem not in HELD_OUT}
    whole, spoken = {}, {}
    for folder in ("grid_s1", "grid_speakers"):
        for who, both in grid_ranges(data / folder, face).items():
            whole[who], spoken[who] = both
    scale = np.median([spoken[who].spread / tracked[who].range.spread for who in spoken], 0)
    shift = np.median([(spoken[w].mean - whole[w].mean) / whole[w].spread for w in spoken], 0)
    longer = np.median([whole[who].spread / spoken[who].spread for who in spoken], 0)
    manners = measure_manners(data, face)
    middle = float(np.median([lips.speed() for lips in tracked.values()]))
    speakers = {}
    for who, lips in tracked.items():
        spread = lips.range.spread * scale * longer
        speakers[who] = {
            "mean": (lips.range.mean * scale - shift * spread).round(2).tolist(),
            "spread": spread.round(2).tolist(),
            "manner": manners.get(who),
            "sharpness": round(lips.sharpness(lips.speed() / middle), 2),
        }
    return speakers
