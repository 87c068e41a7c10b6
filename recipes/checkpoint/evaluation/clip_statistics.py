"""Statistics over clips: bootstrap intervals, and values by person."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

RESAMPLES, SEED, CONFIDENCE = 2000, 0, 0.95


def clip_interval(
    statistic: Callable[[np.ndarray], float], clips: int
) -> tuple[float, float] | None:
    """Return the 95 % percentile bootstrap interval of a statistic.

    None of a single clip, or where the statistic is not defined (NaN) of all that are drawn.

    Args:
        statistic: computes it from the numbers (n,) of the clips that were drawn.
        clips: how many there are.
    """
    from scipy.stats import bootstrap

    if clips < 2:
        return None
    interval = bootstrap(
        (np.arange(clips),),
        statistic,
        n_resamples=RESAMPLES,
        vectorized=False,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=SEED,
    ).confidence_interval
    low, high = float(interval.low), float(interval.high)
    return None if math.isnan(low) else (low, high)


def median_interval(values: np.ndarray) -> tuple[float, float] | None:
    """Return the interval of the median of values (clips,)."""
    return clip_interval(lambda drawn: float(np.median(values[drawn])), len(values))


def by_person(
    people: Sequence[str], values: np.ndarray, statistic: Callable[[np.ndarray], float]
) -> str:
    """Return a statistic of values (clips,) for each person as text; "" of one person."""
    names, owner = list(dict.fromkeys(people)), np.array(people)
    if len(names) < 2:
        return ""
    return ", ".join(f"{name} {statistic(values[owner == name]):.2f}" for name in names)
