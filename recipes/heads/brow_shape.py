"""The shape of the eyebrows, relative to the corners of the eyes."""

from __future__ import annotations

import numpy as np

# Centre line of a brow from its head to its tail, in widths of the eye: lateral and upward distance
# from the inner corner of the eye, and half the height of the brow.
LINE = (
    (-0.10, 0.64, 0.11),
    (0.25, 0.74, 0.135),
    (0.70, 0.83, 0.115),
    (1.05, 0.76, 0.085),
    (1.35, 0.55, 0.03),
)


SHARP, SOFT = 0.45, 1.15  # distances between which the hair thins out
HEAD = 0.45  # widths of the eye over which the head of the brow is thinner


def brow_distance(positions: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Return the distance to the nearer brow: 0 on its centre line, 1 on its outline: (V,).

    Args:
        positions: (V, 3) metres.
        corners: (4, 3) of the eyes: right outer, right inner, left inner, left outer.
    """
    return _measure(positions, corners)[0]


def brow_cover(positions: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Return how much hair covers the skin, 0 to 1: (V,); arguments as of `brow_distance`."""
    distance, along = _measure(positions, corners)
    fade = np.clip((SOFT - distance) / (SOFT - SHARP), 0, 1)
    head = np.clip((along - LINE[0][0]) / HEAD, 0, 1)
    return fade * fade * (3 - 2 * fade) * (0.55 + 0.45 * head)


def _measure(positions: np.ndarray, corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distance to and the position along the nearer brow, both (V,)."""
    outer_right, inner_right, inner_left, outer_left = corners
    best, along = np.full(len(positions), np.inf), np.zeros(len(positions))
    for inner, outer in ((inner_right, outer_right), (inner_left, outer_left)):
        width = np.abs(outer[0] - inner[0])
        across = (positions[:, 0] - inner[0]) * np.sign(outer[0]) / width
        up = (positions[:, 1] - inner[1]) / width
        x, y, half = np.array(LINE).T
        inside = np.clip(across, x[0], x[-1])
        height = np.interp(inside, x, half)
        distance = np.hypot((across - inside) * 1.2, up - np.interp(inside, x, y)) / height
        front = positions[:, 2] > min(inner[2], outer[2]) - 0.03
        nearer = front & (distance < best)
        best, along = np.where(nearer, distance, best), np.where(nearer, across, along)
    return best, along
