"""Brows that rise with stressed syllables."""

from __future__ import annotations

import numpy as np

from jambatalk.motion.nonverbal.curves import Bumps
from jambatalk.motion.nonverbal.prosody import Prosody

# Raised brows go with high pitch and stress, but with few of the stressed syllables (Cavé et al.,
# ICSLP 1996; Flecha-García, Speech Communication 52, 2010), and begin before them, to be highest on
# them (Kim, Cvejic and Davis, Speech Communication 57, 2014).
APART = 3.0  # seconds between two raises
WEAKEST = 0.3  # strength of an accent that may raise them
LIKELY = 0.75  # chance that an accent of strength 1 does
LOWEST, HIGHEST = 0.12, 0.38  # weights
RISE, STAY, FALL = 0.24, 0.10, 0.55  # seconds; RISE and STAY vary
VARIES = 0.2  # sd of the logarithm of times
UNEVEN = 0.12  # sd of the logarithm of the left brow's height, and of the right's inverse
BLENDSHAPES = ("browInnerUp", "browOuterUpLeft", "browOuterUpRight")


class Brows:
    """The brows' motion."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._curves = [Bumps() for _ in BLENDSHAPES]
        self._last = -np.inf  # raise

    def step(self, prosody: Prosody, earliest: float) -> None:
        """Raise the brows on some accents, not before the time `earliest`."""
        for at, strength in prosody.accents():
            chance = self._rng.uniform()
            height = self._rng.uniform(0.7, 1.0) * (LOWEST + (HIGHEST - LOWEST) * strength)
            vary = np.exp((VARIES, VARIES, UNEVEN) * self._rng.standard_normal(3))
            if at - self._last < APART or strength < WEAKEST or chance >= LIKELY * strength:
                continue
            self._last = at
            top = max(at, earliest + RISE * vary[0])
            for curve, uneven in zip(self._curves, (1.0, vary[2], 1 / vary[2]), strict=True):
                curve.add(top, height * uneven, RISE * vary[0], STAY * vary[1], FALL)

    def raised(self, time: np.ndarray) -> np.ndarray:
        """Evaluate the weights (T, 3) of `BLENDSHAPES`."""
        return np.clip(np.stack([curve.at(time) for curve in self._curves], axis=1), 0.0, 1.0)

    def forget(self, before: float) -> None:
        """Drop what is over."""
        for curve in self._curves:
            curve.forget(before)
