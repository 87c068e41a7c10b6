"""When lips are closed, heard: the sound's own closures of P, B and M.

An aligner says to 10-20 ms where a phone is, not where in it the lips are closed: what follows a
closed P is a puff of air through open lips. Closed lips take the sound away above the murmur of
nose and throat, so the closure is the dip of the energy between 0.6 and 5 kHz beside the phone,
from half way down (in decibels) to half way up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.signal import butter, sosfilt

from jambatalk.speech import SAMPLE_RATE
from recipes.checkpoint.corpus.phones import BILABIALS, SILENCE, Phone

BAND = (600.0, 5000.0)  # Hz
STEP = 0.004  # seconds between measures of the level
WINDOW = 0.012  # seconds of each
SEARCH = 0.03  # seconds beyond the phone in which its dip may lie
SHOULDER = 0.09  # seconds from the dip within which its neighbours are at their loudest
DEEP = 6.0  # decibels: what is less deep is no closure
SHORT, LONG = 0.025, 0.2  # seconds: what is shorter or longer is something else
BEFORE_BURST = 0.09  # seconds that lips are closed before the first sound after a pause


def detect_closures(samples: np.ndarray, phones: Sequence[Phone]) -> list[Phone]:
    """The same phones; P, B and M carry the closure that (n,) samples at 16 kHz show, if any."""
    level = loudness(samples)
    heard = list(phones)
    for i, phone in enumerate(phones):
        if phone.name in BILABIALS:
            after_pause = i == 0 or phones[i - 1].name == SILENCE
            before_pause = i + 1 == len(phones) or phones[i + 1].name == SILENCE
            heard[i] = replace(phone, closure=_closure(level, phone, after_pause, before_pause))
    return heard


def loudness(samples: np.ndarray) -> np.ndarray:
    """Level of the band every `STEP` seconds, decibels: (t,), t at t·STEP."""
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
    def at(seconds: float) -> int:
        return int(np.clip(round(seconds / STEP), 0, len(level) - 1))

    first, last = at(phone.start - SEARCH), at(phone.end + SEARCH)
    if last - first < 3:
        return None
    if after_pause:  # the pause is as silent: only the release is heard
        first = at(phone.start)
    if before_pause:
        last = at(phone.end)
    dip = first + int(np.argmin(level[first : last + 1]))
    reach = round(SHOULDER / STEP)
    left = level[max(0, dip - reach) : dip + 1]
    right = level[dip : dip + reach + 1]
    start = None if after_pause else _crossing(left[::-1])
    end = None if before_pause else _crossing(right)
    if after_pause and end is not None:
        start = (dip + end) - round(BEFORE_BURST / STEP)
        start, end = start * STEP, (dip + end) * STEP
    elif before_pause and start is not None:
        start = (dip - start) * STEP
        end = min(max(phone.end, start + SHORT), start + BEFORE_BURST)
    elif start is not None and end is not None:
        start, end = (dip - start) * STEP, (dip + end) * STEP
    else:
        return None
    if not SHORT <= end - start <= LONG:
        return None
    return max(0.0, start), end


def _crossing(flank: np.ndarray) -> int | None:
    """Steps from the dip (the first of `flank`) to half way up its side; None for a flat one."""
    height = flank.max() - flank[0]
    if height < DEEP:
        return None
    return int(np.argmax(flank > flank[0] + height / 2))
