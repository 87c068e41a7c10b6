"""Random fields on the head: the same on both sides of every seam, for they live in space."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from recipes.heads.skin.atlas import SkinAtlas

LATTICE = 48


def cloudy(points: np.ndarray, size: float, seed: int) -> np.ndarray:
    """Smooth noise (n,) of unit variance with features of `size` metres at points (n, 3)."""
    lattice = np.random.default_rng(seed).standard_normal((LATTICE,) * 3)
    lattice = ndimage.gaussian_filter(lattice, 0.7, mode="wrap")
    lattice /= lattice.std()
    place = (points / size).T * 1.3  # off the axes' planes
    return ndimage.map_coordinates(lattice, place, order=1, mode="grid-wrap")


def scattered(atlas: SkinAtlas, spacing: float, seed: int) -> np.ndarray:
    """Random points (m, 3) on the head, one for each square of `spacing` metres."""
    random = np.random.default_rng(seed)
    corner = atlas.positions[atlas.triangles]
    area = np.linalg.norm(
        np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1
    )
    count = int(area.sum() / 2 / spacing**2)
    chosen = corner[random.choice(len(area), count, p=area / area.sum())]
    share = random.dirichlet((1, 1, 1), count)
    return np.einsum("mk,mki->mi", share, chosen)


def nearest(points: np.ndarray, centres: np.ndarray, k: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return distance in metres and number of the k nearest centres of each point."""
    return cKDTree(centres).query(points, k)


def smooth_step(low: float, high: float, value: np.ndarray) -> np.ndarray:
    """Rise from 0 at `low` to 1 at `high`, without a kink; falls if `low` > `high`."""
    share = ((value - low) / (high - low)).clip(0, 1)
    return share * share * (3 - 2 * share)
