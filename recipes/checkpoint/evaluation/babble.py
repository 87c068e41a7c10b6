"""Other people talking behind somebody."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

TALKERS = 6


def add_babble(
    samples: np.ndarray, talkers: Sequence[np.ndarray], decibels: float, rng: np.random.Generator
) -> np.ndarray:
    """Speech (n,) with several others talking, `decibels` louder than all of them together.

    `TALKERS` of them, each as loud as the others; a short recording starts again. Levels are root
    mean squares over the whole length.
    """
    babble = np.zeros(len(samples))
    for number in rng.choice(len(talkers), TALKERS, replace=False):
        voice = np.resize(talkers[number], max(len(samples), len(talkers[number])))
        start = rng.integers(len(voice) - len(samples) + 1)
        voice = voice[start : start + len(samples)]
        babble += voice / max(float(np.sqrt(np.mean(voice**2))), 1e-9)
    level = np.sqrt(np.mean(samples**2) / np.mean(babble**2)) * 10 ** (-decibels / 20)
    return (samples + babble * level).astype(np.float32)
