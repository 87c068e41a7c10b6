"""Smooth vertex normals of a mesh in motion, and how far its surface is compressed."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix


class SmoothNormals:
    """Area-weighted vertex normals, by one sparse product per frame.

    Args:
        triangles: (F, 3) vertex indices, counter-clockwise seen from outside.
        vertex_count: V.
        weld: (V,) for each vertex the first one at the same point of the surface, so that no edge
            shows where a mesh is split; None if it is not.
    """

    def __init__(
        self, triangles: np.ndarray, vertex_count: int, weld: np.ndarray | None = None
    ) -> None:
        self._corners = [corner.astype(np.intp) for corner in triangles.T]
        count = len(triangles)
        if weld is None:
            points, self._point = triangles, None
        else:
            first, self._point = np.unique(weld, return_inverse=True)
            points, vertex_count = self._point[triangles], len(first)
        corner_of = (points.ravel(), np.repeat(np.arange(count), 3))
        self._gather = csr_matrix(  # (points, F): 1 where a triangle touches a point
            (np.ones(3 * count, np.float32), corner_of), shape=(vertex_count, count)
        )

    def __call__(self, vertices: np.ndarray) -> np.ndarray:
        """Return unit normals (V, 3) of `vertices` (V, 3); 0 where no triangle has an area."""
        return self._spread(_unit(self._gather @ self._area_vectors(vertices)))

    def with_areas(self, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return unit normals (V, 3), and the area (V,) of the triangles round each vertex, twice
        and in square metres."""
        area = self._area_vectors(vertices)
        size = np.sqrt(np.einsum("ij,ij->i", area, area))
        summed = self._gather @ np.column_stack([area, size])
        return self._spread(_unit(summed[:, :3])), self._spread(summed[:, 3])

    def _spread(self, values: np.ndarray) -> np.ndarray:
        """Return the values of points for vertices."""
        return values if self._point is None else values.take(self._point, axis=0, mode="clip")

    def _area_vectors(self, vertices: np.ndarray) -> np.ndarray:
        """Return each triangle's normal, as long as twice its area, (F, 3)."""
        # One row per coordinate, and mode "clip" for indices that are never out of range: three
        # times faster than vertices[corner].
        rows = np.ascontiguousarray(vertices.T)
        a, b, c = (rows.take(corner, axis=1, mode="clip") for corner in self._corners)
        b -= a
        c -= a
        # np.cross is three times slower.
        area = np.empty((a.shape[1], 3), np.float32)
        area[:, 0] = b[1] * c[2] - b[2] * c[1]
        area[:, 1] = b[2] * c[0] - b[0] * c[2]
        area[:, 2] = b[0] * c[1] - b[1] * c[0]
        return area


def _unit(vectors: np.ndarray) -> np.ndarray:
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    return vectors / np.maximum(length, 1e-12)[:, None]
