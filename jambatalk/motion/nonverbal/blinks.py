"""Blinks: when, and how the lids move."""

from __future__ import annotations

import numpy as np

from jambatalk.motion.curves import Bumps
from jambatalk.motion.nonverbal.prosody import Prosody
from jambatalk.motion.nonverbal.voice_features import RATE

# Mean seconds from blink to blink. People blink 26 times a minute in conversation, 17 at rest
# (Bentivoglio et al., Movement Disorders 12, 1997); 95 % of adults 10.5 to 32.5 and 8 to 21
# (Doughty, Optometry and Vision Science 78, 2001). A little less distracts less; and cues, at which
# blinks come early, add about two a minute to this.
SPEAKING, RESTING = 60 / 20, 60 / 15
REST = 2.0  # seconds of pause after which the speaker rests
# Many intervals are short and few long (Ponder and Kennedy, Quarterly Journal of Experimental
# Physiology 18, 1927).
SPREAD = 0.6  # sd of the logarithm of the interval
SHORTEST = 0.6  # seconds from blink to blink
# Speakers blink where a phrase ends and in pauses (Nakano and Kitazawa, Experimental Brain
# Research 205, 2010), and with large movements of the eyes (Evinger et al., Experimental Brain
# Research 100, 1994). In the speech that was measured (`benchmarks/head_motion.py`) they do so at
# the edges of phrases, mostly where the next one begins.
EARLY, LATE = 1.6, 0.6  # seconds by which a blink moves to such a cue
DRAWN = 0.9  # probability that a blink moves to a cue near it
AT_END = 0.5  # chance that it does at the end of a phrase, rather than the next one's beginning
AFTER_EDGE = 0.2  # seconds, at most
# The lid closes in about 0.1 s (Stern, Walrath and Goldstein, Psychophysiology 21, 1984), and opens
# more slowly (Sforza et al., Ophthalmic and Physiological Optics 28, 2008).
CLOSING, CLOSED, OPENING = 0.085, 0.042, 0.16  # seconds; CLOSED spans a frame at 24 a second
VARIES = 0.15  # sd of the logarithm of these durations, which vary together


class Blinks:
    """The lids' motion."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._curve = Bumps()
        self._cues: list[float] = []  # edges of phrases and far glances, seconds
        self._spoke = False
        self._pause = 0.0  # start of the pause, or the present while the voice speaks
        self._last = -np.inf  # blink
        self._tempo = self._often = 1.0
        self._next, self._drawn = self._plan(0.0, first=True)

    def step(
        self,
        prosody: Prosody,
        delay: int,
        glances: list[float],
        tempo: float = 1.0,
        often: float = 1.0,
    ) -> None:
        """Plan blinks `delay` values after the prosody: regularly, at edges of phrases and glances.

        `glances` are times at which the eyes turn far, seconds; `tempo` and `often` are factors of
        the speed of blinks and of their number.
        """
        self._tempo, self._often = tempo, often
        self._cues = sorted([*self._cues, *glances])
        for number, speaking in enumerate(prosody.speaking.tolist(), prosody.start):
            known, now = number / RATE, (number - delay) / RATE
            if speaking:
                self._pause = known
            if speaking != self._spoke:
                self._spoke = speaking
                if speaking or self._rng.uniform() < AT_END:
                    self._cues.append(known + self._rng.uniform(0.0, AFTER_EDGE))
            if now >= 0:
                self._consider(now)

    def _consider(self, now: float) -> None:
        while self._cues and self._cues[0] < now - 1 / RATE:
            del self._cues[0]
        if self._drawn:
            for cue in self._cues:
                if cue - LATE < self._next < cue + EARLY and cue - self._last > SHORTEST:
                    self._next, self._drawn = max(cue, now), False
                    break
        if now >= self._next:
            slow = np.exp(VARIES * self._rng.standard_normal()) / self._tempo
            closing, opening = CLOSING * slow, OPENING * slow
            self._curve.add(now + closing, 1.0, closing, CLOSED * max(slow, 1.0), opening)
            self._last = now
            self._next, self._drawn = self._plan(now)

    def _plan(self, now: float, first: bool = False) -> tuple[float, bool]:
        """Choose the time of the next blink, and whether it moves to a cue."""
        mean = RESTING if now - self._pause > REST else SPEAKING
        mean /= self._often
        wait = mean * np.exp(SPREAD * self._rng.standard_normal() - SPREAD**2 / 2)
        if first:
            wait *= self._rng.uniform()  # the time of the one before is not known
        return now + max(wait, SHORTEST), self._rng.uniform() < DRAWN

    def end(self, started: float, seconds: float) -> None:
        """Drop blinks that start after `started` and are not over after `seconds`."""
        self._curve.end(started, seconds)

    def closure(self, time: np.ndarray) -> np.ndarray:
        """Evaluate how far the lids are closed, (T,) from 0 to 1."""
        return np.minimum(self._curve.at(time), 1.0)

    def forget(self, before: float) -> None:
        """Drop what is over."""
        self._curve.forget(before)
