"""Brows that rise and sink with the voice, and cheeks that rise on emphasis."""

from __future__ import annotations

import numpy as np

from jambatalk.motion.curves import Bumps, Wander
from jambatalk.motion.nonverbal.arousal import Arousal
from jambatalk.motion.nonverbal.prosody import Prosody

BROWS = (
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "browDownLeft",
    "browDownRight",
)
CHEEKS = ("eyeSquintLeft", "eyeSquintRight", "cheekSquintLeft", "cheekSquintRight")
BLENDSHAPES = BROWS + CHEEKS

# Height of the brows, as the weight that raises them, after a fluent public speech, in which they
# rise where a phrase begins and on stressed syllables; the range is two thirds of that speaker's
# (`benchmarks/head_motion.py`). They begin before them, to be highest on them (Kim, Cvejic and
# Davis, Speech Communication 57, 2014).
LEVEL, WAVER, WAVER_SPACING = 0.12, 0.20, 0.9  # mean and standard deviation in speech; seconds
BEGINS, STRESSED = 0.25, 0.22  # rise where a phrase begins, and on an accent of strength 1
SPREAD = 0.35  # sd of the logarithm of both
LIKELY = 0.7  # chance that an accent of strength 1 raises the brows
APART = 0.6  # seconds between two rises
RISE, STAY, FALL = 0.24, 0.10, 0.55  # seconds
HIGHEST, LOWEST = 0.8, 0.1  # never reached
DOWN = 4.0  # weight of browDown that lowers the brows as far as weight 1 raises them
UNEVEN = 0.12  # standard deviation of the left outer brow's part, and of the right one's less
# Cheeks and lower lids rise, and the brows lower, on other accents. This is a rule: no recording
# that could be measured shows cheeks.
NARROWS = 0.5  # chance that an accent of strength 1 that leaves the brows does
SQUINT, CHEEK, FROWN = 0.30, 0.22, 0.08  # weights, of an accent of strength 1


class UpperFace:
    """The motion of brows, lower lids and cheeks."""

    def __init__(self, seed: int) -> None:
        self._rng, waver = (np.random.default_rng([seed, 2, k]) for k in range(2))
        self._raised, self._narrowed = Bumps(), Bumps()
        self._arousal, self._waver = Arousal(), Wander(2, WAVER_SPACING, waver)
        self._last = -np.inf  # rise
        self._fall = FALL

    def step(self, prosody: Prosody, earliest: float, tempo: float = 1.0) -> None:
        """Follow phrases and accents, not before the time `earliest`.

        `tempo` is a factor of the speed at which brows and cheeks fall again.
        """
        self._fall = FALL / tempo
        for begin in self._arousal.step(prosody, earliest)[0]:
            self._raise(begin + RISE, earliest, BEGINS)
        for at, strength in prosody.accents():
            raises, narrows = self._rng.uniform(size=2) < np.array([LIKELY, NARROWS]) * strength
            if raises:
                self._raise(at, earliest, STRESSED * strength)
            elif narrows:
                top = max(at, earliest + RISE)
                self._narrowed.add(top, strength, RISE, STAY, self._fall)

    def _raise(self, top: float, earliest: float, height: float) -> None:
        height *= np.exp(SPREAD * self._rng.standard_normal())
        if top - self._last >= APART:
            self._last = top
            self._raised.add(max(top, earliest + RISE), height, RISE, STAY, self._fall)

    def weights(self, time: np.ndarray, reach: np.ndarray) -> np.ndarray:
        """Evaluate the weights (T, 9) of `BLENDSHAPES`; `reach` (T,) is a factor of the motion."""
        waver, uneven = self._waver.at(time).T
        narrowed = self._narrowed.at(time)
        height = self._arousal.at(time) * (LEVEL + WAVER * waver)
        height += self._raised.at(time) - FROWN * narrowed
        up = HIGHEST * np.tanh(np.maximum(height, 0.0) / HIGHEST)
        down = DOWN * LOWEST * np.tanh(np.maximum(-height, 0.0) / LOWEST)
        squint, cheek = SQUINT * narrowed, CHEEK * narrowed
        left, right = up * (1 + UNEVEN * uneven), up * (1 - UNEVEN * uneven)
        curves = (up, left, right, down, down, squint, squint, cheek, cheek)
        return np.clip(reach[:, None] * np.stack(curves, 1), 0.0, 1.0)

    def forget(self, before: float) -> None:
        """Drop what is over."""
        for curve in (self._raised, self._narrowed, self._arousal, self._waver):
            curve.forget(before)
