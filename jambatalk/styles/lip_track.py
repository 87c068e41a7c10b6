"""What a person's lips did in one clip, from captured blendshape weights or from lip curves.

A track is one of:
    .csv .json .npz   ARKit weights, see :mod:`jambatalk.data.tracks`
    .csv              columns `lip_open` and `lip_width`, the distances of the inner lips in the
                      middle of the mouth and of the mouth's corners, in one unit, whichever
A .csv has its frame rate from a column `time` (seconds) or `Timecode` (Live Link Face), unless it
is given. The first row lies at the start of the recording.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jambatalk.data.tracks import REQUIRED, TrackFile
from jambatalk.errors import DataError, abbreviate
from jambatalk.export.arkit import TIMECODE_RATE
from jambatalk.face.face import Face
from jambatalk.face.lips import MEASURES, linear_measures
from jambatalk.files.table import column, read_table
from jambatalk.motion.motion import Motion, check_fps

SHORTEST, LONGEST = 10.0, 120.0  # seconds; memory grows with them
CURVES = MEASURES[:2]  # columns of a track that is not of weights
LEAST_MOVEMENT = 0.005  # standard deviation of the aperture, over the mean width of the mouth
COLUMNS = (
    f"Give ARKit weights (a column '{REQUIRED}' among others), or columns 'time', "
    f"{' and '.join(map(repr, CURVES))}."
)


@dataclass(frozen=True, eq=False)
class LipTrack:
    """Lips over time.

    Attributes:
        name: for messages.
        measures: (t, m) float32, `MEASURES` or the first two of them.
        fps: frames a second.

    Raises:
        DataError: a clip that is too short, or in which the lips do not move; values that are not
            numbers, or no distances.
    """

    name: str
    measures: np.ndarray
    fps: float

    def __post_init__(self) -> None:
        if not np.isfinite(self.measures).all():
            row = int(np.flatnonzero(~np.isfinite(self.measures).all(1))[0])
            raise DataError(
                f"{self.name} has values that are not numbers in frame {row}.",
                "Fill gaps of the tracker, or cut them off with their sound.",
            )
        if self.duration < SHORTEST:
            raise DataError(
                f"{self.name} lasts {self.duration:.1f} s.",
                f"Give {SHORTEST:g} s or more of speech, better 30.",
            )
        if self.duration > LONGEST:
            raise DataError(
                f"{self.name} lasts {self.duration:.0f} s.",
                f"Cut it and its sound to {LONGEST:g} s or less; 30 suffice.",
            )
        opening, width = self.measures[:, 0], self.measures[:, 1]
        if width.min() <= 0:
            raise DataError(
                f"The mouth's width in {self.name} is {width.min():g} in places.",
                "Give distances, neither standardised nor relative to the mean.",
            )
        if opening.std() < LEAST_MOVEMENT * width.mean():
            raise DataError(
                f"The lips in {self.name} do not move.",
                "Check its columns and that they are of somebody who speaks.",
            )

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.measures) / self.fps

    @property
    def has_face(self) -> bool:
        """Whether it is of weights, on one of our faces: measures are metres there."""
        return self.measures.shape[1] == len(MEASURES)

    @classmethod
    def of_motion(cls, motion: Motion, name: str = "the track") -> LipTrack:
        """Measure the lips of a motion of blendshapes."""
        matrix, rest = linear_measures(motion.face)
        return cls(name, motion.weights @ matrix + rest, motion.fps)

    @classmethod
    def read(cls, path: str | Path, face: Face, fps: float | None = None) -> LipTrack:
        """Read a track.

        Args:
            face: on which weights are measured.
            fps: of a .csv without times, or with wrong ones.

        Raises:
            DataError: a file that cannot be read, or see :class:`LipTrack`.
        """
        path = Path(path)
        if fps is not None:
            check_fps(fps)
        columns = _read_columns(path) if path.suffix.lower() == ".csv" else {}
        if set(CURVES) <= set(columns):
            measures, rate = _read_curves(path, columns, timed=fps is None)
        elif columns and REQUIRED.lower() not in columns:
            raise DataError(f"{path} has no lips; it has {abbreviate(list(columns))}.", COLUMNS)
        else:
            track, (matrix, rest) = TrackFile(path, face.blendshapes), linear_measures(face)
            measures, rate = track.read(slice(None)) @ matrix + rest, track.fps
        rate = fps or rate or _timecode_rate(columns.get("timecode", []))
        if rate is None:
            raise DataError(
                f"The frame rate of {path} is not known.",
                "Give it with --fps, or add a column 'time' in seconds.",
            )
        check_fps(rate)
        with np.errstate(over="ignore"):  # infinite, and refused as such
            return cls(path.name, measures.astype(np.float32), rate)


def _read_curves(
    path: Path, columns: dict[str, list[str]], timed: bool
) -> tuple[np.ndarray, float | None]:
    """Read aperture and width (t, 2) and, where there are times, their frame rate.

    Frames may be missing; they are interpolated if `timed`.
    """
    values = np.stack([_numbers(path, columns, name) for name in CURVES], 1)
    if not timed or "time" not in columns:
        return values, None
    times = _numbers(path, columns, "time")
    if len(times) < 2 or not (times[1:] > times[:-1]).all():  # NaN fails too
        raise DataError(f"The times in {path} do not rise.", "Give seconds, row after row.")
    even = np.linspace(times[0], times[-1], len(times))
    return np.stack([np.interp(even, times, curve) for curve in values.T], 1), float(
        (len(times) - 1) / (times[-1] - times[0])
    )


def _read_columns(path: Path) -> dict[str, list[str]]:
    """Read the columns of a .csv by their names in lower case."""
    header, rows = read_table(path, DataError, "a track", COLUMNS)
    return {name.lower(): column(rows, i) for i, name in enumerate(header)}


def _numbers(path: Path, columns: dict[str, list[str]], name: str) -> np.ndarray:
    try:
        return np.array([float(cell) if cell.strip() else np.nan for cell in columns[name]])
    except ValueError as error:
        raise DataError(f"Column '{name}' of {path}: {error}.", "Give numbers.") from error


def _timecode_rate(timecodes: list[str]) -> float | None:
    """Return the mean frame rate of timecodes hh:mm:ss:ff.fff, None if they are none."""
    try:
        first, last = (
            float(np.dot([3600, 60, 1, 1 / TIMECODE_RATE], [float(x) for x in code.split(":")]))
            for code in (timecodes[0], timecodes[-1])
        )
    except (ValueError, IndexError):
        return None
    return (len(timecodes) - 1) / (last - first) if last > first else None
