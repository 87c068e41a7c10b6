"""The skin below hair, as points with normals, and how far other points are above it."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from recipes.heads.attach.piece import Head
from recipes.heads.materials import MATERIALS

# Where each triangle of the skin is sampled.
PLACES = np.array(
    [(1, 1, 1), (4, 1, 1), (1, 4, 1), (1, 1, 4), (5, 5, 1), (5, 1, 5), (1, 5, 5)], float
)
PLACES /= PLACES.sum(1, keepdims=True)
NEAREST = 6  # samples that a height is averaged from
BODY = 13380  # vertices of MakeHuman's base that are skin
SHOULDERS = -0.17  # metres; below it the body is MakeHuman's
# Where ears are, metres.
EAR_X, EAR_Y, EAR_Z = 0.068, (-0.06, 0.035), (-0.14, -0.06)
SIDEWAYS = np.array([1.0, 0.0, 0.0])


class Skull:
    """Points of a head's skin, ears included, and of its shoulders.

    Args:
        over_ears: whether hair falls over the ears; to be above an ear means to be beside it.

    Attributes:
        points, normals: (n, 3) metres; unit vectors.
    """

    def __init__(self, head: Head, over_ears: bool = False) -> None:
        triangles = head.basis.triangles[head.basis.material_index == MATERIALS.index("skin")]
        corners = head.template[triangles].astype(float)
        normals = _vertex_normals(head.template, head.basis.weld[triangles])[
            head.basis.weld[triangles]
        ]
        points = np.einsum("pk,fkd->fpd", PLACES, corners).reshape(-1, 3)
        normals = np.einsum("pk,fkd->fpd", PLACES, normals).reshape(-1, 3)
        if over_ears:
            x, y, z = points.T
            ear = (np.abs(x) > EAR_X) & (y > EAR_Y[0]) & (y < EAR_Y[1])
            ear &= (z > EAR_Z[0]) & (z < EAR_Z[1])
            normals[ear] = np.sign(x[ear, None]) * SIDEWAYS
        body = head.base[:BODY]
        outward = body - [0.0, -0.30, -0.10]
        shoulders = (body[:, 1] < SHOULDERS) & (body[:, 1] > -0.6)
        outward[:, 1] *= 1.2  # upwards on shoulders, sideways on arms
        self.points = np.concatenate([points, body[shoulders]])
        self.normals = _unit(np.concatenate([normals, outward[shoulders]]))

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self.points)

    def height(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how far points (n, 3) are above the skin, (n,) metres, and its normals (n, 3)."""
        distance, index = self._tree.query(points, k=NEAREST)
        share = 1 / (distance + 0.0015) ** 2
        share /= share.sum(1, keepdims=True)
        normal = _unit(np.einsum("nk,nkd->nd", share, self.normals[index]))
        offset = points[:, None] - self.points[index]
        above = np.einsum("nk,nkd,nd->n", share, offset, normal)
        # Far away the nearest sample's distance is meant, not the height above its plane.
        far = np.clip((distance[:, 0] - 0.01) / 0.02, 0, 1)
        return (1 - far) * above + far * np.sign(above) * distance[:, 0], normal


def _vertex_normals(positions: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    a, b, c = positions[triangles].astype(float).transpose(1, 0, 2)
    area = np.cross(b - a, c - a)
    normals = np.zeros((len(positions), 3))
    for corner in triangles.T:
        np.add.at(normals, corner, area)
    return _unit(normals)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
