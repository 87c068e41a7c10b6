"""Pseudo-labels on disk: `SOURCE/NAME.npy`, (T, 2) float16 standardised aperture and width."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from jambatalk.errors import DataError
from recipes.checkpoint.corpus.recording import Recording


def label_path(folder: Path, recording: Recording) -> Path:
    """Return the path of a recording's labels."""
    return folder / recording.source / f"{recording.name}.npy"


def write_labels(folder: Path, recording: Recording, lips: np.ndarray) -> None:
    """Write the labels (T, 2) of a recording."""
    path = label_path(folder, recording)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, lips.astype(np.float16), allow_pickle=False)


def read_labels(folder: Path, recordings: Iterable[Recording]) -> dict[str, np.ndarray]:
    """Read the labels of recordings: "SOURCE/NAME" → (T, 2) float32.

    Raises:
        DataError: a recording has no labels.
    """
    labels = {}
    for recording in recordings:
        path = label_path(folder, recording)
        try:
            lips = np.load(path, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise DataError(
                f"No pseudo-labels of {recording.key} in {folder} ({error}).",
                "Write them with 'python -m recipes.checkpoint.pseudo_labels'.",
            ) from error
        labels[recording.key] = lips.astype(np.float32)
    return labels
