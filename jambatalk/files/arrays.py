"""NumPy arrays in files from outside, of which nothing is unpickled.

Sizes are compared with what the file holds before memory is taken for them.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import IO
from zipfile import ZipFile, ZipInfo

import numpy as np

from jambatalk.errors import DataError, JambaTalkError, brief
from jambatalk.files.regular import COPY_AGAIN, LARGEST, check_file, damaged

KINDS = "biufUS"  # kinds of dtype: true or false, numbers, text
ENTRIES = 10_000  # of an .npz
RATIO, FREE = 100, 64 << 20  # unpacked bytes for each packed one, and beside them
LONGEST = 1 << 32  # of a shape's numbers, which may be anything beside a 0
PIECE = 1 << 20  # bytes unpacked at a time
ENCRYPTED = 1  # flag of an entry


def open_array(path: str | Path, error: type[JambaTalkError] = DataError) -> np.ndarray:
    """Map the array of an .npy file into memory: only the parts in use are read.

    Raises:
        JambaTalkError: of class `error`, where the file is missing, damaged, or not an array of
            numbers.
    """
    size = check_file(path, error, "an .npy file")
    try:
        with open(path, "rb") as file:
            shape, fortran, dtype = _header(file, size)
            start = file.tell()
        if dtype.kind not in "iuf":
            raise error(f"'{path}' is not an array of numbers.", "Save it with numpy.save.")
        if not math.prod(shape):
            return np.zeros(shape, dtype)
        return np.memmap(path, dtype, "r", start, shape, "F" if fortran else "C")
    except JambaTalkError:
        raise
    except Exception as cause:  # NumPy raises OSError, ValueError, EOFError, SyntaxError, ...
        raise damaged(path, cause, error, "an .npy file") from cause


def read_npz(
    path: str | Path,
    error: type[JambaTalkError] = DataError,
    kind: str = "an .npz file",
    cure: str = COPY_AGAIN,
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
            anything but arrays of numbers or text.
    """
    packed = check_file(path, error, kind, cure)
    try:
        with ZipFile(path) as archive:
            entries = archive.infolist()
            _check_entries(entries, min(largest, FREE + RATIO * packed))
            return {
                entry.filename.removesuffix(".npy"): _read_entry(archive, entry)
                for entry in entries
            }
    except Exception as cause:  # zipfile, zlib, struct and NumPy each raise their own
        raise damaged(path, cause, error, kind, cure) from cause


def _check_entries(entries: list[ZipInfo], largest: int) -> None:
    if len(entries) > ENTRIES:
        raise ValueError(f"it has {len(entries)} entries; {ENTRIES} are allowed")
    size = sum(entry.file_size for entry in entries)
    if size > largest:
        raise ValueError(f"its arrays take {size} bytes; {largest} are allowed")
    if len({entry.filename for entry in entries}) < len(entries):
        raise ValueError("an entry is in it twice")
    for entry in entries:
        if not entry.filename.endswith(".npy"):
            raise ValueError(f"its entry '{brief(entry.filename)}' is not an array")
        if entry.flag_bits & ENCRYPTED:
            raise ValueError("it is encrypted")


def _read_entry(archive: ZipFile, entry: ZipInfo) -> np.ndarray:
    with archive.open(entry) as file:
        shape, fortran, dtype = _header(file, entry.file_size)
        flat = np.empty(math.prod(shape), dtype)
        raw = flat.view(np.uint8)
        for start in range(0, len(raw), PIECE):
            piece = raw[start : start + PIECE]
            if file.readinto(piece) != len(piece):  # type: ignore[attr-defined]
                raise EOFError(f"its array '{brief(entry.filename)}' is cut short")
        file.read(1)  # compares the checksum
    return flat.reshape(shape, order="F" if fortran else "C")


def _header(file: IO[bytes], size: int) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Read the header of an .npy of `size` bytes: shape, whether in Fortran's order, type.

    Raises:
        ValueError: the data are not those of the header, or of another kind than `KINDS`.
    """
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"an array of the format {version}")
    read = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}
    shape, fortran, dtype = read[version[0]](file)
    if dtype.kind not in KINDS or dtype.fields or dtype.subdtype or not dtype.itemsize:
        raise ValueError(f"an array of {brief(dtype)}")
    if min(shape, default=0) < 0:
        raise ValueError(f"an array of the shape {brief(shape)}")
    expected, found = math.prod(shape) * dtype.itemsize, size - file.tell()
    if expected != found or max(shape, default=0) > LONGEST:
        raise ValueError(f"an array of the shape {brief(shape)} with {found} bytes")
    return shape, fortran, dtype
