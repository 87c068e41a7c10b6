"""Ambient occlusion per vertex, which darkens creases that vertex lighting cannot."""

from __future__ import annotations

import numpy as np

DIRECTIONS = 96
CELL = 0.0016  # metres, pixel of the depth images
BIAS = 0.0020  # metres by which an occluder must be in front of a vertex


def openness(positions: np.ndarray, triangles: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Return 0 (occluded) to 1 (open), cosine-weighted over each vertex's hemisphere: (V,).

    For each of many directions the surface is splatted into a depth image; a vertex is lit from
    there unless the image holds a surface in front of it.
    """
    samples = _samples(positions, triangles)
    lit, total = np.zeros(len(positions)), np.zeros(len(positions))
    for towards in _directions():
        side = np.cross(towards, [0.0, 1.0, 0.0] if abs(towards[1]) < 0.9 else [1.0, 0.0, 0.0])
        side /= np.linalg.norm(side)
        frame = np.stack([side, np.cross(towards, side), towards], axis=1)
        depth, height = samples @ frame, positions @ frame
        low = depth[:, :2].min(axis=0)
        columns = int(np.ptp(depth[:, 0]) / CELL) + 2
        cell = ((depth[:, :2] - low) / CELL).astype(int) @ [1, columns]
        image = np.full(cell.max() + columns + 2, -np.inf)
        np.maximum.at(image, cell, depth[:, 2])
        mine = np.clip(((height[:, :2] - low) / CELL).astype(int), 0, None) @ [1, columns]
        facing = np.clip(normals @ towards, 0, 1)
        bias = BIAS + CELL / np.maximum(facing, 0.25)
        visible = height[:, 2] > image[np.clip(mine, 0, len(image) - 1)] - bias
        lit += facing * visible
        total += facing
    return lit / np.maximum(total, 1e-9)


def _samples(positions: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Sample points on the triangles, about half a cell apart."""
    corners = positions[triangles]
    longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
    steps = np.maximum(1, np.ceil(longest / (0.7 * CELL))).astype(int)
    parts = [positions]
    for count in np.unique(steps):
        a, b = np.indices((count + 1, count + 1)).reshape(2, -1) / count
        a, b = a[a + b <= 1 + 1e-9], b[a + b <= 1 + 1e-9]
        shares = np.stack([1 - a - b, a, b], axis=1)
        parts.append((shares @ corners[steps == count]).reshape(-1, 3))
    points = np.concatenate(parts)
    _, first = np.unique(np.round(points / (0.5 * CELL)).astype(int), axis=0, return_index=True)
    return points[first]


def _directions() -> np.ndarray:
    """Return evenly spread unit vectors (a Fibonacci sphere)."""
    k = np.arange(DIRECTIONS) + 0.5
    y, turn = 1 - 2 * k / DIRECTIONS, np.pi * (1 + 5**0.5) * k
    r = np.sqrt(1 - y * y)
    return np.stack([r * np.cos(turn), y, r * np.sin(turn)], axis=1)
