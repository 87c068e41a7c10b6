"""Data sets by name, as configuration files call them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jambatalk.data.biwi import open_biwi
from jambatalk.data.dataset import Dataset
from jambatalk.data.tracks import open_tracks
from jambatalk.data.vertex_folder import open_folder
from jambatalk.data.vocaset import open_vocaset
from jambatalk.errors import DataError

DATASETS: dict[str, Callable[[Path, str], Dataset]] = {
    "vocaset": open_vocaset,
    "biwi": open_biwi,
    "folder": open_folder,
    "tracks": open_tracks,
}


def open_dataset(name: str, folder: str | Path, split: str) -> Dataset:
    """Open a data set, reading only the headers of its files.

    Args:
        name: "vocaset", "biwi", "folder" (wav, npy, templates) or "tracks" (wav, ARKit weights).
        folder: its path.
        split: "train", "val", "test" (for BIWI see :func:`open_biwi`), or "all".

    Raises:
        DataError: no set of that name, or see :class:`Dataset`.
    """
    if name not in DATASETS:
        raise DataError(f"There is no data set '{name}'.", f"Choose one of {', '.join(DATASETS)}.")
    return DATASETS[name](Path(folder), split)
