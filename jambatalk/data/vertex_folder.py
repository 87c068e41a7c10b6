"""Folders with `wav/` and `vertices_npy/`, the layout that the field's repositories share.

FOLDER/wav/SUBJECT_NN.wav            any rate; .flac too
FOLDER/vertices_npy/SUBJECT_NN.npy   (T, V, 3) or (T, 3 V)
FOLDER/templates.pkl                 see jambatalk/face/mesh.py
FOLDER/dataset.json                  {"fps": 30, "val": [...], "test": [...]}
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from jambatalk.data.dataset import Dataset, Entry, check_folder
from jambatalk.data.dataset_settings import DatasetSettings
from jambatalk.data.recording_files import MotionSource, SoundFile, VertexFile
from jambatalk.errors import DataError, abbreviate
from jambatalk.face.mesh import read_templates

log = logging.getLogger(__name__)

SOUNDS = (".wav", ".flac")


def open_folder(folder: Path, split: str) -> Dataset:
    """Open a folder of vertices.

    Args:
        split: see :meth:`DatasetSettings.select`.

    Raises:
        DataError: see :class:`Dataset`; or no frame rate.
    """
    folder = check_folder(folder)
    settings, templates = DatasetSettings.read(folder), read_templates(folder)
    entries = list(vertex_entries(folder, list(templates)))
    if settings.fps is None:
        raise DataError(
            f"The frame rate of the motion in {folder} is not known.",
            f'Write {{"fps": 30}}, or another rate, into {folder / "dataset.json"}.',
        )
    selected = settings.select(entries, split)
    return Dataset(f"{folder.name}/{split}", selected, settings.fps, templates)


def vertex_entries(folder: Path, subjects: Sequence[str] = ()) -> Iterator[Entry]:
    """List the recordings in `wav/` and `vertices_npy/`.

    Args:
        subjects: those that have a template; an only one has all recordings.
    """
    motions = {path.stem: VertexFile(path) for path in sorted(folder.glob("vertices_npy/*.npy"))}
    return paired_entries(folder, "vertices_npy", motions, subjects)


def paired_entries(
    folder: Path, subfolder: str, motions: Mapping[str, MotionSource], subjects: Sequence[str] = ()
) -> Iterator[Entry]:
    """Pair motions, by name, with the sounds in `wav/`; those without a partner are left out."""
    sounds = {
        path.stem: SoundFile(path)
        for path in sorted(folder.glob("wav/*"))
        if path.suffix.lower() in SOUNDS
    }
    names = sounds.keys() & motions.keys()
    if not names:
        raise DataError(
            f"There are no recordings in {folder}: of {len(sounds)} sounds in wav/ and "
            f"{len(motions)} motions in {subfolder}/, no two have the same name.",
            f"Give wav/NAME.wav and {subfolder}/NAME of the same name.",
        )
    if unpaired := sorted((sounds.keys() | motions.keys()) - names):
        log.warning(
            "%d recordings of %s lack sound or motion and are left out: %s",
            len(unpaired),
            folder,
            abbreviate(unpaired),
        )
    for name in sorted(names):
        yield Entry(name, subject_of(name, subjects), sounds[name], motions[name])


def subject_of(name: str, subjects: Sequence[str]) -> str:
    """Return the subject of a recording named SUBJECT_NN, or the only subject there is."""
    subject = name.rpartition("_")[0] or name
    return subjects[0] if len(subjects) == 1 and subject not in subjects else subject
