"""NumPy arrays in files from outside, of which nothing is unpickled."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import numpy as np

from jambatalk.errors import DataError, JambaTalkError
from jambatalk.files.origins import origin

LARGEST = 4 << 30  # bytes, unpacked


def open_array(path: str | Path, error: type[JambaTalkError] = DataError) -> np.ndarray:
    """Map the array of an .npy file into memory: only the parts in use are read.

    Raises:
        JambaTalkError: of class `error`, where the file is missing, damaged, or not an array of
            numbers.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as cause:  # NumPy raises OSError, ValueError, EOFError, SyntaxError, ...
        raise unreadable(path, cause, error) from cause
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "iuf":
        raise error(f"'{path}' is not an array of numbers.", "Save it with numpy.save.")
    return array


def read_npz(
    path: str | Path,
    error: type[JambaTalkError] = DataError,
    kind: str = "an .npz file",
    cure: str = "Copy or save it again.",
    largest: int = LARGEST,
) -> dict[str, np.ndarray]:
    """Read all arrays of an .npz file, none of them pickled.

    Args:
        error: class of the error to raise.
        kind: what the file should be, for the message.
        cure: what to do, for the message.
        largest: size in bytes that the unpacked arrays may have.

    Raises:
        JambaTalkError: of class `error`, where the file is missing, damaged, too large, or holds
            pickled objects.
    """
    try:
        with ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > largest:
            raise ValueError(f"its arrays take {size} bytes; {largest} are allowed")
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except FileNotFoundError as cause:
        raise unreadable(path, cause, error) from cause
    except Exception as cause:  # zipfile, zlib, struct and NumPy each raise their own
        raise error(f"'{path}' is not {kind}, or is damaged ({cause}).", cure) from cause
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):  # an entry that is not .npy comes as bytes
            raise error(f"'{path}' is not {kind}: its entry '{name}' is not an array.", cure)
    return arrays


def unreadable(
    path: str | Path, cause: Exception, error: type[JambaTalkError] = DataError
) -> JambaTalkError:
    """Make the error for a file that is damaged or missing."""
    if isinstance(cause, FileNotFoundError):
        return error(f"There is no file '{path}'.", origin(Path(path)))
    return error(f"{path} cannot be read ({cause}).", "Copy or download it again.")
