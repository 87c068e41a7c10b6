"""JSON from outside: plain values, bounded in size, nesting and numbers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from jambatalk.errors import DataError, JambaTalkError
from jambatalk.files.regular import COPY_AGAIN, damaged, read_file

LARGEST_TEXT = 4 << 20  # bytes; values take up to twenty times as much
DEEPEST = 32  # lists and objects in each other
LARGEST_INTEGER = 2**63 - 1


def read_json(
    path: str | Path,
    error: type[JambaTalkError] = DataError,
    kind: str = "a JSON file",
    cure: str = COPY_AGAIN,
    largest: int = LARGEST_TEXT,
) -> Any:
    """Read the plain values of a JSON file.

    Args:
        error: class of the error to raise.
        kind: what the file should be, for the message.
        cure: what to do, for the message.
        largest: size in bytes that it may have.

    Raises:
        JambaTalkError: of class `error`, where the file is missing, too large, not UTF-8 or JSON,
            or holds numbers or texts that are none; or lists nested too deeply.
    """
    text = read_text(path, error, kind, cure, largest)
    try:
        return parse_json(text)
    except ValueError as cause:
        raise damaged(path, cause, error, kind, cure) from cause


def parse_json(text: str) -> Any:
    """Parse JSON as plain values; raises a ValueError that says what is wrong."""
    try:
        return checked_plain(json.loads(text, parse_constant=_refuse))
    except RecursionError as cause:
        raise ValueError("nested too deeply") from cause


def read_text(
    path: str | Path,
    error: type[JambaTalkError] = DataError,
    kind: str = "a text file",
    cure: str = COPY_AGAIN,
    largest: int = LARGEST_TEXT,
) -> str:
    """Read a text file in UTF-8; arguments and errors are those of :func:`read_json`."""
    raw = read_file(path, error, kind, cure, largest)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        reason = f"byte {cause.start} is not UTF-8"
        raise damaged(path, reason, error, kind, cure) from cause


def checked_plain(value: Any) -> Any:
    """Return plain values; raise a ValueError unless they can be used, shown and written again."""
    parts = [value]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for part in parts:
            if isinstance(part, dict):
                below += [*part.keys(), *part.values()]
            elif isinstance(part, list):
                below += part
            else:
                _check_scalar(part)
        if not below:
            return value
        parts = below
    raise ValueError(f"values nested more than {DEEPEST} times")


def _check_scalar(value: Any) -> None:
    if isinstance(value, str):
        value.encode()  # half a character, which no file and no screen takes, is a ValueError
    elif isinstance(value, int):
        if abs(value) > LARGEST_INTEGER:
            raise ValueError("a whole number that is too large")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a number that is too large, or none")
    elif value is not None:  # YAML has dates and sets
        raise ValueError(f"a {type(value).__name__}")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")
