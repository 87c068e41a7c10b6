"""GRID's other speakers, each fitted for himself: people whose lips are learned beside s1's."""

from __future__ import annotations

from pathlib import Path

from jambatalk.face.face import Face
from recipes.checkpoint.captured.clip import Clip
from recipes.checkpoint.captured.grid_corpus import clip_names, read_grid

HELD_OUT = ("s4", "s33", "s34")  # of them nothing is learned


def read_people(folder: Path, face: Face) -> tuple[list[Clip], list[Clip]]:
    """Read the people of `grid_speakers`, whose clips are named PERSON_CLIP.

    The style of a clip is its person.

    Returns:
        The clips to train on, and those of the people held out.

    Raises:
        DataError: the folder has no GRID motion.
    """
    by_person: dict[str, list[str]] = {}
    for name in clip_names(folder):
        by_person.setdefault(name.split("_")[0], []).append(name)
    train: list[Clip] = []
    held_out: list[Clip] = []
    for person, names in sorted(by_person.items()):
        clips = read_grid(folder, face, names, person)
        (held_out if person in HELD_OUT else train).extend(clips)
    return train, held_out
