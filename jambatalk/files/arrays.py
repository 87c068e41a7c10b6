"""Arrays of numbers in files from outside."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from jambatalk.errors import DataError


def open_array(path: Path) -> np.ndarray:
    """The array in an .npy file, mapped into memory: only what is used is read.

    Raises:
        DataError: missing, cut short, no .npy file, or not one of numbers.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise unreadable(path, error) from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "iuf":
        raise DataError(f"{path} is no array of numbers.", "Save it with numpy.save.")
    return array


def unreadable(path: Path, error: Exception) -> DataError:
    """The error for a file that is damaged or missing."""
    return DataError(f"{path} cannot be read ({error}).", "Copy or download it again.")
