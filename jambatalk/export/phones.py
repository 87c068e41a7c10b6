"""Recognised phones as Praat's TextGrid or as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from jambatalk.errors import ExportError
from jambatalk.files.unfinished import whole_file
from jambatalk.model.phones import TimedPhone

SUFFIXES = (".TextGrid", ".json")


def check_phones_name(path: Path) -> None:
    """Raise an ExportError unless the path has one of `SUFFIXES`."""
    if path.suffix.lower() not in map(str.lower, SUFFIXES):
        raise ExportError(
            f"'{path}' is not a name for phones.", f"End it with {' or '.join(SUFFIXES)}."
        )


def export_phones(phones: Sequence[TimedPhone], path: str | Path) -> Path:
    """Write phones to a file, `.TextGrid` for Praat or `.json`, [{"phone", "start", "end"}, ...].

    Raises:
        ExportError: another suffix, no phones, or a file that cannot be written.
    """
    path = Path(path)
    check_phones_name(path)
    if not phones:
        raise ExportError("There are no phones.")
    rows = [{"phone": one.name, "start": one.start, "end": one.end} for one in phones]
    text = json.dumps(rows, indent=1) if path.suffix.lower() == ".json" else text_grid(phones)
    with whole_file(path, ExportError) as unfinished:
        unfinished.write_text(text + "\n", encoding="utf-8")
    return path


def text_grid(phones: Sequence[TimedPhone]) -> str:
    """Return a TextGrid with one tier, "phones"; silence is empty."""
    end = phones[-1].end
    lines = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {end:.4f}",
        "tiers? <exists>",
        "size = 1",
        "item []:",
        "    item [1]:",
        '        class = "IntervalTier"',
        '        name = "phones"',
        "        xmin = 0",
        f"        xmax = {end:.4f}",
        f"        intervals: size = {len(phones)}",
    ]
    for number, phone in enumerate(phones, 1):
        lines += [
            f"        intervals [{number}]:",
            f"            xmin = {phone.start:.4f}",
            f"            xmax = {phone.end:.4f}",
            f'            text = "{"" if phone.name == "SIL" else phone.name}"',
        ]
    return "\n".join(lines)
