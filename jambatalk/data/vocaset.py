"""VOCASET: twelve people, forty English sentences each, as FLAME meshes at 60 frames a second.

Cudeiro, Bolkart, Laidlaw, Ranjan and Black, "Capture, Learning, and Synthesis of 3D Speaking
Styles", CVPR 2019; from https://voca.is.tue.mpg.de after registration, for research only.
Two layouts: the files as they are downloaded,

    data_verts.npy          (N, 5023, 3), the frames of all sentences, metres
    subj_seq_to_idx.pkl     subject → sentence → frame → which of the N
    raw_audio_fixed.pkl     subject → sentence → {"audio": samples, "sample_rate": 22000}
    templates.pkl           subject → (5023, 3)

and `vertices_npy/` with `wav/`, into which the field's repositories turn them (folder.py).
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from jambatalk.data.dataset import FASTEST, Dataset, Entry, check_folder
from jambatalk.data.folder import Notes, kept, vertex_entries
from jambatalk.data.lazy import SoundArray, VertexRows
from jambatalk.data.splits import VOCASET, find_split, select
from jambatalk.errors import DataError
from jambatalk.face.templates import read_templates
from jambatalk.files.origins import VOCASET as ORIGIN
from jambatalk.files.safe_pickle import read_pickle

VERTICES = 5023
FPS = 60.0
HALVED = 30.0  # a converted set may have lost every second frame already


def open_vocaset(folder: Path, split: str) -> Dataset:
    """Opens VOCASET in either layout, the downloaded files first; 30 frames a second.

    Args:
        split: "train" (8 people, sentences 1 to 40), "val" and "test" (2 people each, sentences 21
            to 40), or "all".

    Raises:
        DataError: see :class:`Dataset`; or a file or a subject that is missing.
    """
    folder, wanted = check_folder(folder, ORIGIN), find_split(VOCASET, split)
    downloaded = (folder / "data_verts.npy").is_file()
    if not downloaded and not (folder / "vertices_npy").is_dir():
        raise DataError(
            f"{folder} holds neither data_verts.npy nor vertices_npy/: it is not VOCASET.", ORIGIN
        )
    templates, notes = read_templates(folder, ORIGIN), Notes.read(folder)
    _check_templates(templates, folder)
    scratch = Path(tempfile.mkdtemp(prefix="jambatalk-vocaset-"))
    try:
        listed = _downloaded(folder, scratch) if downloaded else vertex_entries(folder, [])
        entries = kept(select(listed, wanted, str(folder)), notes)
        fps = notes.fps or (FPS if downloaded else _captured_fps(entries))
        dataset = Dataset(f"vocaset/{split}", entries, fps, templates)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    weakref.finalize(dataset, _remove, scratch, os.getpid())
    return dataset


def _downloaded(folder: Path, scratch: Path) -> Iterable[Entry]:
    """The recordings in the downloaded files. A pickle cannot be read in parts: its sounds, about
    a hundredth of the set, are laid into the `scratch` folder and read from there."""
    index = _nested(folder / "subj_seq_to_idx.pkl")
    sounds = _nested(folder / "raw_audio_fixed.pkl")
    for subject, sequences in index.items():
        for sequence, frames in sequences.items():
            sound = sounds.get(subject, {}).get(sequence)
            if sound is None:  # a few sentences lack sound or motion
                continue
            name = f"{subject}_{sequence}"
            path = scratch / f"{name}.npy"
            try:
                np.save(path, np.asarray(sound["audio"]).reshape(-1), allow_pickle=False)
                rate = int(sound["sample_rate"])
                rows = tuple(int(frames[frame]) for frame in sorted(frames))
            except (KeyError, TypeError, ValueError) as error:
                raise DataError(
                    f"'{name}' in {folder} has another form than VOCASET's ({error!r}).", ORIGIN
                ) from error
            motion = VertexRows(folder / "data_verts.npy", rows)
            yield Entry(name, subject, SoundArray(path, rate), motion)


def _nested(path: Path) -> dict[str, dict[str, Any]]:
    """A pickle of subject → sentence → something."""
    values = read_pickle(path)
    if not isinstance(values, dict) or not all(isinstance(v, dict) for v in values.values()):
        raise DataError(f"{path} is no dictionary of subjects and sentences.", ORIGIN)
    return values


def _check_templates(templates: dict[str, np.ndarray], folder: Path) -> None:
    for subject, template in templates.items():
        if len(template) != VERTICES:
            raise DataError(
                f"The template of '{subject}' in {folder} has {len(template)} vertices, "
                f"VOCASET's have {VERTICES}.",
                "Check that it is VOCASET's, or open the folder as 'folder'.",
            )


def _captured_fps(entries: list[Entry]) -> float:
    """60 as captured, or 30 where the set was halved when it was converted."""
    rate = median(entry.motion.shape[0] / entry.sound.seconds for entry in entries)
    return FPS if rate > FASTEST else HALVED


def _remove(folder: Path, process: int) -> None:
    """Removes a folder in the process that made it, not in loader processes forked from it."""
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)
