"""What no network of ours is ever trained on: training and evaluation both ask here."""

from pathlib import Path

from recipes.checkpoint.captured.grid_corpus import clip_names

TAKES = ("1114_3_15",)  # FACEGOOD's continuous speech
EVERY = 20  # GRID clips, in the order of their names


def held_out_clips(grid: Path) -> list[str]:
    """Names of the GRID clips that are held out, in order.

    Raises:
        DataError: the folder has no GRID motion.
    """
    return sorted(clip_names(grid))[::EVERY]


def is_held_out_take(name: str) -> bool:
    """Whether a FACEGOOD take is held out."""
    return name in TAKES
