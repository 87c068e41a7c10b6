"""Lift hair off the skull, so that no skin shows through it."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from recipes.heads.attach.skull import Skull

SPACING = 0.005  # metres between the points of a triangle that are examined
DEEP = -0.014  # metres; hair further inside the skull is not what anybody sees
LAYERS = 0.014  # metres above the skin up to which layers of hair move together
NEAR, NEIGHBOURS = 0.012, 24  # metres; points that move together
ROUNDS = 4


def lift(
    positions: np.ndarray, triangles: np.ndarray, skull: Skull, clearance: float = 0.003
) -> np.ndarray:
    """Move hair (n, 3) to at least `clearance` metres above the skin.

    Layers keep their order: heights are compressed, from the lowest layer at a place to a fixed
    height above it.
    """
    moved = positions.astype(float).copy()
    number, shares = sample_triangles(moved, triangles)
    samples = triangles[number]
    close = skull.height(np.einsum("sk,skd->sd", shares, moved[samples]))[0] < 2 * LAYERS
    samples, shares = samples[close], shares[close]
    for _ in range(ROUNDS):
        places = np.einsum("sk,skd->sd", shares, moved[samples])
        depth, _ = skull.height(places)
        distance, index = cKDTree(places).query(moved, k=NEIGHBOURS, distance_upper_bound=NEAR)
        inside = np.append(depth, np.inf)[index]
        height, normal = skull.height(moved)
        lowest = np.minimum(np.minimum(inside.min(1), height), clearance)
        lowest = np.maximum(lowest, DEEP)
        if lowest.min() > clearance - 2e-4:
            break
        distance, index = cKDTree(moved).query(moved, k=12)
        share = np.exp(-((distance / 0.008) ** 2))
        share /= share.sum(1, keepdims=True)
        smooth = np.minimum(lowest, np.einsum("nk,nk->n", share, lowest[index]))
        part = np.clip((LAYERS - height) / (LAYERS - smooth), 0, 1.2)
        push = ((clearance - smooth) * part)[:, None] * normal
        moved += np.einsum("nk,nkd->nd", share, push[index])
    return moved


def sample_triangles(positions: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return points all over triangles: the number of each one's triangle, shares of its corners.

    Returns:
        (s,) and (s, 3).
    """
    corners = positions[triangles]
    size = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(1)
    found, shares = [], []
    steps = np.clip(np.ceil(size / SPACING).astype(int), 1, 6)
    for count in range(1, 7):
        grid = [(i, j, count - i - j) for i in range(count + 1) for j in range(count + 1 - i)]
        chosen = np.flatnonzero(steps == count)
        found.append(np.repeat(chosen, len(grid)))
        shares.append(np.tile(np.array(grid) / count, (len(chosen), 1)))
    return np.concatenate(found), np.concatenate(shares)
