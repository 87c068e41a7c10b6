"""The eyelids: a blink that closes them along a smooth line."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from recipes.heads.edge_flow import EdgeFlow
from recipes.heads.ict_facekit import PARTS, IctFaceKit

# A vertex on the rim of the upper lid, and the next ones towards the outer and the inner corner, of
# the left eye. The rim is where the lids touch the eyeball.
UPPER_LID, OUTWARDS, INWARDS = 3751, 4130, 3750
OUTER_CORNER = 3721
RIM = 60  # more vertices than the rim has
OVERLAP = 0.0006  # metres by which the rim of the upper lid comes down below that of the lower
REACH = 0.0045  # metres: the lid follows its rim by 1/e at this distance


def closing(ict: IctFaceKit, blink: np.ndarray, side: str) -> np.ndarray:
    """Return what the captured blink (N, 3) of a side lacks to close the eye: (N, 3) metres.

    The rim of the upper lid is brought down to that of the lower, and the lid with it.
    """
    upper, lower = _rims(ict, side)
    closed = ict.positions + blink
    x, y, _ = closed[lower].T
    order = np.argsort(x)
    line = np.interp(closed[upper, 0], x[order], y[order]) - OVERLAP
    down = np.minimum(line - closed[upper, 1], 0)
    taper = np.sin(np.linspace(0, np.pi, len(upper) + 2)[1:-1]) ** 0.5  # nothing in the corners
    face = np.arange(*PARTS["face"])
    face = face[np.abs(blink[face, 1]) > 1e-6]
    away, nearest = cKDTree(ict.positions[upper]).query(ict.positions[face])
    above = cKDTree(ict.positions[lower]).query(ict.positions[face])[0] > away
    follow = np.exp(-((away / REACH) ** 2)) * above
    added = np.zeros_like(ict.positions)
    added[face, 1] = follow * (taper * down)[nearest]
    return added


def _rims(ict: IctFaceKit, side: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the vertices of the rim of the upper and of the lower lid, without the corners."""
    flow = EdgeFlow(ict.faces)
    inwards = flow.straight(UPPER_LID, INWARDS, RIM)
    outwards = flow.straight(UPPER_LID, OUTWARDS, RIM)
    corner = outwards.index(OUTER_CORNER)
    rims = np.array([*inwards[:0:-1], *outwards[:corner]]), np.array(outwards[corner + 1 :])
    if side == "Left":
        return rims
    face = ict.positions[slice(*PARTS["face"])]
    tree = cKDTree(face * [-1, 1, 1])
    upper, lower = (tree.query(ict.positions[rim])[1] for rim in rims)
    return upper, lower
