"""Refine a sheet where colour or form needs it, smoothly and without cracks."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from recipes.heads.woven_mesh import Sheet


def refine(sheet: Sheet, person: np.ndarray, size: np.ndarray, rounds: int = 3) -> Sheet:
    """Split edges until none is longer than its ends allow.

    New vertices lie on the smooth surface through the old ones (butterfly stencil: half of the
    edge's ends, an eighth of the two vertices across, less a sixteenth of the four beyond).

    Args:
        sheet: what to refine; old vertices keep their numbers.
        person: (N, 3) source vertices on which lengths are measured.
        size: (V,) longest edge allowed near each vertex, metres.
        rounds: how many times an edge may be halved.
    """
    for _ in range(rounds):
        sheet, size = _split(sheet, person, size)
    return sheet


def _split(sheet: Sheet, person: np.ndarray, size: np.ndarray) -> tuple[Sheet, np.ndarray]:
    positions = sheet.place(person)
    across: dict[tuple[int, int], list[int]] = {}
    for triangle in sheet.triangles.tolist():
        for k in range(3):
            edge = tuple(sorted((triangle[k], triangle[k - 1])))
            across.setdefault(edge, []).append(triangle[k - 2])
    marked = [
        (a, b)
        for a, b in across
        if np.linalg.norm(positions[a] - positions[b]) > 1.05 * min(size[a], size[b])
    ]
    if not marked:
        return sheet, size
    count = len(sheet)
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
        piece for triangle in sheet.triangles.tolist() for piece in _pieces(triangle, number)
    ]
    refined = sheet.remix(sp.vstack([sp.identity(count), smooth]), np.array(triangles))
    refined.fields = {  # numbers between 0 and 1 must stay so
        name: np.concatenate([values, straight @ values]) for name, values in sheet.fields.items()
    }
    return refined, np.concatenate([size, straight @ size])


def _stencil(edge: tuple[int, int], across: dict) -> list[tuple[int, float]]:
    a, b = edge
    if len(across[edge]) != 2:
        return [(a, 0.5), (b, 0.5)]
    weights = [(a, 0.5), (b, 0.5)]
    for c in across[edge]:
        weights.append((c, 0.125))
        for end in edge:
            wing = tuple(sorted((end, c)))
            beyond = [v for v in across[wing] if v not in edge]
            other = edge[1] if end == edge[0] else edge[0]
            # at a border the wing is mirrored: as if the vertex beyond lay opposite
            weights += [(beyond[0], -0.0625)] if beyond else _mirrored(end, c, other)
    return weights


def _mirrored(end: int, c: int, other: int) -> list[tuple[int, float]]:
    return [(end, -0.0625), (c, -0.0625), (other, 0.0625)]


def _pieces(triangle: list[int], number: dict) -> list[tuple[int, int, int]]:
    """The triangles that replace one of which some edges were split."""
    new = [number.get(tuple(sorted((triangle[k], triangle[(k + 1) % 3])))) for k in range(3)]
    split = [k for k in range(3) if new[k] is not None]
    if not split:
        return [tuple(triangle)]
    if len(split) == 3:
        (a, b, c), (ab, bc, ca) = triangle, new
        return [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    if len(split) == 1:
        k = split[0]
        a, b, c = (triangle[(k + i) % 3] for i in range(3))
        return [(a, new[k], c), (new[k], b, c)]
    k = next(k for k in range(3) if new[k] is None)  # the whole edge is a-b
    a, b, c = (triangle[(k + i) % 3] for i in range(3))
    bc, ca = new[(k + 1) % 3], new[(k + 2) % 3]
    return [(a, b, bc), (a, bc, ca), (ca, bc, c)]
