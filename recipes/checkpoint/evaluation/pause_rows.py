"""Rows of the benchmark table: lips before, between and after phrases, predicted and captured.

A pause is a silence of over 0.3 s between phones or at an end of the recording.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from jambatalk.evaluate.curve_metrics import CLOSED, at_times
from recipes.checkpoint.corpus.phones import SILENCE, VOWELS, Phone
from recipes.checkpoint.evaluation.benchmark_table import NAN, Row
from recipes.checkpoint.evaluation.phone_statistics import (
    LONG_PAUSE,
    PAUSE_EDGE,
    TIME_STEP,
    PhoneStatistics,
    relative,
)
from recipes.checkpoint.evaluation.tracked_speech import APERTURE, LipPair

PARTED = 0.001  # metres
BEFORE = 1.0  # seconds before the first sound from which on parting lips are looked for

Measure = Callable[[np.ndarray, float, Sequence[Phone]], list[float]]  # aperture (t,), fps, phones


def pause_rows(sets: Mapping[str, Sequence[LipPair]], eyes: float) -> list[Row]:
    """Compare predicted with captured lips in pauses.

    Args:
        sets: what was recorded → recordings. Values are those of the first set, the others' are in
            the note.
        eyes: the unit of lips in metres, the distance of the eye corners.
    """

    def part(aperture: np.ndarray, fps: float, phones: Sequence[Phone]) -> list[float]:
        return parting_leads(aperture * eyes, fps, phones)

    return [
        _row("pauses", "lips closed from 0.3 s into a pause on", "%", 1, sets, closed_frames),
        _row(
            "closing", "lips close after the last sound by, median", "ms", 0, sets, closing_delays
        ),
        _row("parting", "lips part before the first sound by, median", "ms", 0, sets, part),
    ]


def closed_frames(aperture: np.ndarray, fps: float, phones: Sequence[Phone]) -> list[float]:
    """Return 100 for each frame of a pause with closed lips, 0 for each other.

    Frames are those of :attr:`PhoneStatistics.pauses`.
    """
    statistics = PhoneStatistics()
    statistics.add(aperture, fps, phones)
    return [100.0 * (value <= CLOSED) for value in statistics.pauses]


def closing_delays(aperture: np.ndarray, fps: float, phones: Sequence[Phone]) -> list[float]:
    """Return how long after the sound before each pause lips close, ms; inf if they do not.

    Negative where they close within the second half of that sound.
    """
    delays, aperture = [], relative(aperture)
    for number in _pauses(phones):
        if number > 0:
            pause = phones[number]
            times = np.arange(phones[number - 1].middle, pause.end, TIME_STEP)
            closed = times[at_times(aperture, fps, times) <= CLOSED]
            delays.append(1e3 * (closed[0] - pause.start) if len(closed) else math.inf)
    return delays


def parting_leads(aperture: np.ndarray, fps: float, phones: Sequence[Phone]) -> list[float]:
    """Return how long before the sound after each pause lips part by 1 mm, ms.

    They are followed from where they first close in the pause, at most a second before the sound,
    to the end of the first vowel. Lips that stay parted all along count from the start. Parted is
    1 mm above the recording's 5th percentile.

    Args:
        aperture: (t,) metres.
    """
    leads, rest = [], np.percentile(aperture, 5)
    for number in _pauses(phones):
        following = phones[number + 1 :]
        vowels = [phone for phone in following if phone.name in VOWELS]
        if vowels:
            sound = following[0].start
            first = max(phones[number].start, sound - BEFORE)
            times = np.arange(first, vowels[0].end, TIME_STEP)
            parted = at_times(aperture, fps, times) - rest >= PARTED
            closed = np.flatnonzero(~parted & (times < sound - PAUSE_EDGE))
            start = closed[0] if len(closed) else 0
            leads += [1e3 * (sound - time) for time in times[start:][parted[start:]][:1].tolist()]
    return leads


def _pauses(phones: Sequence[Phone]) -> Iterator[int]:
    """Yield the numbers of the silences of over 0.3 s."""
    for number, phone in enumerate(phones):
        if phone.name == SILENCE and phone.duration > LONG_PAUSE:
            yield number


def _row(
    key: str,
    metric: str,
    unit: str,
    digits: int,
    sets: Mapping[str, Sequence[LipPair]],
    measure: Measure,
) -> Row:
    """Make a row without bounds: what people do is beside it."""
    statistic = np.mean if unit == "%" else np.median
    values: dict[str, tuple[float, float, int]] = {}
    for name, pairs in sets.items():
        whole = [pair for pair in pairs if not np.isnan(pair.target).any()]
        pred, captured = (
            [x for p in whole for x in measure(getattr(p, kind)[:, APERTURE], p.fps, p.phones)]
            for kind in ("pred", "target")
        )
        found = [float(statistic(x)) if x else NAN for x in (pred, captured)]
        values[name] = found[0], found[1], len(captured)
    (first, (value, captured_value, count)), *others = values.items()
    row = Row(
        key=key,
        metric=metric,
        value=value,
        unit=unit,
        digits=digits,
        captured=captured_value,
        sample=f"{count} {'frames' if unit == '%' else 'pauses'} of {first}",
    )
    notes = [f"{name} {row.format(x)} (captured {row.format(y)})" for name, (x, y, _) in others]
    return replace(row, note=", ".join(notes))
