"""The eyelids: a blink closes them along a smooth line, and they bulge over the cornea."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import cKDTree

from jambatalk.face.eyes import LOOKS
from recipes.heads.edge_flow import EdgeFlow
from recipes.heads.eyeballs import SIDES, Eyeballs, turn
from recipes.heads.ict_facekit import PARTS, IctFaceKit, eye_centre

# A vertex on the rim of the upper lid, and the next ones towards the outer and the inner corner, of
# the left eye. The rim is where the lids touch the eyeball.
UPPER_LID, OUTWARDS, INWARDS = 3751, 4130, 3750
OUTER_CORNER = 3721
RIM = 60  # more vertices than the rim has
OVERLAP = 0.0006  # metres by which the rim of the upper lid comes down below that of the lower
SMOOTHED = (1.0, 1.0, 1.0, 0.6, 0.3)  # how far the rows of vertices above the rim become even
EVEN = 1.5  # vertices, standard deviation
REACH = 0.0045  # metres: the lid follows its rim by 1/e at this distance
AROUND_EYE = 0.022  # metres from the middle of the eye: what the cornea may touch
CLEAR = 0.0003  # metres between the cornea and a lid
BLINKS, LOOKED = (0.0, 0.5, 1.0), (0.25, 0.5, 0.75, 1.0)  # weights at which it is kept
EVENLY = 0.0025  # metres over which lids bulge evenly


def closing(ict: IctFaceKit, blink: np.ndarray, side: str) -> np.ndarray:
    """Return what the captured blink (N, 3) of a side lacks to close the eye: (N, 3) metres.

    The rim of the upper lid is brought down to that of the lower, and the lid with it.
    """
    flow = EdgeFlow(ict.faces)
    upper, lower = _rims(ict, flow, side)
    closed = ict.positions + blink
    x, y, _ = closed[lower].T
    order = np.argsort(x)
    line = np.interp(closed[upper, 0], x[order], y[order]) - OVERLAP
    down = np.minimum(line - closed[upper, 1], 0)
    inside = np.sin(np.linspace(0, np.pi, len(upper) + 2)[1:-1])  # 0 in the corners
    face = np.arange(*PARTS["face"])
    face = face[np.abs(blink[face, 1]) > 1e-6]
    away, nearest = cKDTree(ict.positions[upper]).query(ict.positions[face])
    above = cKDTree(ict.positions[lower]).query(ict.positions[face])[0] > away
    follow = np.exp(-((away / REACH) ** 2)) * above
    added = np.zeros_like(ict.positions)
    added[face, 1] = follow * (np.sqrt(inside) * down)[nearest]
    rows = _rows(ict, flow, upper, side)
    for row, share in zip(rows.T, SMOOTHED, strict=True):
        # where the edge lies before and below the rim changes evenly from corner to corner
        before = (closed + added)[row] - (closed + added)[upper]
        even = gaussian_filter1d(before, EVEN, axis=0, mode="nearest")
        added[row] += share * inside[:, None] * (even - before)
    return added


def bulging(
    ict: IctFaceKit, eyeballs: Eyeballs, name: str, look: np.ndarray, blink: np.ndarray
) -> np.ndarray:
    """Return what a captured look (N, 3) lacks so that the cornea stays behind the lids: (N, 3).

    Args:
        name: of its blendshape.
        blink: (N, 3) of the same eye; the lids are kept clear in all of its phases.
    """
    eye = LOOKS[name][0]
    middle = eye_centre(ict.positions, SIDES[eye])
    face = np.arange(*PARTS["face"])
    face = face[np.linalg.norm(ict.positions[face] - middle, axis=1) < AROUND_EYE]
    lacking = np.zeros(len(face))
    for closed in BLINKS:
        lids = ict.positions[face] + closed * blink[face]
        ahead, _ = eyeballs.clearance(lids, ict.positions, eye, turn(name, 0))
        for weight in LOOKED:
            moved = lids + weight * look[face]
            clear, _ = eyeballs.clearance(moved, ict.positions, eye, turn(name, weight))
            lacking = np.maximum(lacking, (np.minimum(ahead, CLEAR) - clear) / weight)
    near = cKDTree(ict.positions[face]).query_ball_point(ict.positions[face], EVENLY)
    lacking = np.maximum(lacking, [lacking[around].mean() for around in near])
    _, outwards = eyeballs.clearance(ict.positions[face], ict.positions, eye, turn(name, 0))
    added = np.zeros_like(look)
    added[face] = lacking[:, None] * outwards
    return added


def _rows(ict: IctFaceKit, flow: EdgeFlow, upper: np.ndarray, side: str) -> np.ndarray:
    """Return the vertices outside of each of a rim's: (n, rows), from the rim upwards."""
    centre = eye_centre(ict.positions, side.lower())
    away = np.linalg.norm(ict.positions - centre, axis=1)
    rows = []
    for vertex in upper.tolist():
        outside = max(flow.around[vertex] - set(upper.tolist()), key=lambda v: away[v])
        rows.append(flow.straight(vertex, outside, len(SMOOTHED) + 1)[1:])
    return np.array(rows)


def _rims(ict: IctFaceKit, flow: EdgeFlow, side: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the vertices of the rim of the upper and of the lower lid, without the corners."""
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
