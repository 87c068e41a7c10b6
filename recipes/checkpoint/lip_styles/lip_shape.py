"""Lip shape: the lengths by which mouths of people and of heads are compared.

They are, in millimetres from the closed lips at rest: the aperture between the inner lips in the
middle third of the mouth, the distance of the mouth's corners, and the drop of the chin.
"""

from __future__ import annotations

import numpy as np

from jambatalk.face.face import Face
from jambatalk.face.lips import middle_pairs

APERTURE, WIDTH, JAW = range(3)


def lip_shape_forms(face: Face) -> np.ndarray:
    """Return the lip shape as linear forms of the blendshape weights, mm: (3, K)."""
    pairs, corners = middle_pairs(face), face.landmarks["mouth_corners"]
    marks = np.concatenate([corners, *pairs.T, face.landmarks["chin"]])
    moved = face.deltas[:, marks].astype(np.float64) * 1e3  # (K, n, 3)
    right, left, chin = moved[:, 0, 0], moved[:, 1, 0], moved[:, -1, 1]
    upper, lower = np.split(moved[:, 2:-1, 1], 2, axis=1)  # (K, pairs)
    return np.stack([(upper - lower).mean(1), left - right, -chin])
