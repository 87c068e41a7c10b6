"""Find hair that lies in ears which a haircut leaves bare."""

from __future__ import annotations

import numpy as np
from scipy.spatial import Delaunay, cKDTree

from recipes.heads.attach.hair_fit import sample_triangles
from recipes.heads.attach.piece import Head

# Metres from the middle of the mean head, and height: the rim of an ear, but for its upper edge,
# on which hair may lie.
STANDING_OUT, HIGHEST = 0.077, -0.012
NEAR = 0.002  # metres, seen from the side: skin that hides hair behind it
PART = 0.06  # of a triangle that lies in an ear; less of it is not worth a gap above the ear


def in_ears(head: Head, positions: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Tell which triangles (f, 3) of hair (n, 3) lie in an ear, not behind it: (f,)."""
    skin = head.basis.regions["ears"]
    x, y, _ = head.ict.positions[head.basis.source[skin]].T
    rim = (np.abs(x) > STANDING_OUT) & (y < HIGHEST)
    number, shares = sample_triangles(positions, triangles)
    points = np.einsum("sk,skd->sd", shares, positions[triangles[number]])
    lying = np.zeros(len(points), bool)
    for side in (-1, 1):
        ear = head.template[skin] * [side, 1, 1]
        own = ear[:, 0] > 0
        within = Delaunay(ear[own & rim, 1:]).find_simplex(points[:, 1:]) >= 0
        asked = np.flatnonzero(within & (side * points[:, 0] > 0))
        near = cKDTree(ear[own, 1:]).query_ball_point(points[asked, 1:], NEAR)
        for sample, close in zip(asked, near, strict=True):
            lying[sample] = side * points[sample, 0] > ear[own][close, 0].max(initial=0)
    return np.bincount(number, lying) > PART * np.bincount(number)
