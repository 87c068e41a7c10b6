"""Blinks: when, and how the lids move."""

from __future__ import annotations

import numpy as np

from jambatalk.motion.nonverbal.curves import bumps
from jambatalk.motion.nonverbal.prosody import Prosody

# Mean seconds from blink to blink. People blink 26 times a minute in conversation, 17 at rest
# (Bentivoglio et al., Movement Disorders 12, 1997); 95 % of adults 10.5 to 32.5 and 8 to 21
# (Doughty, Optometry and Vision Science 78, 2001). A little less is looked at with more ease.
SPEAKING, RESTING = 60 / 22, 60 / 15
REST = 2.0  # seconds of pause that are rest
# Of the logarithm of the interval: many short ones, few long, as all have found since Ponder and
# Kennedy (Quarterly Journal of Experimental Physiology 18, 1927).
SPREAD = 0.6
SHORTEST = 0.6  # seconds from blink to blink
# Speakers blink where a phrase ends and in pauses (Nakano and Kitazawa, Experimental Brain
# Research 205, 2010), and with large movements of the eyes (Evinger et al., Experimental Brain
# Research 100, 1994).
EARLY, LATE = 0.9, 1.2  # seconds by which a blink is moved to such a moment
DRAWN = 0.8  # how often it is
# The lid closes in about 0.1 s (Stern, Walrath and Goldstein, Psychophysiology 21, 1984), and opens
# more slowly (Sforza et al., Ophthalmic and Physiological Optics 28, 2008).
CLOSING, CLOSED, OPENING = 0.085, 0.042, 0.16  # seconds; CLOSED spans a frame at 24 a second
VARIES = 0.15  # sd of their logarithm, the same for all of a blink


def closure(
    time: np.ndarray, prosody: Prosody, shifts: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """How far the lids are closed, (T,) from 0 to 1.

    Args:
        shifts: when the eyes turn far, seconds.
    """
    starts = moments(prosody, shifts, rng)
    slow = np.exp(VARIES * rng.standard_normal(len(starts)))
    closing, opening = CLOSING * slow, OPENING * slow
    closed = CLOSED * np.maximum(slow, 1.0)
    whole = starts + closing + closed + opening < prosody.seconds  # none is cut off at the end
    curve = bumps(time, starts + closing, whole.astype(float), closing, closed, opening)
    return np.minimum(curve, 1.0)


def moments(prosody: Prosody, shifts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """When the lids begin to close, seconds."""
    ends = prosody.inner_pauses[:, 0]
    ends = ends + rng.uniform(0.0, 0.2, len(ends))
    drawing = np.sort(np.concatenate([ends, shifts]))
    long = prosody.pauses[np.diff(prosody.pauses)[:, 0] > REST]
    found: list[float] = []
    now = 0.0
    while True:
        around = np.searchsorted(long[:, 0], now, side="right") - 1
        rests = around >= 0 and now < long[around, 1]
        mean = RESTING if rests else SPEAKING
        wait = mean * np.exp(SPREAD * rng.standard_normal() - SPREAD**2 / 2)
        if not found:
            wait *= rng.uniform()  # nobody knows when the last one was
        at = now + max(wait, SHORTEST)
        near = drawing[(drawing > max(at - EARLY, now + SHORTEST)) & (drawing < at + LATE)]
        if len(near) and rng.uniform() < DRAWN:
            at = near[np.abs(near - at).argmin()]
        if at >= prosody.seconds:
            return np.array(found)
        found.append(float(at))
        now = at
