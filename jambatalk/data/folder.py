"""Any folder with `wav/` and `vertices_npy/`, the layout that the field's repositories share.

FOLDER/wav/SUBJECT_NN.wav            any rate; .flac too
FOLDER/vertices_npy/SUBJECT_NN.npy   (T, V, 3) or (T, 3 V)
FOLDER/templates.pkl                 see templates.py
FOLDER/dataset.json                  {"fps": 30, "val": [...], "test": [...]}
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path

from jambatalk.data.dataset import Dataset, Entry, check_folder
from jambatalk.data.lazy import Motion, SoundFile, VertexFile
from jambatalk.errors import DataError
from jambatalk.face.templates import read_templates

log = logging.getLogger(__name__)

SOUNDS = (".wav", ".flac")
SPLITS = ("train", "val", "test", "all")
VAL_EVERY = 10  # recordings, where dataset.json names none


@dataclass(frozen=True)
class Notes:
    """What `dataset.json` says about a folder; a set without the file needs none of it.

    Attributes:
        fps: frames a second of the motion on disk.
        val, test: names of recordings or subjects that belong to these splits.
        leave_out: names of recordings or subjects that are not used.
    """

    fps: float | None = None
    val: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Notes:
        """Reads them.

        Raises:
            DataError: no JSON, an unknown key, a value of the wrong kind.
        """
        path = folder / "dataset.json"
        if not path.is_file():
            return cls()
        try:
            values = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise DataError(f"{path} is no JSON ({error}).", "Correct it.") from error
        if not isinstance(values, dict):
            raise DataError(f"{path} holds no object.", 'Write {"fps": 30}, for instance.')
        known = [field.name for field in fields(cls)]
        for key, value in values.items():
            if key not in known:
                near = get_close_matches(key, known, 1) or known
                raise DataError(f"{path} has an unknown key '{key}'.", f"Is it '{near[0]}'?")
            if key == "fps":
                if not isinstance(value, (int, float)) or not 5 <= value <= 240:
                    raise DataError(f"{path}: fps is {value!r}.", "Give frames a second, as 30.")
            elif not isinstance(value, list) or not all(isinstance(v, str) for v in value):
                raise DataError(f"{path}: '{key}' is no list of names.", 'Write ["NAME", ...].')
            else:
                values[key] = tuple(value)
        return cls(**values)


def open_folder(folder: Path, split: str) -> Dataset:
    """Opens a folder of one's own.

    Args:
        split: "train", "val", "test" or "all". `dataset.json` names what is held out, by recording
            or by subject; where it does not, "val" is every tenth recording and "test" empty.

    Raises:
        DataError: see :class:`Dataset`; or no frame rate.
    """
    folder = check_folder(folder)
    notes, templates = Notes.read(folder), read_templates(folder)
    entries = list(vertex_entries(folder, list(templates)))
    if notes.fps is None:
        raise DataError(
            f"The frame rate of the motion in {folder} is not known.",
            f'Write {{"fps": 30}}, or what it is, into {folder / "dataset.json"}.',
        )
    chosen = choose(entries, notes, split)
    return Dataset(f"{folder.name}/{split}", chosen, notes.fps, templates)


def choose(entries: Iterable[Entry], notes: Notes, split: str) -> list[Entry]:
    """The recordings of a split, as `dataset.json` says."""
    if split not in SPLITS:
        raise DataError(f"There is no split '{split}'.", f"Choose one of {', '.join(SPLITS)}.")
    entries = list(entries)
    there = {entry.name for entry in entries} | {entry.subject for entry in entries}
    for name in (*notes.leave_out, *notes.val, *notes.test):
        if name not in there:
            near = get_close_matches(name, there, 1)
            hint = f"Is it '{near[0]}'?" if near else ""
            raise DataError(f"dataset.json names '{name}', which is not in the set.", hint)
    entries = kept(entries, notes)
    if notes.val or notes.test:
        held_out = {"val": notes.val, "test": notes.test}
        split_of = {
            entry.name: next((s for s, names in held_out.items() if _named(entry, names)), "train")
            for entry in entries
        }
    else:
        split_of = {
            entry.name: "val" if number % VAL_EVERY == VAL_EVERY - 1 else "train"
            for number, entry in enumerate(entries)
        }
    return [entry for entry in entries if split in (split_of[entry.name], "all")]


def kept(entries: Iterable[Entry], notes: Notes) -> list[Entry]:
    """The recordings that are not left out, sorted by name."""
    entries = [entry for entry in entries if not _named(entry, notes.leave_out)]
    return sorted(entries, key=lambda entry: entry.name)


def _named(entry: Entry, names: tuple[str, ...]) -> bool:
    return entry.name in names or entry.subject in names


def vertex_entries(folder: Path, subjects: list[str]) -> Iterable[Entry]:
    """The recordings of `wav/` and `vertices_npy/`."""
    motions = {path.stem: VertexFile(path) for path in folder.glob("vertices_npy/*.npy")}
    return paired(folder, "vertices_npy", motions, subjects)


def paired(
    folder: Path, where: str, motions: dict[str, Motion], subjects: list[str]
) -> Iterable[Entry]:
    """Motions with the sounds of the same name; what has no partner is left out with a warning.

    Args:
        where: the folder of the motions, for messages.
        subjects: those known. A set of one subject may name its recordings as it likes.
    """
    sounds = {
        path.stem: SoundFile(path)
        for path in sorted(folder.glob("wav/*"))
        if path.suffix.lower() in SOUNDS
    }
    both = sounds.keys() & motions.keys()
    if not both:
        raise DataError(
            f"There are no recordings in {folder}: {len(sounds)} sounds in wav/, {len(motions)} "
            f"motions in {where}/, none with the name of another.",
            f"Give wav/NAME.wav and {where}/NAME of the same name.",
        )
    if alone := sorted((sounds.keys() | motions.keys()) - both):
        more = ", ..." if len(alone) > 5 else ""
        log.warning(
            "%d recordings of %s have sound or motion only and are left out: %s%s",
            *(len(alone), folder, ", ".join(alone[:5]), more),
        )
    for name in sorted(both):
        yield Entry(name, subject_of(name, subjects), sounds[name], motions[name])


def subject_of(name: str, subjects: list[str]) -> str:
    """Whose recording SUBJECT_NN is."""
    subject = name.rpartition("_")[0] or name
    return subjects[0] if len(subjects) == 1 and subject not in subjects else subject
