"""Captured blendshape tracks: ARKit weights over time, one file a recording, and its sound.

    FOLDER/wav/SUBJECT_NN.wav
    FOLDER/tracks/SUBJECT_NN.csv     a column an blendshape, as Live Link Face writes it
                            .json    {"fps", "blendshapes", "weights"}, or as Audio2Face exports it
                            .npz     "fps", "blendshapes", "weights", as Motion.save writes it
    FOLDER/dataset.json              see folder.py; csv needs its "fps"

Capital letters are no matter (EyeBlinkLeft, eyeBlinkLeft); a missing blendshape rests at 0; columns
that are no blendshape (timecodes, head and eye rotation) are passed over.
"""

from __future__ import annotations

import csv
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from jambatalk.data.dataset import Dataset, check_folder
from jambatalk.data.folder import Notes, choose, paired
from jambatalk.errors import DataError
from jambatalk.face.library import load_head
from jambatalk.files.arrays import read_npz

log = logging.getLogger(__name__)

KINDS = (".csv", ".json", ".npz")
MUST = "jawOpen"  # without it nobody speaks
LARGEST = 2.0  # weights lie in 0..1, an exaggerated one a little above; percents do not
AUDIO2FACE = {"exportFps": "fps", "facsNames": "blendshapes", "weightMat": "weights"}


def open_tracks(folder: Path, split: str) -> Dataset:
    """Opens a folder of tracks, as blendshapes of the bundled heads.

    Args:
        split: "train", "val", "test" or "all", see :func:`jambatalk.data.folder.open_folder`.

    Raises:
        DataError: see :class:`Dataset`; a file that is no track; frame rates that differ or are
            not known.
    """
    folder, blendshapes = check_folder(folder), load_head(1).blendshapes
    notes = Notes.read(folder)
    motions = {
        path.stem: TrackFile(path, blendshapes)
        for path in sorted(folder.glob("tracks/*"))
        if path.suffix.lower() in KINDS
    }
    chosen = choose(paired(folder, "tracks", motions, []), notes, split)
    rates = {notes.fps or motions[entry.name].fps for entry in chosen}
    if None in rates:
        raise DataError(
            f"The frame rate of the tracks in {folder} is not known.",
            f'Write {{"fps": 60}}, or what it is, into {folder / "dataset.json"}.',
        )
    if len(rates) > 1:
        raise DataError(
            f"The tracks in {folder} have different frame rates ({sorted(rates)}).",
            "Give each rate a folder of its own.",
        )
    fps = rates.pop() if rates else 0.0
    return Dataset(f"{folder.name}/{split}", chosen, fps, blendshapes=blendshapes)


@dataclass(frozen=True)
class TrackFile:
    """One track, given as weights of `blendshapes`."""

    path: Path
    blendshapes: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """(T, K)."""
        return self._header[0], len(self.blendshapes)

    @property
    def fps(self) -> float | None:
        """Frames a second, where the file says so."""
        return self._header[1]

    @cached_property
    def _header(self) -> tuple[int, float | None]:
        _, values, fps = self._read()
        return len(values), fps

    def read(self, frames: slice) -> np.ndarray:
        """(T, K) float32.

        Raises:
            DataError: it is no track.
        """
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
                "ARKit's lie between 0 and 1: divide percents by 100.",
            )
        return weights[frames]

    def _read(self) -> tuple[Sequence[str], np.ndarray, float | None]:
        """Names of the columns, values (T, columns), frames a second."""
        try:
            names, values, fps = _READERS[self.path.suffix.lower()](self.path)
            values = np.asarray(values, np.float32)
            if values.ndim != 2 or values.shape[1] != len(names):
                raise ValueError(f"{len(names)} names for values of shape {values.shape}")
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise DataError(
                f"{self.path} is no blendshape track ({error!r}).",
                'Give csv (a column an blendshape), or json or npz with "fps", "blendshapes", "weights".',
            ) from error
        if MUST.lower() not in (name.lower() for name in names):
            raise DataError(
                f"{self.path} has no '{MUST}'; it has {', '.join(names[:6])}, ...",
                "Name the columns as ARKit does.",
            )
        return names, values, fps


def _read_csv(path: Path) -> tuple[list[str], list[list[float]], None]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.reader(file)
        header = [name.strip() for name in next(rows, [])]
        known = {blendshape.lower() for blendshape in load_head(1).blendshapes}
        # a timecode is no number, and no other column is wanted
        used = [i for i, name in enumerate(header) if name.lower() in known]
        values = [[float(row[i]) for i in used] for row in rows if row]
    return [header[i] for i in used], values, None


def _read_json(path: Path) -> tuple[list[str], list[list[float]], float]:
    values = json.loads(path.read_text())
    values = {AUDIO2FACE.get(key, key): value for key, value in values.items()}
    return values["blendshapes"], values["weights"], float(values["fps"])


def _read_npz(path: Path) -> tuple[list[str], np.ndarray, float]:
    arrays = read_npz(path, kind="a blendshape track")
    return arrays["blendshapes"].tolist(), arrays["weights"], float(arrays["fps"])


_READERS = {".csv": _read_csv, ".json": _read_json, ".npz": _read_npz}
