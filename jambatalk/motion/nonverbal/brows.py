"""Brows that rise with what is stressed."""

from __future__ import annotations

import numpy as np

from jambatalk.motion.nonverbal.curves import bumps
from jambatalk.motion.nonverbal.prosody import Prosody

# Raised brows go with high pitch and stress, but with few of the stressed syllables (Cavé et al.,
# ICSLP 1996; Flecha-García, Speech Communication 52, 2010), and begin before them, to be highest on
# them (Kim, Cvejic and Davis, Speech Communication 57, 2014).
APART = 3.0  # seconds between two raises
WEAKEST = 0.3  # strength of an accent that may raise them
LOWEST, HIGHEST = 0.12, 0.38  # weights; 1 is as high as they go
RISE, STAY, FALL = 0.24, 0.10, 0.55  # seconds; STAY and the others vary
VARIES = 0.2  # sd of the logarithm of times
UNEVEN = 0.12  # sd of the logarithm of the left brow's height, and of the right's inverse
BLENDSHAPES = ("browInnerUp", "browOuterUpLeft", "browOuterUpRight")


def raised(time: np.ndarray, prosody: Prosody, rng: np.random.Generator) -> np.ndarray:
    """Weights of `BLENDSHAPES` over time, (T, 3)."""
    chosen = _raises(prosody, rng)
    count = len(chosen)
    heights = LOWEST + (HIGHEST - LOWEST) * prosody.strengths[chosen]
    heights = heights * rng.uniform(0.7, 1.0, count)
    vary = np.exp((VARIES, VARIES, UNEVEN) * rng.standard_normal((count, 3)))
    curve = [
        bumps(time, prosody.accents[chosen], part, RISE * vary[:, 0], STAY * vary[:, 1], FALL)
        for part in (heights, heights * vary[:, 2], heights / vary[:, 2])
    ]
    return np.clip(np.stack(curve, axis=1), 0.0, 1.0)


def _raises(prosody: Prosody, rng: np.random.Generator) -> np.ndarray:
    """Which accents raise the brows: the stronger, the likelier."""
    chosen, last = [], -np.inf
    luck = rng.uniform(size=len(prosody.accents))
    for number, (at, strength) in enumerate(zip(prosody.accents, prosody.strengths, strict=True)):
        if at - last >= APART and strength >= WEAKEST and luck[number] < 0.75 * strength:
            chosen.append(number)
            last = at
    return np.array(chosen, int)
