"""Files from strangers: regular ones alone, and no larger than they may be.

A pipe or a device never ends, so that each reader of a kind of file begins here.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TypeVar

from jambatalk.errors import DataError, JambaTalkError, brief
from jambatalk.files.origins import origin

Error = TypeVar("Error", bound=JambaTalkError)
LARGEST = 4 << 30  # bytes
COPY_AGAIN = "Copy or save it again."


def read_file(
    path: str | Path,
    error: type[JambaTalkError] = DataError,
    kind: str = "a file of this kind",
    cure: str = COPY_AGAIN,
    largest: int = LARGEST,
) -> bytes:
    """Read the bytes of a regular file.

    Args:
        error: class of the error to raise.
        kind: what the file should be, for the message.
        cure: what to do, for the message.
        largest: size in bytes that it may have.

    Raises:
        JambaTalkError: of class `error`, where there is none, it is no regular file, is larger, or
            cannot be read.
    """
    size = check_file(path, error, kind, cure, largest)
    try:
        with open(path, "rb") as file:
            return file.read(size)
    except OSError as cause:
        raise damaged(path, cause, error, kind, cure) from cause


def check_file(
    path: str | Path,
    error: type[JambaTalkError] = DataError,
    kind: str = "a file of this kind",
    cure: str = COPY_AGAIN,
    largest: int = LARGEST,
) -> int:
    """Return the size of a file in bytes; arguments and errors are those of :func:`read_file`."""
    try:
        state = os.stat(path)
    except FileNotFoundError as cause:
        raise error(f"There is no file '{path}'.", origin(Path(path))) from cause
    except (OSError, ValueError) as cause:  # ValueError: a NUL in the name
        raise damaged(path, cause, error, kind, cure) from cause
    if stat.S_ISDIR(state.st_mode):
        raise error(f"'{path}' is a folder, not {kind}.", "Give the file itself.")
    if not stat.S_ISREG(state.st_mode):
        raise error(f"'{path}' is a device or a pipe, not {kind}.", "Copy it into a file first.")
    if state.st_size > largest:
        raise error(
            f"'{path}' is too large for {kind}: it has {state.st_size} bytes; {largest} are "
            "allowed.",
            cure,
        )
    return state.st_size


def damaged(
    path: str | Path,
    cause: object,
    error: type[Error] = DataError,  # type: ignore[assignment]
    kind: str = "a file of this kind",
    cure: str = COPY_AGAIN,
) -> Error:
    """Make the error for a file that is not what it should be; `cause` is an exception or text."""
    if isinstance(cause, OSError) and cause.strerror:
        cause = cause.strerror
    elif isinstance(cause, RecursionError):
        cause = "nested too deeply"
    elif isinstance(cause, MemoryError):
        cause = "there is not enough memory for it"
    reason = brief(cause).rstrip(".") or type(cause).__name__
    return error(f"'{path}' is not {kind}, or is damaged ({reason}).", cure)
