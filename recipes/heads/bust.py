"""Cuts the bust out of the whole body, with a smooth edge, closed from below."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from recipes.heads.woven_mesh import WovenMesh, edges, join, pick, rims

CENTRE, RADIUS = np.array([0.0, 0.715, 0.035]), 0.176  # metres, on the reference identity
SLIVER = 0.12  # share of an edge below which the cut is moved to the edge's end
RINGS = 2  # of the cap


def cut_bust(body: WovenMesh, reference: np.ndarray) -> WovenMesh:
    """Cut the body by a sphere around the head and close it by a cap on that sphere."""
    positions = body.positions(reference)
    inside = RADIUS - np.linalg.norm(positions - CENTRE, axis=1)
    return close(clip(body, inside), reference)


def on_sphere(positions: np.ndarray) -> np.ndarray:
    """Return the offsets that move positions (V, 3) radially onto the sphere."""
    away = positions - CENTRE
    return away * (RADIUS / np.linalg.norm(away, axis=1, keepdims=True) - 1)


def clip(mesh: WovenMesh, level: np.ndarray) -> WovenMesh:
    """Clip a mesh to where `level` (V,) is positive, cutting through triangles."""
    a, b = edges(mesh.triangles).T
    crossed = (level[a] > 0) != (level[b] > 0)
    share = np.abs(level[a]) / (np.abs(level[a]) + np.abs(level[b]) + 1e-12)
    level = level.copy()  # vertices next to the cut are snapped onto it, to avoid slivers
    for end, near in ((a, share < SLIVER), (b, share > 1 - SLIVER)):
        level[end[crossed & near]] = 0.0
    a, b = a[(level[a] * level[b]) < 0], b[(level[a] * level[b]) < 0]
    share = level[a] / (level[a] - level[b])
    size, rows = len(mesh), np.arange(len(a))
    middle = sp.csr_matrix(
        (np.concatenate([1 - share, share]), (np.tile(rows, 2), np.concatenate([a, b]))),
        (len(a), size),
    )
    number = {edge: size + k for k, edge in enumerate(zip(a.tolist(), b.tolist(), strict=True))}
    kept = []
    for triangle in mesh.triangles.tolist():
        polygon = []
        for p, q in zip(triangle, triangle[1:] + triangle[:1], strict=True):
            if level[p] >= 0:
                polygon.append(p)
            if level[p] * level[q] < 0:
                polygon.append(number[min(p, q), max(p, q)])
        if max(level[p] for p in triangle) > 0:
            kept += [(polygon[0], polygon[k], polygon[k + 1]) for k in range(1, len(polygon) - 1)]
    grown = mesh.remix(sp.vstack([sp.identity(size), middle]), np.array(kept))
    return grown.keep(grown.triangles)[0]


def close(mesh: WovenMesh, reference: np.ndarray) -> WovenMesh:
    """Close the lowest rim by a cap of concentric rings on the sphere; its field is "cap".

    The cap has its own vertices along the rim, so that the edge stays sharp.
    """
    positions = mesh.positions(reference)
    rim = min(rims(mesh.triangles), key=lambda loop: positions[loop, 1].mean())
    mesh.offset[rim] += on_sphere(positions[rim])
    count, size = len(rim), len(mesh)
    along = pick(rim, size)
    middle = sp.csr_matrix(np.full((1, count), 1 / count)) @ along
    spread = sp.csr_matrix(np.ones((count, 1))) @ middle
    shares = np.linspace(1, 0, RINGS + 1)[:-1]
    weave = sp.vstack([*(s * along + (1 - s) * spread for s in shares), middle])
    triangles = []
    for k in range(RINGS):
        for i in range(count):
            j = (i + 1) % count
            a, b = k * count + i, k * count + j
            if k + 1 < RINGS:
                triangles += [(b, a, a + count), (b, a + count, b + count)]
            else:
                triangles.append((b, a, RINGS * count))
    cap = mesh.remix(weave, np.array(triangles))
    cap.offset += on_sphere(cap.positions(reference))
    cap.fields = {"cap": np.ones(len(cap))}
    return join([mesh, cap])
