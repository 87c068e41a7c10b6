"""Smooth normals of a mesh in motion."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix


class SmoothNormals:
    """Area-weighted vertex normals, as one sparse product a frame.

    Args:
        triangles: (F, 3) vertex indices, counter-clockwise seen from outside.
        vertex_count: V.
    """

    def __init__(self, triangles: np.ndarray, vertex_count: int) -> None:
        self._corners = [np.ascontiguousarray(corner) for corner in triangles.T]
        count = len(triangles)
        corner_of = (triangles.ravel(), np.repeat(np.arange(count), 3))
        self._gather = csr_matrix(  # (V, F): 1 where a triangle touches a vertex
            (np.ones(3 * count, np.float32), corner_of), shape=(vertex_count, count)
        )

    def __call__(self, vertices: np.ndarray) -> np.ndarray:
        """Unit normals (V, 3) float32 of `vertices` (V, 3); zero where no triangle has an area."""
        a, b, c = (vertices[corner] for corner in self._corners)
        b, c = (b - a).T, (c - a).T
        # The cross product is as long as twice the area, which is the weight. Written out,
        # because np.cross is three times slower.
        area = np.empty((len(a), 3), np.float32)
        area[:, 0] = b[1] * c[2] - b[2] * c[1]
        area[:, 1] = b[2] * c[0] - b[0] * c[2]
        area[:, 2] = b[0] * c[1] - b[1] * c[0]
        normals = self._gather @ area
        length = np.sqrt(np.einsum("ij,ij->i", normals, normals))
        return normals / np.maximum(length, 1e-12)[:, None]
