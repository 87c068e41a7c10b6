"""The held-out split of the captured recordings, shared by training and evaluation."""

from pathlib import Path

from recipes.checkpoint.captured.grid_corpus import clip_names

TAKES = ("1114_3_15",)  # FACEGOOD's continuous speech
EVERY = 20  # GRID clips, in order of their names


def held_out_clips(folder: Path) -> list[str]:
    """List the names of the held-out GRID clips, in order.

    Raises:
        DataError: the folder has no GRID motion.
    """
    return sorted(clip_names(folder))[::EVERY]


def is_held_out_take(name: str) -> bool:
    """Return whether a FACEGOOD take is held out."""
    return name in TAKES
