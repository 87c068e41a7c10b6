"""Where the eyebrows are."""

from __future__ import annotations

import numpy as np

# The middle of a brow from its head to its tail: sideways from the inner corner of the eye, and
# up from there, in widths of the eye; and half its height.
LINE = ((-0.12, 0.62, 0.14), (0.25, 0.74, 0.15), (0.70, 0.83, 0.12), (1.05, 0.76, 0.085), (1.35, 0.55, 0.03))  # fmt: skip


def brow_distance(positions: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """(V,) 0 on the middle line of a brow, 1 on its outline, more outside.

    Args:
        positions: (V, 3) metres.
        corners: (4, 3) of the eyes: right outer, right inner, left inner, left outer.
    """
    outer_right, inner_right, inner_left, outer_left = corners
    best = np.full(len(positions), np.inf)
    for inner, outer in ((inner_right, outer_right), (inner_left, outer_left)):
        width = np.abs(outer[0] - inner[0])
        side = np.sign(outer[0])
        across = (positions[:, 0] - inner[0]) * side / width
        up = (positions[:, 1] - inner[1]) / width
        x, y, half = np.array(LINE).T
        inside = np.clip(across, x[0], x[-1])
        height = np.interp(inside, x, half)
        distance = np.hypot((across - inside) * 2.0, up - np.interp(inside, x, y)) / height
        front = positions[:, 2] > min(inner[2], outer[2]) - 0.03
        best = np.minimum(best, np.where(front, distance, np.inf))
    return best
