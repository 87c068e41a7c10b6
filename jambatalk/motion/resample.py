"""Motion at another frame rate."""

import numpy as np


def resample(weights: np.ndarray, fps: float, target: float) -> np.ndarray:
    """Motion (T, K) at another frame rate, interpolated linearly: frame t stays at t/fps."""
    frames = round(len(weights) / fps * target)
    place = np.arange(frames) / target * fps
    return np.stack(
        [np.interp(place, np.arange(len(weights)), column) for column in weights.T], 1
    ).astype(np.float32)
