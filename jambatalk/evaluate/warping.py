"""Dynamic time warping of two motions or curves of the same length."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

WINDOW = 0.5  # seconds by which aligned frames may lie apart: time and memory stay linear


def warp(
    pred: np.ndarray,
    target: np.ndarray,
    distance: Callable[[np.ndarray, np.ndarray], np.ndarray],
    fps: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Align the frames of two sequences so that the sum of their distances is least.

    The alignment leads from the first frames to the last, by one frame in one sequence or in both,
    and frames of a pair are at most 0.5 s apart (Sakoe and Chiba 1978).

    Args:
        pred: (T, ...).
        target: (T, ...).
        distance: of n frames each, (n, ...) and (n, ...), one by one: (n,).

    Returns:
        pairs: (P, 2) frames of `pred` and of `target`, T <= P < 2 T.
        distances: (P,) of the pairs.
    """
    frames, width = len(target), round(WINDOW * fps)
    width = min(width, frames - 1)
    # cell (d, w + o) is the pair (i, j) with i + j = d and i - j = o; others stay infinite
    cost = np.full((2 * frames - 1, 2 * width + 1), np.inf)
    for offset in range(-width, width + 1):
        length, first = frames - abs(offset), abs(offset)
        i, j = max(offset, 0), max(-offset, 0)
        apart = distance(pred[i : i + length], target[j : j + length])
        cost[first : first + 2 * length : 2, width + offset] = apart
    total = np.full((len(cost) + 2, 2 * width + 3), np.inf)  # two rows and one column of border
    total[0, 1 + width] = 0.0  # from which the first pair is reached
    for step in range(len(cost)):
        row = total[step + 2, 1:-1]
        np.minimum(total[step + 1, :-2], total[step + 1, 2:], out=row)
        np.minimum(row, total[step, 1:-1], out=row)
        row += cost[step]
    return _trace_back(total, cost, width)


def _trace_back(total: np.ndarray, cost: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Follow the least totals back from the last pair, with a step in both where equal."""
    step, offset, pairs, distances = len(cost) - 1, 0, [], []
    while step >= 0:
        pairs.append(((step + offset) // 2, (step - offset) // 2))
        distances.append(cost[step, width + offset])
        column = 1 + width + offset
        both, pred_only, target_only = (
            total[step, column],
            total[step + 1, column - 1],
            total[step + 1, column + 1],
        )
        if both <= min(pred_only, target_only):
            step -= 2
        else:
            step, offset = step - 1, offset + (-1 if pred_only <= target_only else 1)
    return np.array(pairs[::-1]), np.array(distances[::-1])
