"""Fewer vertices where nobody looks closely: half-edge collapses, the least visible one first.

Vertices are left out but never moved, so that displacements stay what they are. The error of a
collapse is the quadric of Garland and Heckbert, "Surface Simplification Using Quadric Error
Metrics", SIGGRAPH 1997, summed over several poses.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np

SLIVER = 0.1  # of an equilateral triangle's area-to-length ratio: none thinner is made
TURNED = 0.3  # cosine: no triangle turns further by a collapse
SPACING = 1e-5  # weight of an edge's length, so that flat surfaces keep even triangles
MOST = 9  # triangles around a vertex


def decimate(
    poses: Sequence[np.ndarray],
    corners: np.ndarray,
    charts: np.ndarray,
    groups: Sequence[tuple[np.ndarray, int]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Leave out vertices of a mesh, except those on its borders and on seams of texture.

    Args:
        poses: vertices (N, 3) of each pose, metres.
        corners: (F, 3) vertices of the triangles.
        charts: (F, 3) texture coordinates of the corners.
        groups: masks (N,) of vertices that may go, and how many may stay of each.

    Returns:
        Of the triangles that are left, their numbers (G,), corners and texture coordinates (G, 3).
    """
    mesh = _Mesh(poses, corners, charts)
    for mask, count in groups:
        mesh.thin_out(np.flatnonzero(mask).tolist(), count)
    left = sorted(mesh.faces)
    both = np.array([mesh.faces[number] for number in left])
    return np.array(left), both[:, 0], both[:, 1]


class _Mesh:
    """Triangles by number, and the numbers of the triangles around each vertex."""

    def __init__(
        self, poses: Sequence[np.ndarray], corners: np.ndarray, charts: np.ndarray
    ) -> None:
        self._points = [[tuple(point) for point in pose.tolist()] for pose in poses]
        both = np.stack([corners, charts], 1).tolist()
        self.faces: dict[int, list[list[int]]] = dict(enumerate(both))
        self._around: dict[int, set[int]] = {}
        for number, (face, _) in self.faces.items():
            for vertex in face:
                self._around.setdefault(vertex, set()).add(number)
        self._quadrics = [_quadrics(pose, corners) for pose in poses]
        self._fixed = _fixed(corners, charts)

    def thin_out(self, vertices: list[int], count: int) -> None:
        """Collapse edges from some of the vertices until `count` of them are left."""
        allowed = {v for v in vertices if v in self._around and v not in self._fixed}
        excess = sum(v in self._around for v in vertices) - count
        heap = [entry for v in sorted(allowed) if (entry := self._cheapest(v))]
        heapq.heapify(heap)
        while excess > 0 and heap:
            _, vertex, target = entry = heapq.heappop(heap)
            if vertex not in self._around:
                continue
            best = self._cheapest(vertex)
            if best != entry:  # the neighbourhood has changed
                if best:
                    heapq.heappush(heap, best)
                continue
            for neighbour in self._collapse(vertex, target) & allowed:
                if best := self._cheapest(neighbour):
                    heapq.heappush(heap, best)
            excess -= 1

    def _neighbours(self, vertex: int) -> set[int]:
        return {v for face in self._around[vertex] for v in self.faces[face][0]} - {vertex}

    def _cheapest(self, vertex: int) -> tuple[float, int, int] | None:
        """Return the error, the vertex, and the neighbour that may replace it at the least."""
        ranked = sorted((self._error(vertex, v), vertex, v) for v in self._neighbours(vertex))
        return next((entry for entry in ranked if self._allowed(vertex, entry[2])), None)

    def _error(self, vertex: int, target: int) -> float:
        error = 0.0
        for points, quadrics in zip(self._points, self._quadrics, strict=True):
            x, y, z = points[target]
            a, b, c, d, e, f, g, h, i, j = quadrics[vertex]
            error += a * x * x + b * y * y + c * z * z + j
            error += 2 * (d * x * y + e * x * z + f * y * z + g * x + h * y + i * z)
        here, there = self._points[0][vertex], self._points[0][target]
        length = sum((p - q) ** 2 for p, q in zip(here, there, strict=True))
        return max(error, 0.0) + SPACING * length * length

    def _allowed(self, vertex: int, target: int) -> bool:
        common = self._neighbours(vertex) & self._neighbours(target)
        gone = self._around[vertex] & self._around[target]
        if len(common) != 2 or len(gone) != 2:
            return False
        if len(self._around[vertex] | self._around[target]) - 2 > MOST + len(
            self._around[target]
        ) * (len(self._around[target]) > MOST):
            return False
        for face in self._around[vertex] - gone:
            old = self.faces[face][0]
            new = [target if v == vertex else v for v in old]
            for points in self._points:
                before = _normal(*(points[v] for v in old))
                after = _normal(*(points[v] for v in new))
                norm_before, norm_after = _dot(before, before) ** 0.5, _dot(after, after) ** 0.5
                if _dot(before, after) < TURNED * norm_before * norm_after:
                    return False
                a, b, c = (points[v] for v in new)
                longest = max(_squared(a, b), _squared(b, c), _squared(c, a))
                if norm_after < SLIVER * longest:
                    return False
        return True

    def _collapse(self, vertex: int, target: int) -> set[int]:
        """Replace a vertex by a neighbour, and return the neighbours of both."""
        gone = self._around[vertex] & self._around[target]
        face, chart = self.faces[min(gone)]
        coordinates = chart[face.index(target)]  # the target's, on this side of a seam
        touched = self._neighbours(vertex)
        for number in gone:
            for v in self.faces.pop(number)[0]:
                self._around[v].discard(number)
        for number in self._around.pop(vertex):
            face, chart = self.faces[number]
            corner = face.index(vertex)
            face[corner], chart[corner] = target, coordinates
            self._around[target].add(number)
        for quadrics in self._quadrics:
            joined = zip(quadrics[vertex], quadrics[target], strict=True)
            quadrics[target] = tuple(p + q for p, q in joined)
        return touched


def _quadrics(points: np.ndarray, corners: np.ndarray) -> list[tuple[float, ...]]:
    """Return the quadric of each vertex: its triangles' planes, weighted by area."""
    a, b, c = (points[corners[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    area = np.linalg.norm(normal, axis=1, keepdims=True)
    x, y, z = (normal / np.maximum(area, 1e-15)).T
    d = -(x * a[:, 0] + y * a[:, 1] + z * a[:, 2])
    terms = np.stack([x * x, y * y, z * z, x * y, x * z, y * z, x * d, y * d, z * d, d * d], 1)
    summed = np.zeros((len(points), 10))
    for k in range(3):
        np.add.at(summed, corners[:, k], terms * area)
    return [tuple(row) for row in summed.tolist()]


def _fixed(corners: np.ndarray, charts: np.ndarray) -> set[int]:
    """Return the vertices on borders of the mesh, and those with several texture coordinates."""
    sides = np.sort(corners[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), 1)
    edges, count = np.unique(sides, axis=0, return_counts=True)
    fixed = set(edges[count != 2].ravel().tolist())
    pairs = np.unique(np.stack([corners.ravel(), charts.ravel()], 1), axis=0)
    vertices, count = np.unique(pairs[:, 0], return_counts=True)
    return fixed | set(vertices[count > 1].tolist())


def _normal(a: Sequence[float], b: Sequence[float], c: Sequence[float]) -> tuple[float, ...]:
    ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    vx, vy, vz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    return uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _squared(a: Sequence[float], b: Sequence[float]) -> float:
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2
