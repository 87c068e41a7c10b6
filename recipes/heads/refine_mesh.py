"""Refines a mesh where colour or shape needs it, smoothly and without cracks."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from recipes.heads.woven_mesh import WovenMesh

Edge = tuple[int, int]


def refine(mesh: WovenMesh, reference: np.ndarray, size: np.ndarray, rounds: int = 3) -> WovenMesh:
    """Split edges until none is longer than its ends allow.

    New vertices lie on the smooth surface through the old ones (butterfly subdivision: weights 1/2
    at the edge's ends, 1/8 at the two vertices across, -1/16 at the four beyond).

    Args:
        mesh: the mesh to refine; old vertices keep their numbers.
        reference: (N, 3) source vertices at which lengths are measured.
        size: (V,) longest allowed edge near each vertex, metres.
        rounds: most halvings of an edge.
    """
    for _ in range(rounds):
        mesh, size = _split(mesh, reference, size)
    return mesh


def _split(
    mesh: WovenMesh, reference: np.ndarray, size: np.ndarray
) -> tuple[WovenMesh, np.ndarray]:
    """Halve the edges that are too long once; return the mesh and its sizes."""
    positions = mesh.positions(reference)
    across: dict[tuple[int, int], list[int]] = {}
    for triangle in mesh.triangles.tolist():
        for k in range(3):
            edge = _edge(triangle[k], triangle[k - 1])
            across.setdefault(edge, []).append(triangle[k - 2])
    marked = [
        (a, b)
        for a, b in across
        if np.linalg.norm(positions[a] - positions[b]) > 1.05 * min(size[a], size[b])
    ]
    if not marked:
        return mesh, size
    count = len(mesh)
    number = {edge: count + k for k, edge in enumerate(marked)}
    rows, columns, values = [], [], []
    for k, edge in enumerate(marked):
        for column, value in _stencil(edge, across):
            rows.append(k)
            columns.append(column)
            values.append(value)
    smooth = sp.csr_matrix((values, (rows, columns)), (len(marked), count))
    ends = np.array(marked)
    straight = sp.csr_matrix(
        (np.full(2 * len(marked), 0.5), (np.repeat(range(len(marked)), 2), ends.ravel())),
        (len(marked), count),
    )
    triangles = [
        piece for triangle in mesh.triangles.tolist() for piece in _pieces(triangle, number)
    ]
    refined = mesh.remix(sp.vstack([sp.identity(count), smooth]), np.array(triangles))
    refined.fields = {  # straight interpolation keeps fields between 0 and 1
        name: np.concatenate([values, straight @ values]) for name, values in mesh.fields.items()
    }
    return refined, np.concatenate([size, straight @ size])


def _stencil(edge: Edge, across: dict[Edge, list[int]]) -> list[tuple[int, float]]:
    """Return vertices and weights of the new vertex on an edge."""
    a, b = edge
    if len(across[edge]) != 2:
        return [(a, 0.5), (b, 0.5)]
    weights = [(a, 0.5), (b, 0.5)]
    for c in across[edge]:
        weights.append((c, 0.125))
        for end in edge:
            wing = _edge(end, c)
            beyond = [v for v in across[wing] if v not in edge]
            other = edge[1] if end == edge[0] else edge[0]
            # at a border, the vertex beyond is mirrored
            weights += [(beyond[0], -0.0625)] if beyond else _mirrored(end, c, other)
    return weights


def _mirrored(end: int, c: int, other: int) -> list[tuple[int, float]]:
    """Return the weights of a vertex beyond the border, mirrored."""
    return [(end, -0.0625), (c, -0.0625), (other, 0.0625)]


def _pieces(triangle: list[int], number: dict[Edge, int]) -> list[tuple[int, int, int]]:
    """Return the triangles that replace one of which some edges were split."""
    new = [number.get(_edge(triangle[k], triangle[(k + 1) % 3]), -1) for k in range(3)]
    split = [k for k in range(3) if new[k] >= 0]
    if not split:
        return [(triangle[0], triangle[1], triangle[2])]
    if len(split) == 3:
        (a, b, c), (ab, bc, ca) = triangle, new
        return [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    if len(split) == 1:
        k = split[0]
        a, b, c = (triangle[(k + i) % 3] for i in range(3))
        return [(a, new[k], c), (new[k], b, c)]
    k = next(k for k in range(3) if new[k] < 0)  # the whole edge is a-b
    a, b, c = (triangle[(k + i) % 3] for i in range(3))
    bc, ca = new[(k + 1) % 3], new[(k + 2) % 3]
    return [(a, b, bc), (a, bc, ca), (ca, bc, c)]


def _edge(a: int, b: int) -> Edge:
    """Return an undirected edge, the lower vertex first."""
    return (a, b) if a < b else (b, a)
