"""Vocal arousal: how lively a voice is, from its pitch, loudness and rate.

A rule, fitted to nothing. In reviews of acted and spontaneous speech, arousal raises pitch, its
range, loudness and rate (Scherer, Speech Communication 40, 2003; Juslin and Laukka, Psychological
Bulletin 129, 2003). Whether a voice is pleased or not is in none of them: the rule does not guess.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from jambatalk.motion.curves import Glide
from jambatalk.motion.nonverbal.prosody import Prosody
from jambatalk.motion.nonverbal.voice_features import RATE

RECENT = 2.5  # seconds of speech that are judged
USUAL = 10.0  # seconds of speech with whose median pitch and loudness they are compared
FEWEST = 0.6  # seconds of speech without which nothing is judged
# The usual value of each feature, and how far above it counts as one; the last two by our voices.
PITCH = 3.0  # semitones above the voice's median
LOUDNESS = 0.15  # above the voice's median, of the range between threshold and loudest
RANGE, RANGE_SPREAD = 3.5, 2.0  # standard deviation of pitch, semitones
SYLLABLES, SYLLABLES_SPREAD = 5.0, 1.5  # peaks of loudness a second
SMOOTH = 0.12  # seconds over which a peak of loudness reaches
FOLLOW = 1.0  # seconds
EVERY = 0.4  # seconds between two judgements


class VocalArousal:
    """A course from -1, calm, through 0, usual or silent, to 1, lively."""

    def __init__(self) -> None:
        self._course = Glide(np.zeros(1))
        self._usual: deque[tuple[float, float]] = deque(maxlen=round(USUAL * RATE))
        self._next = 0.0

    def step(self, prosody: Prosody, earliest: float) -> None:
        """Follow the voice, not before the time `earliest`."""
        spoken = prosody.speaking
        self._usual.extend(zip(prosody.pitch[spoken], prosody.loudness[spoken], strict=True))
        if prosody.end / RATE < self._next:
            return
        self._next = prosody.end / RATE + EVERY
        self._course.move(earliest, FOLLOW, np.array([self._judge() if spoken.any() else 0.0]))

    def _judge(self) -> float:
        """Judge the last seconds of speech, -1 to 1."""
        if len(self._usual) < FEWEST * RATE:
            return 0.0
        pitch, loudness = np.array(self._usual).T
        recent = slice(-round(RECENT * RATE), None)
        scores = [
            (loudness[recent].mean() - np.median(loudness)) / LOUDNESS,
            (_syllables(loudness[recent]) - SYLLABLES) / SYLLABLES_SPREAD,
        ]
        voiced = np.isfinite(pitch)
        if voiced[recent].sum() >= FEWEST * RATE / 2:
            now = pitch[recent][voiced[recent]]
            scores.append((np.median(now) - np.median(pitch[voiced])) / PITCH)
            middle = np.subtract(*np.percentile(now, [84, 16])) / 2  # as robust as a median
            scores.append((middle - RANGE) / RANGE_SPREAD)
        return float(np.tanh(np.mean(scores)))

    def at(self, time: np.ndarray) -> np.ndarray:
        """Evaluate (T,)."""
        return self._course.at(time)[:, 0]

    def forget(self, before: float) -> None:
        """Drop what is over."""
        self._course.forget(before)


def _syllables(loudness: np.ndarray) -> float:
    """Count peaks of loudness (n,) a second."""
    width = round(SMOOTH * RATE)
    smooth = np.convolve(loudness, np.hanning(width) / np.hanning(width).sum(), mode="same")
    inner = smooth[1:-1]
    peaks = (inner > smooth[:-2]) & (inner >= smooth[2:]) & (inner > smooth.mean() / 2)
    return np.count_nonzero(peaks) / (len(loudness) / RATE)
