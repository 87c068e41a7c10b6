"""Classes of phones that the lips show, and files of phones with their times."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jambatalk.errors import DataError
from jambatalk.files.plain import read_json, read_text
from jambatalk.files.regular import damaged
from jambatalk.model.phones import TimedPhone

# ARPAbet; AO is open and rounded, and counted where the lips differ most from other phones
CLASSES = {
    "bilabial": frozenset({"P", "B", "M"}),
    "labiodental": frozenset({"F", "V"}),
    "rounded": frozenset({"UW", "UH", "OW", "W", "AO"}),
    "open": frozenset({"AA", "AE", "AW", "AY"}),
}
KIND = "a file of phones"
CURE = "Write them with 'jambatalk phones', or align them in ARPAbet."
TIER = r'name\s*=\s*"{}"(.*?)(?=\n\s*class\s*=|\Z)'
INTERVAL = re.compile(r'xmin\s*=\s*(\S+)\s+xmax\s*=\s*(\S+)\s+text\s*=\s*"([^"]*)"')


def read_phones(path: Path) -> list[TimedPhone]:
    """Read phones with their times.

    Args:
        path: `.json`, as `jambatalk phones` writes it, or a TextGrid with a tier "phones", as
            Praat and the Montreal Forced Aligner write it. Numbers of stress are dropped.

    Raises:
        DataError: no such file, or none of phones in ARPAbet.
    """
    if path.suffix.lower() == ".json":
        rows = read_json(path, kind=KIND, cure=CURE)
    else:
        rows = [
            {"start": start, "end": end, "phone": name}
            for start, end, name in read_tier(path, "phones", KIND, CURE)
        ]
    try:
        phones = [
            TimedPhone(str(row["phone"]).rstrip("012"), float(row["start"]), float(row["end"]))
            for row in rows
        ]
    except (TypeError, KeyError, ValueError) as error:
        raise damaged(path, error, kind=KIND, cure=CURE) from error
    if not any(phone.name in members for phone in phones for members in CLASSES.values()):
        raise DataError(f"{path} names no phone in ARPAbet.", CURE)
    return phones


def read_tier(path: Path, name: str, kind: str, cure: str) -> list[tuple[str, str, str]]:
    """Read start, end and text of the intervals of a TextGrid's tier; none without that tier.

    Raises:
        DataError: no such file, or it is not a text; `kind` and `cure` are for the message.
    """
    tier = re.search(TIER.format(name), read_text(path, kind=kind, cure=cure), re.DOTALL)
    return INTERVAL.findall(tier[1] if tier else "")


def class_errors(errors: np.ndarray, phones: Sequence[TimedPhone], fps: float) -> dict[str, float]:
    """Average the error of each frame over the phones of each class: class → its unit.

    Args:
        errors: (T,), such as :func:`jambatalk.evaluate.metrics.largest_lip_error`.
        phones: with their times; frame t belongs to the phone that contains t / fps.

    Returns:
        The mean over the frames of :data:`CLASSES`; NaN for a class without a frame.
    """
    times = np.arange(len(errors)) / fps
    means = {}
    for name, members in CLASSES.items():
        inside = np.zeros(len(errors), bool)
        for phone in phones:
            if phone.name in members:
                inside |= (times >= phone.start) & (times < phone.end)
        means[name] = float(errors[inside].mean()) if inside.any() else float("nan")
    return means
