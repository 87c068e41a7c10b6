"""Values over time at another frame rate."""

import numpy as np


def resample(
    values: np.ndarray, fps: float, target: float, frames: int | None = None
) -> np.ndarray:
    """Interpolate values (T, ...) linearly at another frame rate: frame t stays at t / fps.

    Args:
        frames: length of the result; by default as long in seconds as `values`. Past the last frame
            of `values` it repeats.
    """
    frames = round(len(values) / fps * target) if frames is None else frames
    last = len(values) - 1
    position = np.clip(np.arange(frames) / target * fps, 0, max(last, 0))
    before = position.astype(int)
    share = (position - before).astype(np.float32).reshape(-1, *[1] * (values.ndim - 1))
    after = values[np.minimum(before + 1, last)]
    return (values[before] * (1 - share) + after * share).astype(np.float32)
