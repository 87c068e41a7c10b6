"""Metrics of several predictions for one recording: in several styles, and of several seeds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

SEED = "_seed_"  # separates a style from the seed that the motion was drawn with


class Condition(NamedTuple):
    """What a prediction was made with, as the name of its file states it: `STYLE_seed_NUMBER`."""

    style: str
    seed: str

    @classmethod
    def of(cls, name: str) -> Condition:
        """Read what follows `_condition_` in the name of a file, without its suffix."""
        style, _, seed = name.partition(SEED)
        return cls(style, seed)


def lip_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Compute the mean over t and v of |a - b| of two lips (T, L, 3), in their unit."""
    return float(np.linalg.norm(a - b, axis=-1).mean())


def diversity(lips: Sequence[np.ndarray], conditions: Sequence[Condition], vary: str) -> float:
    """Compute the diversity across styles or across seeds, in the unit of `lips`.

    It is the mean of :func:`lip_distance` over all pairs of predictions that differ in `vary` and
    are alike in the other; NaN without such a pair. Yang
    et al., "Probabilistic Speech-Driven 3D Facial Motion Synthesis", CVPR 2024.

    Args:
        lips: (T, L, 3) of each prediction.
        conditions: one for each.
        vary: "style" or "seed".
    """
    other = "seed" if vary == "style" else "style"
    distances = [
        lip_distance(lips[a], lips[b])
        for a, b in combinations(range(len(lips)), 2)
        if getattr(conditions[a], vary) != getattr(conditions[b], vary)
        and getattr(conditions[a], other) == getattr(conditions[b], other)
    ]
    return float(np.mean(distances)) if distances else float("nan")


def coverage_error(lips: Sequence[np.ndarray], target: np.ndarray) -> float:
    """Compute the coverage error, in the unit of `lips`: how near the nearest prediction comes.

    It is the least :func:`lip_distance` to the target's lips (T, L, 3) among the predictions; NaN
    for fewer than two. Yang et al., CVPR 2024, see :func:`diversity`.
    """
    if len(lips) < 2:
        return float("nan")
    return min(lip_distance(prediction, target) for prediction in lips)
