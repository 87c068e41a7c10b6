"""Acoustic detection of the lip closures of P, B and M.

A forced aligner is accurate to 10-20 ms on phone boundaries but does not say when within a phone
the lips are closed: the aspiration of a P comes through open lips. Closed lips remove the energy
above the murmur of the nose and throat, so a closure is the dip of the level between 0.6 and 5 kHz
near the phone, from half its depth (in decibels) to half its depth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.signal import butter, sosfilt

from jambatalk.speech import SAMPLE_RATE
from recipes.checkpoint.corpus.phones import BILABIALS, SILENCE, Phone

BAND = (600.0, 5000.0)  # Hz
STEP = 0.004  # seconds between two values of the level
WINDOW = 0.012  # seconds averaged for each
SEARCH = 0.03  # seconds beyond the phone in which the dip is searched
SHOULDER = 0.09  # seconds from the dip within which the level peaks on either side
DEEP = 6.0  # decibels: a shallower dip is not a closure
SHORT, LONG = 0.025, 0.2  # seconds: limits of the duration of a closure
BEFORE_BURST = 0.09  # seconds of closure assumed before a burst that follows a pause


def detect_closures(samples: np.ndarray, phones: Sequence[Phone]) -> list[Phone]:
    """Add to each P, B and M the closure found in (n,) samples at 16 kHz, if any."""
    level = loudness(samples)
    result = list(phones)
    for i, phone in enumerate(phones):
        if phone.name in BILABIALS:
            after_pause = i == 0 or phones[i - 1].name == SILENCE
            before_pause = i + 1 == len(phones) or phones[i + 1].name == SILENCE
            result[i] = replace(phone, closure=_closure(level, phone, after_pause, before_pause))
    return result


def loudness(samples: np.ndarray) -> np.ndarray:
    """Measure the level of the band in decibels: (t,), value i at i·STEP seconds."""
    band = sosfilt(butter(4, BAND, "bandpass", fs=SAMPLE_RATE, output="sos"), samples)
    width, step = round(WINDOW * SAMPLE_RATE), round(STEP * SAMPLE_RATE)
    padded = np.pad(band**2, (width // 2, width))
    total = np.concatenate([[0.0], np.cumsum(padded)])
    starts = np.arange(0, len(samples), step)
    power = (total[starts + width] - total[starts]) / width
    return 10 * np.log10(np.maximum(power, 1e-9))


def _closure(
    level: np.ndarray, phone: Phone, after_pause: bool, before_pause: bool
) -> tuple[float, float] | None:
    """Find the closure of one phone in the level: start and end in seconds."""

    def at(seconds: float) -> int:
        return int(np.clip(round(seconds / STEP), 0, len(level) - 1))

    first, last = at(phone.start - SEARCH), at(phone.end + SEARCH)
    if last - first < 3:
        return None
    if after_pause:  # the pause is as quiet: only the release is audible
        first = at(phone.start)
    if before_pause:
        last = at(phone.end)
    dip = first + int(np.argmin(level[first : last + 1]))
    reach = round(SHOULDER / STEP)
    left = level[max(0, dip - reach) : dip + 1]
    right = level[dip : dip + reach + 1]
    before = None if after_pause else _crossing(left[::-1])
    after = None if before_pause else _crossing(right)
    if after_pause and after is not None:
        start = (dip + after - round(BEFORE_BURST / STEP)) * STEP
        end = (dip + after) * STEP
    elif before_pause and before is not None:
        start = (dip - before) * STEP
        end = min(max(phone.end, start + SHORT), start + BEFORE_BURST)
    elif before is not None and after is not None:
        start, end = (dip - before) * STEP, (dip + after) * STEP
    else:
        return None
    if not SHORT <= end - start <= LONG:
        return None
    return max(0.0, start), end


def _crossing(flank: np.ndarray) -> int | None:
    """Return the steps from the dip, flank[0], to half its height; None if it is too shallow."""
    height = flank.max() - flank[0]
    if height < DEEP:
        return None
    return int(np.argmax(flank > flank[0] + height / 2))
