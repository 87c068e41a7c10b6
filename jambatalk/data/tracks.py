"""Captured blendshape tracks: ARKit weights over time, one file a recording, with its sound.

    FOLDER/wav/SUBJECT_NN.wav
    FOLDER/tracks/SUBJECT_NN.csv     a column per blendshape, as Live Link Face writes it
                            .json    {"fps", "blendshapes", "weights"}, or as Audio2Face exports it
                            .npz     "fps", "blendshapes", "weights", as Motion.save writes it
    FOLDER/dataset.json              see dataset_settings.py; csv needs its "fps"

Names are case-insensitive (EyeBlinkLeft, eyeBlinkLeft); missing blendshapes are 0; other columns
(timecodes, head and eye rotation) are ignored.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from jambatalk.data.dataset import Dataset, check_folder
from jambatalk.data.dataset_settings import DatasetSettings
from jambatalk.data.vertex_folder import paired_entries
from jambatalk.errors import DataError, abbreviate
from jambatalk.face.library import load_head
from jambatalk.files.arrays import read_npz
from jambatalk.files.fields import Range
from jambatalk.files.plain import read_json
from jambatalk.files.regular import damaged
from jambatalk.files.table import column, read_table

log = logging.getLogger(__name__)

KINDS = (".csv", ".json", ".npz")
REQUIRED = "jawOpen"  # tracks without it hold no speech
LARGEST = 2.0  # weights are 0..1, or a little above if exaggerated; percentages exceed it
FPS = Range(1, 1000)
LARGEST_JSON = 32 << 20  # bytes: an hour of 61 weights, 30 times a second
TRACK = "a blendshape track"
FORMS = (
    'Give csv (a column per blendshape), or json or npz with "fps", "blendshapes" and "weights".'
)
AUDIO2FACE = {"exportFps": "fps", "facsNames": "blendshapes", "weightMat": "weights"}


def open_tracks(folder: Path, split: str) -> Dataset:
    """Open a folder of tracks, as blendshapes of the bundled heads.

    Args:
        split: see :meth:`DatasetSettings.select`.

    Raises:
        DataError: see :class:`Dataset`; an invalid track; frame rates that differ or are not
            known.
    """
    folder, blendshapes = check_folder(folder), load_head(1).blendshapes
    settings = DatasetSettings.read(folder)
    motions = {
        path.stem: TrackFile(path, blendshapes)
        for path in sorted(folder.glob("tracks/*"))
        if path.suffix.lower() in KINDS
    }
    selected = settings.select(paired_entries(folder, "tracks", motions), split)
    rates = {settings.fps or motions[entry.name].fps for entry in selected}
    if None in rates:
        raise DataError(
            f"The frame rate of the tracks in {folder} is not known.",
            f'Write {{"fps": 60}}, or another rate, into {folder / "dataset.json"}.',
        )
    if len(rates) > 1:
        raise DataError(
            f"The tracks in {folder} have different frame rates ({sorted(map(str, rates))}).",
            "Give each rate a folder of its own.",
        )
    fps = rates.pop() if rates else None
    return Dataset(f"{folder.name}/{split}", selected, fps or 0.0, blendshapes=blendshapes)


@dataclass(frozen=True)
class TrackFile:
    """A track, read as weights of `blendshapes`."""

    path: Path
    blendshapes: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """(T, K)."""
        return self._header[0], len(self.blendshapes)

    @property
    def fps(self) -> float | None:
        """The frame rate, if the file has it."""
        return self._header[1]

    @cached_property
    def _header(self) -> tuple[int, float | None]:
        _, values, fps = self._read()
        return len(values), fps

    def read(self, frames: slice) -> np.ndarray:
        """Read (t, K) float32; raises DataError."""
        names, values, _ = self._read()
        column = {name.lower(): number for number, name in enumerate(names)}
        weights = np.zeros((len(values), len(self.blendshapes)), np.float32)
        for k, blendshape in enumerate(self.blendshapes):
            if blendshape.lower() in column:
                weights[:, k] = values[:, column[blendshape.lower()]]
        largest = np.abs(np.nan_to_num(weights)).max(initial=0.0)
        if largest > LARGEST:
            raise DataError(
                f"{self.path} has weights up to {largest:.4g}.",
                "ARKit's lie between 0 and 1: divide percentages by 100.",
            )
        return weights[frames]

    def _read(self) -> tuple[Sequence[str], np.ndarray, float | None]:
        """Read column names, values (T, columns) and frame rate."""
        try:
            names, values, fps = _READERS[self.path.suffix.lower()](self.path)
            with np.errstate(over="ignore"):  # infinite, and refused as such
                values = np.asarray(values, np.float32)
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise ValueError("its blendshapes are not names")
            if values.ndim != 2 or values.shape[1] != len(names):
                raise ValueError(f"{len(names)} names for values of shape {values.shape}")
            if fps is not None and not FPS.low <= fps <= FPS.high:
                raise ValueError(f"{fps:g} frames a second")
        except DataError:
            raise
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
            reason = f"there is no {error}" if isinstance(error, KeyError) else error
            raise damaged(self.path, reason, DataError, TRACK, FORMS) from error
        if REQUIRED.lower() not in (name.lower() for name in names):
            raise DataError(
                f"{self.path} has no '{REQUIRED}'; it has {abbreviate(names)}.",
                "Name the columns as ARKit does.",
            )
        return names, values, fps


def _read_csv(path: Path) -> tuple[list[str], np.ndarray, None]:
    header, rows = read_table(path, DataError, TRACK, FORMS)
    known = {blendshape.lower() for blendshape in load_head(1).blendshapes}
    # other columns may not be numbers: timecodes
    used = [i for i, name in enumerate(header) if name.lower() in known]
    values = [list(map(float, column(rows, i))) for i in used]
    return [header[i] for i in used], np.array(values).reshape(len(used), len(rows)).T, None


def _read_json(path: Path) -> tuple[list[str], list[list[float]], float]:
    values = read_json(path, DataError, TRACK, FORMS, LARGEST_JSON)
    if not isinstance(values, dict):
        raise ValueError("it holds no names and values")
    values = {AUDIO2FACE.get(key, key): value for key, value in values.items()}
    return values["blendshapes"], values["weights"], float(values["fps"])


def _read_npz(path: Path) -> tuple[list[str], np.ndarray, float]:
    arrays = read_npz(path, DataError, TRACK, FORMS)
    return arrays["blendshapes"].tolist(), arrays["weights"], float(arrays["fps"])


_READERS = {".csv": _read_csv, ".json": _read_json, ".npz": _read_npz}
