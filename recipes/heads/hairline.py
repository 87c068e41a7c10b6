"""The hairline."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from recipes.heads.long_hair import AXIS

# (azimuth in degrees, 0 in front and 180 behind; height above the eyes in mm), on the reference
# identity: forehead, temple, sideburn, over the ear, nape
LINE = (
    (-20, 66), (0, 64), (18, 67), (36, 71), (48, 62), (56, 46), (62, 24), (66, 2), (68, -14),
    (74, -14), (77, 8), (100, 8), (106, -20), (114, -42), (130, -56), (155, -62), (200, -64),
)  # fmt: skip
ROUND = 1.35  # mm of scalp per degree of azimuth


def inside_hairline(positions: np.ndarray, recede: float = 0.0) -> np.ndarray:
    """Return the distance inside the hairline in mm, negative outside: (V,).

    Args:
        positions: (V, 3) metres, of the reference identity, from the point between the eyes.
        recede: mm by which the line is moved back over the forehead and temples.
    """
    x, y, z = positions.T * 1000
    azimuth = np.degrees(np.arctan2(np.abs(x), z - AXIS))
    line = np.array(LINE, np.float64)
    line[:, 1] += recede * np.interp(line[:, 0], (0, 40, 50, 62), (1, 1.4, 1.2, 0))
    points = np.stack([azimuth * ROUND, y], axis=1)
    corners = line * [ROUND, 1]
    nearest = np.full(len(points), np.inf)
    for a, b in pairwise(corners):
        share = np.clip((points - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
        nearest = np.minimum(nearest, np.linalg.norm(points - a - share[:, None] * (b - a), axis=1))
    return np.where(y > np.interp(azimuth, *line.T), nearest, -nearest)
