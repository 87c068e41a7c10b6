"""Tables of comma-separated values from outside."""

from __future__ import annotations

import csv
import io
from itertools import islice
from pathlib import Path

from jambatalk.errors import DataError, JambaTalkError, brief
from jambatalk.files.plain import read_text
from jambatalk.files.regular import COPY_AGAIN, damaged

LARGEST = 64 << 20  # bytes
MAX_ROWS, MAX_COLUMNS, MAX_CELLS = 500_000, 1000, 20_000_000


def read_table(
    path: str | Path,
    error: type[JambaTalkError] = DataError,
    kind: str = "a table (.csv)",
    cure: str = COPY_AGAIN,
) -> tuple[list[str], list[list[str]]]:
    """Read the header, its names stripped, and the rows that are not empty.

    Args:
        error: class of the error to raise.
        kind: what the file should be, for the message.
        cure: what to do, for the message.

    Raises:
        JambaTalkError: of class `error`, where the file is missing, too large, not UTF-8, or no
            table: without a header, or with a name in it twice.
    """
    text = read_text(path, error, kind, cure, LARGEST)
    try:
        lines = csv.reader(io.StringIO(text, newline=""))
        header = [name.strip() for name in next(lines, [])]
        if not header or len(header) > MAX_COLUMNS:
            raise ValueError(f"it has {len(header)} columns; 1 to {MAX_COLUMNS} are allowed")
        named = [name for name in header if name]
        if twice := next((name for name in named if named.count(name) > 1), None):
            raise ValueError(f"the column '{brief(twice)}' is in it twice")
        rows = [row for row in islice(lines, MAX_ROWS + 1) if row]
        if len(rows) > MAX_ROWS or len(rows) * len(header) > MAX_CELLS:
            raise ValueError(f"it has {len(rows)} rows or more of {len(header)} columns")
    except (ValueError, csv.Error) as cause:
        raise damaged(path, cause, error, kind, cure) from cause
    return header, rows


def column(rows: list[list[str]], number: int) -> list[str]:
    """Return the cells of a column, "" where a row is too short for it."""
    return [row[number] if number < len(row) else "" for row in rows]
