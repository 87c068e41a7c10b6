"""VOCASET: twelve subjects, forty English sentences each, as FLAME meshes at 60 frames a second.

Cudeiro, Bolkart, Laidlaw, Ranjan and Black, "Capture, Learning, and Synthesis of 3D Speaking
Styles", CVPR 2019; from https://voca.is.tue.mpg.de after registration, for research only.
Two layouts: the files as they are downloaded,

    data_verts.npy          (N, 5023, 3), the frames of all sentences, metres
    subj_seq_to_idx.pkl     subject → sentence → frame → index into the N
    raw_audio_fixed.pkl     subject → sentence → {"audio": samples, "sample_rate": 22000}
    templates.pkl           subject → (5023, 3)

and `vertices_npy/` with `wav/`, into which the field's repositories convert them
(vertex_folder.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from jambatalk.data.dataset import FASTEST, Dataset, Entry, check_folder
from jambatalk.data.dataset_settings import DatasetSettings
from jambatalk.data.recording_files import to_speech
from jambatalk.data.splits import VOCASET, check_vertices, select_split
from jambatalk.data.vertex_folder import vertex_entries
from jambatalk.errors import DataError
from jambatalk.face.mesh import read_templates
from jambatalk.files.arrays import open_array
from jambatalk.files.origins import VOCASET as ORIGIN
from jambatalk.files.safe_pickle import read_pickle

VERTICES = (5023,)
FPS = 60.0
HALVED = 30.0  # a converted set may have lost every second frame already
SOUNDS, FRAMES, MOTION = "raw_audio_fixed.pkl", "subj_seq_to_idx.pkl", "data_verts.npy"


def open_vocaset(folder: Path, split: str) -> Dataset:
    """Open VOCASET in either layout, the downloaded files first; 30 frames a second.

    Args:
        split: "train" (8 subjects, sentences 1 to 40), "val" and "test" (2 subjects each,
            sentences 21 to 40), or "all".

    Raises:
        DataError: see :class:`Dataset`; or a file or a subject that is missing.
    """
    folder = check_folder(folder, ORIGIN)
    downloaded = (folder / MOTION).is_file()
    if not downloaded and not (folder / "vertices_npy").is_dir():
        raise DataError(
            f"{folder} contains neither {MOTION} nor vertices_npy/: it is not VOCASET.", ORIGIN
        )
    templates, settings = read_templates(folder, ORIGIN), DatasetSettings.read(folder)
    check_vertices(templates, VERTICES, "VOCASET", folder)
    listed = _downloaded_entries(folder) if downloaded else vertex_entries(folder)
    entries = settings.without_left_out(select_split(listed, VOCASET, split, str(folder)))
    fps = settings.fps or (FPS if downloaded else _converted_fps(entries))
    return Dataset(f"vocaset/{split}", entries, fps, templates)


@dataclass(frozen=True)
class PickledSound:
    """The sound of one sentence in `raw_audio_fixed.pkl`."""

    path: Path
    subject: str
    sequence: str

    @cached_property
    def seconds(self) -> float:
        """The duration."""
        samples, rate = self._samples()
        return len(samples) / rate

    def read(self) -> np.ndarray:
        """Read (n,) float32 at 16 kHz, mono; raises DataError."""
        return to_speech(*self._samples(), self.path)

    def _samples(self) -> tuple[np.ndarray, int]:
        sound = _read_nested(self.path)[self.subject][self.sequence]
        try:
            samples, rate = np.asarray(sound["audio"]).reshape(-1), int(sound["sample_rate"])
            if samples.dtype.kind not in "iuf" or rate < 1:
                raise ValueError(f"{samples.dtype} at {rate} Hz")
        except (KeyError, TypeError, ValueError) as error:
            raise _malformed(self.path, self.subject, self.sequence, error) from error
        return samples, rate


@dataclass(frozen=True)
class VertexFrames:
    """Vertices of one sentence: frames of an array (N, V, 3) that holds many."""

    path: Path
    indices: tuple[int, ...]

    @cached_property
    def shape(self) -> tuple[int, int]:
        """(T, V); raises DataError."""
        array = open_array(self.path)
        if self.indices and not 0 <= min(self.indices) <= max(self.indices) < len(array):
            raise DataError(
                f"{self.path} has {len(array)} frames, but {FRAMES} names frame "
                f"{max(self.indices)}.",
                "Download both files again.",
            )
        return len(self.indices), array.shape[1]

    def read(self, frames: slice) -> np.ndarray:
        """Read (t, V, 3)."""
        return open_array(self.path)[list(self.indices[frames])]


def _downloaded_entries(folder: Path) -> Iterator[Entry]:
    """List the recordings in the downloaded files; a few sentences lack sound or motion."""
    sounds = _read_nested(folder / SOUNDS)
    for subject, sequences in _read_nested(folder / FRAMES).items():
        for sequence, frames in sequences.items():
            if sequence not in sounds.get(subject, {}):
                continue
            try:
                indices = tuple(int(frames[frame]) for frame in sorted(frames))
            except (TypeError, ValueError) as error:
                raise _malformed(folder / FRAMES, subject, sequence, error) from error
            sound = PickledSound(folder / SOUNDS, subject, sequence)
            motion = VertexFrames(folder / MOTION, indices)
            yield Entry(f"{subject}_{sequence}", subject, sound, motion)


def _read_nested(path: Path) -> dict[str, dict[str, Any]]:
    """Read a pickle of subject → sentence → value, once for all splits of a process.

    A pickle cannot be read in parts: the sounds, about a hundredth of the set, stay in memory.
    """
    stamp = path.stat().st_mtime_ns if path.exists() else 0  # read again if the file changes
    return _read_nested_once(path.absolute(), stamp)


@lru_cache(maxsize=2)
def _read_nested_once(path: Path, stamp: int) -> dict[str, dict[str, Any]]:
    values = read_pickle(path)
    if not isinstance(values, dict) or not all(isinstance(v, dict) for v in values.values()):
        raise DataError(f"{path} is not a dictionary of subjects and sentences.", ORIGIN)
    return values


def _malformed(path: Path, subject: str, sequence: str, error: Exception) -> DataError:
    return DataError(f"'{subject}_{sequence}' in {path} is malformed ({error!r}).", ORIGIN)


def _converted_fps(entries: list[Entry]) -> float:
    """Return 60 as captured, or 30 where the set was halved when it was converted."""
    rate = median(entry.motion.shape[0] / entry.sound.seconds for entry in entries)
    return FPS if rate > FASTEST else HALVED
