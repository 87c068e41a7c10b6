"""Sheet: a triangle mesh woven from MakeHuman's vertices.

Every vertex of our heads is a fixed weighted sum of MakeHuman's vertices plus a fixed offset. So
one sparse matrix turns any identity into a template and any blendshape into a row of the deltas, and
cutting, refining and placing teeth are all products with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp


@dataclass
class Sheet:
    """A mesh of V vertices and F triangles over N source vertices.

    Attributes:
        weave: (V, N) sparse, rows sum to 1.
        triangles: (F, 3), counter-clockwise seen from outside.
        offset: (V, 3) metres, added to the woven positions, not to the blendshapes.
        fields: name → (V,) numbers between 0 and 1 that follow the mesh: "lips", "lids", ...
    """

    weave: sp.csr_matrix
    triangles: np.ndarray
    offset: np.ndarray = None
    fields: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.weave = sp.csr_matrix(self.weave)
        if self.offset is None:
            self.offset = np.zeros((self.weave.shape[0], 3))

    def __len__(self) -> int:
        return self.weave.shape[0]

    def place(self, vertices: np.ndarray) -> np.ndarray:
        """Positions (V, 3) on a person whose source vertices are (N, 3)."""
        return self.weave @ vertices + self.offset

    def remix(self, matrix: sp.spmatrix, triangles: np.ndarray) -> Sheet:
        """A new sheet whose vertices are `matrix` (V', V) times these."""
        matrix = sp.csr_matrix(matrix)
        fields = {name: matrix @ values for name, values in self.fields.items()}
        return Sheet(matrix @ self.weave, triangles, matrix @ self.offset, fields)

    def keep(self, triangles: np.ndarray) -> tuple[Sheet, np.ndarray]:
        """Only the given triangles and their vertices, and which vertices those were."""
        used, renumbered = np.unique(triangles, return_inverse=True)
        return self.remix(pick(used, len(self)), renumbered.reshape(-1, 3)), used


def pick(indices: np.ndarray, size: int) -> sp.csr_matrix:
    """The (n, size) matrix that picks rows."""
    count = len(indices)
    return sp.csr_matrix((np.ones(count), (np.arange(count), indices)), (count, size))


def halve(quads: np.ndarray) -> np.ndarray:
    """Triangles (2F, 3) of quads (F, 4)."""
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def from_quads(quads: np.ndarray, size: int) -> Sheet:
    """The sheet that is a part of the source mesh itself."""
    used, renumbered = np.unique(quads, return_inverse=True)
    return Sheet(pick(used, size), halve(renumbered.reshape(-1, 4)))


def follow(points: np.ndarray, guides: np.ndarray, source: np.ndarray) -> sp.csr_matrix:
    """The weave (V, N) that ties free points to the least-squares affine motion of guides.

    Args:
        points: (V, 3) where the points are on the reference person.
        guides: indices of at least four source vertices that do not lie in one plane.
        source: (N, 3) the reference person.
    """
    ones = np.ones((len(guides), 1))
    deltas = np.hstack([source[guides], ones])
    rows = np.hstack([points, np.ones((len(points), 1))]) @ np.linalg.pinv(deltas)
    row, column = np.indices(rows.shape)
    return sp.csr_matrix(
        (rows.ravel(), (row.ravel(), guides[column.ravel()])), (len(points), len(source))
    )


def edges(triangles: np.ndarray) -> np.ndarray:
    """Undirected edges (E, 2), each once, low index first."""
    pairs = triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    return np.unique(np.sort(pairs, axis=1), axis=0)


def neighbours(triangles: np.ndarray, size: int) -> sp.csr_matrix:
    """The (size, size) matrix that averages over the vertices an edge away."""
    a, b = edges(triangles).T
    one = np.ones(len(a))
    graph = sp.csr_matrix((np.append(one, one), (np.append(a, b), np.append(b, a))), (size, size))
    return sp.diags(1 / np.maximum(graph.sum(axis=1).A1, 1)) @ graph


def rims(triangles: np.ndarray) -> list[np.ndarray]:
    """The closed loops of edges that have one triangle only, longest first, in face direction."""
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
    """Area-weighted unit vertex normals (V, 3)."""
    a, b, c = (positions[triangles[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a)
    total = np.zeros_like(positions)
    for k in range(3):
        np.add.at(total, triangles[:, k], flat)
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-20)


def join(sheets: Sequence[Sheet]) -> Sheet:
    """All sheets as one; a field that a sheet lacks is 0 on it."""
    starts = np.cumsum([0, *map(len, sheets)])
    names = sorted({name for sheet in sheets for name in sheet.fields})
    return Sheet(
        sp.vstack([sheet.weave for sheet in sheets], format="csr"),
        np.concatenate([s.triangles + start for s, start in zip(sheets, starts, strict=False)]),
        np.concatenate([sheet.offset for sheet in sheets]),
        {
            name: np.concatenate([s.fields.get(name, np.zeros(len(s))) for s in sheets])
            for name in names
        },
    )
