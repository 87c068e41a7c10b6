"""How well predicted lips follow the tracked lips of people of whom nothing was learned."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from torch import Tensor

from jambatalk.evaluate.curve_metrics import at_times, correlation
from recipes.checkpoint.captured.lip_clips import LipClip

MAX_LAG, LAG_STEP = 0.25, 0.02  # seconds; sound and video of a recording may be apart


def lip_correlation(pred: np.ndarray, target: np.ndarray, fps: float) -> tuple[float, float]:
    """Compute Pearson's r of lip aperture and of mouth width at their best common lag.

    Args:
        pred: (t, 2) aperture and width in any unit.
        target: (t, 2) tracked ones, NaN where unknown.
    """
    known, times = ~np.isnan(target).any(1), np.arange(len(target)) / fps
    steps = round(MAX_LAG / LAG_STEP)
    found = [
        [
            correlation(at_times(one, fps, times + lag)[known], true[known])
            for one, true in zip(pred.T, target.T, strict=True)
        ]
        for lag in np.arange(-steps, steps + 1) * LAG_STEP
    ]
    aperture, width = max(found, key=sum)
    return aperture, width


def correlate(
    predict: Callable[[Tensor], np.ndarray], clips: Sequence[LipClip], fps: float
) -> tuple[float, float]:
    """Return the median r of aperture and width over clips.

    Args:
        predict: features (t, m, c) → aperture and width (t, 2).
    """
    found = [lip_correlation(predict(clip.features), clip.lips, fps) for clip in clips]
    aperture, width = np.median(found, 0).tolist()
    return aperture, width
