"""WovenMesh: a triangle mesh whose vertices are linear in MakeHuman's vertices.

Every vertex of the heads is a fixed weighted sum of MakeHuman's vertices plus a fixed offset. One
sparse matrix thus turns any identity into a template and any blendshape into deltas; cutting,
refining and adding teeth are products with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp


@dataclass
class WovenMesh:
    """A mesh of V vertices and F triangles over N source vertices.

    Attributes:
        weave: (V, N) sparse weights; rows sum to 1.
        triangles: (F, 3), counter-clockwise from outside.
        offset: (V, 3) metres, added to positions, not to deltas.
        fields: name → (V,) in 0..1, interpolated when the mesh is changed: "lips", "skin", ...
    """

    weave: sp.csr_matrix
    triangles: np.ndarray
    offset: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    fields: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.weave = sp.csr_matrix(self.weave)
        if not len(self.offset):
            self.offset = np.zeros((self.weave.shape[0], 3))

    def __len__(self) -> int:
        return self.weave.shape[0]

    def positions(self, vertices: np.ndarray) -> np.ndarray:
        """Return the positions (V, 3) for source vertices (N, 3)."""
        return self.weave @ vertices + self.offset

    def remix(self, matrix: sp.spmatrix, triangles: np.ndarray) -> WovenMesh:
        """Return a mesh whose vertices are `matrix` (V', V) times these."""
        matrix = sp.csr_matrix(matrix)
        fields = {name: matrix @ values for name, values in self.fields.items()}
        return WovenMesh(matrix @ self.weave, triangles, matrix @ self.offset, fields)

    def keep(self, triangles: np.ndarray) -> tuple[WovenMesh, np.ndarray]:
        """Keep only some triangles; return the mesh and the numbers of the kept vertices."""
        used, renumbered = np.unique(triangles, return_inverse=True)
        return self.remix(pick(used, len(self)), renumbered.reshape(-1, 3)), used


def pick(indices: np.ndarray, size: int) -> sp.csr_matrix:
    """Return the (n, size) matrix that selects rows."""
    count = len(indices)
    return sp.csr_matrix((np.ones(count), (np.arange(count), indices)), (count, size))


def halve(quads: np.ndarray) -> np.ndarray:
    """Split quads (F, 4) into triangles (2F, 3)."""
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def from_quads(quads: np.ndarray, size: int) -> WovenMesh:
    """Return the mesh of some quads (F, 4) of the source mesh."""
    used, renumbered = np.unique(quads, return_inverse=True)
    return WovenMesh(pick(used, size), halve(renumbered.reshape(-1, 4)))


def follow(points: np.ndarray, guides: np.ndarray, source: np.ndarray) -> sp.csr_matrix:
    """Return weights (V, N) that make points follow the best affine motion of guide vertices.

    Args:
        points: (V, 3) positions on the reference identity.
        guides: indices of at least four source vertices, not coplanar.
        source: (N, 3) vertices of the reference identity.
    """
    ones = np.ones((len(guides), 1))
    deltas = np.hstack([source[guides], ones])
    rows = np.hstack([points, np.ones((len(points), 1))]) @ np.linalg.pinv(deltas)
    row, column = np.indices(rows.shape)
    return sp.csr_matrix(
        (rows.ravel(), (row.ravel(), guides[column.ravel()])), (len(points), len(source))
    )


def edges(triangles: np.ndarray) -> np.ndarray:
    """Return the undirected edges (E, 2), each once, lower index first."""
    pairs = triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    return np.unique(np.sort(pairs, axis=1), axis=0)


def neighbours(triangles: np.ndarray, size: int) -> sp.csr_matrix:
    """Return the (size, size) matrix that averages over adjacent vertices."""
    a, b = edges(triangles).T
    one = np.ones(len(a))
    graph = sp.csr_matrix((np.append(one, one), (np.append(a, b), np.append(b, a))), (size, size))
    return sp.diags(1 / np.maximum(graph.sum(axis=1).A1, 1)) @ graph


def rims(triangles: np.ndarray) -> list[np.ndarray]:
    """Return the boundary loops, longest first, in the direction of the faces."""
    directed = triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    known = {(a, b) for a, b in directed.tolist()}
    after = {a: b for a, b in directed.tolist() if (b, a) not in known}
    loops = []
    while after:
        start, step = after.popitem()
        loop = [start]
        while step != start:
            loop.append(step)
            step = after.pop(step)
        loops.append(np.array(loop))
    return sorted(loops, key=len, reverse=True)


def normals(positions: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Return area-weighted unit vertex normals (V, 3)."""
    a, b, c = (positions[triangles[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a)
    total = np.zeros_like(positions)
    for k in range(3):
        np.add.at(total, triangles[:, k], flat)
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-20)


def join(meshes: Sequence[WovenMesh]) -> WovenMesh:
    """Join meshes; fields that a mesh lacks are 0 on it."""
    starts = np.cumsum([0, *map(len, meshes)])
    names = sorted({name for mesh in meshes for name in mesh.fields})
    return WovenMesh(
        sp.vstack([mesh.weave for mesh in meshes], format="csr"),
        np.concatenate([s.triangles + start for s, start in zip(meshes, starts, strict=False)]),
        np.concatenate([mesh.offset for mesh in meshes]),
        {
            name: np.concatenate([s.fields.get(name, np.zeros(len(s))) for s in meshes])
            for name in names
        },
    )
