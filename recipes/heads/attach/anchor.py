"""Anchor vertices to the skin below them."""

from __future__ import annotations

import numpy as np


def anchor(
    points: np.ndarray, template: np.ndarray, triangles: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find the skin's nearest triangle of each point: vertices (n, 3), barycentric shares (n, 3).

    Args:
        points: (n, 3) metres.
        template: (V, 3) metres.
        triangles: (F, 3) of the skin.
    """
    import trimesh

    mesh = trimesh.Trimesh(template, triangles, process=False)
    nearest, _, number = trimesh.proximity.closest_point(mesh, points)
    shares = trimesh.triangles.points_to_barycentric(template[triangles[number]], nearest)
    shares = np.clip(shares, 0.0, 1.0)
    return triangles[number], shares / shares.sum(1, keepdims=True)
