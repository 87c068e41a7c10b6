"""Round hair off where its mesh is so coarse that its outline shows corners."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jambatalk.face.normals import SmoothNormals
from recipes.heads.makehuman_assets import ProxyMesh

BULGE = (0.0007, 0.004)  # metres by which the middle of an edge is moved; more is a sharp bend


def round_off(positions: np.ndarray, mesh: ProxyMesh) -> tuple[np.ndarray, ProxyMesh]:
    """Halve the edges of hair (n, 3) between which it is bent, and move their middles outwards.

    The middles lie on curves that leave both ends at right angles to the normals there, as in
    Vlachos and others, "Curved PN Triangles", 2001.
    """
    corners = mesh.vertex[mesh.triangles]
    normals = SmoothNormals(corners, len(positions))(positions)
    own, number = _edges(mesh.triangles)
    ends = mesh.vertex[own]
    welded, same = np.unique(np.sort(ends, axis=1), axis=0, return_inverse=True)
    a, b = positions[welded].swapaxes(0, 1)
    bent = (
        sum(
            np.einsum("ed,ed->e", end - other, normal)[:, None] * normal
            for end, other, normal in ((a, b, normals[welded[:, 0]]), (b, a, normals[welded[:, 1]]))
        )
        / 8
    )
    size = np.linalg.norm(bent, axis=1)
    halved = (size > BULGE[0]) & (size < BULGE[1])
    middle = len(positions) + np.cumsum(halved) - 1
    split = halved[same.ravel()]
    place = np.where(split, len(mesh.vertex) + np.cumsum(split) - 1, -1)
    rounded = replace(
        mesh,
        vertex=np.concatenate([mesh.vertex, middle[same.ravel()[split]]]),
        uv=np.concatenate([mesh.uv, mesh.uv[own[split]].mean(1)]),
        triangles=_halve(mesh.triangles, place[number].reshape(-1, 3)),
    )
    return np.concatenate([positions, ((a + b) / 2 + bent)[halved]]), rounded


def _edges(triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the edges (e, 2) of triangles (f, 3), and the number of each side's: (3 f,)."""
    sides = np.stack([triangles, np.roll(triangles, -1, axis=1)], -1).reshape(-1, 2)
    edges, number = np.unique(np.sort(sides, axis=1), axis=0, return_inverse=True)
    return edges, number.ravel()


def _halve(triangles: np.ndarray, middles: np.ndarray) -> np.ndarray:
    """Divide triangles (f, 3), given the vertex in the middle of each side (f, 3), or -1."""
    divided: list[tuple[int, int, int]] = []
    for corner, middle in zip(triangles.tolist(), middles.tolist(), strict=True):
        whole = [k for k in range(3) if middle[k] < 0]
        # turned so that the first sides are the ones in halves
        turn = {1: sum(whole) + 1, 2: 3 - sum(whole)}.get(len(whole), 0)
        (a, b, c), (ab, bc, ca) = (
            values[turn % 3 :] + values[: turn % 3] for values in (corner, middle)
        )
        divided += {
            3: [(a, b, c)],
            2: [(a, ab, c), (ab, b, c)],
            1: [(ab, b, bc), (a, ab, bc), (a, bc, c)],
            0: [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)],
        }[len(whole)]
    return np.array(divided)
