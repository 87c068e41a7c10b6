"""Find the landmarks of the mouth on a mesh of which only a rough mask of the lips is known.

Positions are (V, 3) in metres, x to the head's own left, y up, z out of the face.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components, dijkstra

PAIRS = 9  # of facing lip vertices
INNER = 0.8  # share of the mouth's width that pairs cover: further out the lips always touch
NEARER = 0.7  # ratio of distances below which a vertex belongs to one lip
CHIN = (0.020, 0.055)  # metres below the mouth
NOSE = (0.008, 0.060)  # metres above the mouth
MIDDLE = 0.010  # metres to each side of the midline


def find_landmarks(
    positions: np.ndarray, triangles: np.ndarray, lips: np.ndarray
) -> dict[str, np.ndarray]:
    """Find the landmarks of the mouth, the chin and the tip of the nose.

    The hole between the lips separates the upper from the lower; in a mesh without one, the line
    between the mask's outermost vertices does. Facing pairs are, in each of `PAIRS` columns, the
    lowest vertex of the upper lip and the highest of the lower: where the lips touch.

    Args:
        lips: vertex indices of the lips; they may include skin around them.

    Returns:
        Name → vertex indices as in :class:`jambatalk.Face`; landmarks not found are missing.
    """
    lips = np.unique(lips)
    if len(lips) < 2 * PAIRS or np.ptp(positions[lips, 0]) == 0:
        return {}
    hole = _mouth_hole(positions, triangles, lips)
    upper, lower, corners = _split(positions, triangles, lips, hole)
    if not len(upper) or not len(lower):
        return {}
    right, left = positions[corners, 0]
    middle, half = (left + right) / 2, INNER * (left - right) / 2
    columns = np.linspace(middle - half, middle + half, PAIRS)
    x, y, z = positions.T
    # sideways distance weighs as much as height
    aside = np.abs(x - columns[:, None])  # (pairs, V)
    found = {
        "inner_lip_upper": upper[np.argmin(y[upper] + aside[:, upper], 1)],
        "inner_lip_lower": lower[np.argmax(y[lower] - aside[:, lower], 1)],
        "mouth_corners": corners,
    }
    height = y[found["inner_lip_lower"]].mean()
    for name, (near, far), side in (("chin", CHIN, -1), ("nose_tip", NOSE, 1)):
        away = side * (y - height)
        column = (np.abs(x - middle) < MIDDLE) & (away > near) & (away < far)
        if column.any():
            found[name] = np.array([np.argmax(np.where(column, z, -np.inf))])
    return {name: index.astype(np.int32) for name, index in found.items()}


def _mouth_hole(positions: np.ndarray, triangles: np.ndarray, lips: np.ndarray) -> np.ndarray:
    """Return the vertices (n,) round the hole between the lips, unordered; empty without one."""
    sides = np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), 1)
    edges, count = np.unique(sides, axis=0, return_counts=True)
    border = edges[count == 1]
    if not len(border):
        return np.array([], int)
    _, part = connected_components(_graph(positions, border), directed=False)
    low, high = positions[lips, :2].min(0), positions[lips, :2].max(0)
    best, widest = np.array([], int), 0.0
    for label in np.unique(part[border]):
        loop = np.flatnonzero(part == label)
        rim = positions[loop, :2]
        width = np.ptp(rim[:, 0])
        if (rim >= low).all() and (rim <= high).all() and width > widest:
            best, widest = loop, width
    return best


def _split(
    positions: np.ndarray, triangles: np.ndarray, lips: np.ndarray, hole: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the vertices of the upper lip, of the lower lip, and of the right and left corner."""
    if len(hole):
        corners = hole[[np.argmin(positions[hole, 0]), np.argmax(positions[hole, 0])]]
        sides = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
        inside = np.isin(sides, np.setdiff1d(np.union1d(lips, hole), corners)).all(1)
        graph = _graph(positions, sides[inside])
        rim = np.setdiff1d(hole, corners)
        on_rim = np.isin(sides, rim).all(1)
        _, part = connected_components(_graph(positions, sides[on_rim]), directed=False)
        chains = [rim[part[rim] == label] for label in np.unique(part[rim])]
        chains = sorted(chains, key=len)[-2:]
        if len(chains) == 2:
            # A vertex belongs to the rim that is clearly nearer along the skin.
            a, b = (dijkstra(graph, directed=False, indices=c, min_only=True)[lips] for c in chains)
            groups = lips[a < NEARER * b], lips[b < NEARER * a]
            if all(map(len, groups)):
                upper, lower = sorted(groups, key=lambda group: -positions[group, 1].mean())
                return upper, lower, corners
    corners = lips[[np.argmin(positions[lips, 0]), np.argmax(positions[lips, 0])]]
    (x1, y1), (x2, y2) = positions[corners, :2]
    above = positions[lips, 1] > y1 + (positions[lips, 0] - x1) / (x2 - x1) * (y2 - y1)
    return lips[above], lips[~above], corners


def _graph(positions: np.ndarray, edges: np.ndarray) -> sp.csr_matrix:
    """Return the lengths of edges as a sparse matrix (V, V)."""
    edges = np.unique(np.sort(edges, 1), axis=0)
    lengths = np.linalg.norm(positions[edges[:, 0]] - positions[edges[:, 1]], axis=1) + 1e-9
    return sp.csr_matrix((lengths, tuple(edges.T)), (len(positions), len(positions)))
