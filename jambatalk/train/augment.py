"""Other voices and other rooms out of one recording, so that the model does not learn a speaker."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

SPEED = (0.8, 1.25)  # slower is also deeper and from a larger head: no pitch is kept
NOISE_DB = (5.0, 35.0)  # speech above noise
NOISE_COLOR = (0.0, 0.95)  # white to brown
TILT = (-0.6, 0.6)  # dark to bright microphones


def augment(
    samples: np.ndarray, weights: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Changes speed (the motion's with it), microphone and background of a recording.

    Args:
        samples: (n,) 16 kHz. weights: (T, K) at any frame rate.

    Returns:
        Samples and weights of the same rates, both `1/speed` times as long.
    """
    speed = rng.uniform(*SPEED)
    samples = _stretch(samples[:, None], speed)[:, 0]
    weights = _stretch(weights, speed)
    tilt = rng.uniform(*TILT)
    samples = samples + tilt * np.concatenate([[0.0], samples[:-1]])
    color = rng.uniform(*NOISE_COLOR)
    noise = lfilter([1.0], [1.0, -color], rng.standard_normal(len(samples)))
    level = np.sqrt(np.mean(samples**2)) * 10 ** (-rng.uniform(*NOISE_DB) / 20)
    samples = samples + noise * (level / max(noise.std(), 1e-9))
    return samples.astype(np.float32), weights.astype(np.float32)


def _stretch(rows: np.ndarray, speed: float) -> np.ndarray:
    """Plays rows (n, c) `speed` times as fast, interpolated linearly."""
    place = np.arange(0, len(rows) - 1, speed)
    before = place.astype(int)
    part = (place - before)[:, None]
    return rows[before] * (1 - part) + rows[before + 1] * part
