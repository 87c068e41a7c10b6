"""Ambient occlusion: how much of the sky each vertex sees, for creases the lights cannot know."""

from __future__ import annotations

import numpy as np

DIRECTIONS = 96
CELL = 0.0016  # metres, of the depth pictures
BIAS = 0.0020  # metres; what hides a vertex must be nearer by this much


def openness(positions: np.ndarray, triangles: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """(V,) from 0 (hidden) to 1 (open), cosine-weighted over the half space above each vertex.

    For each of many directions the surface is splatted into a depth picture, and a vertex counts
    as lit from there when nothing lies before it.
    """
    samples = _samples(positions, triangles)
    seen, total = np.zeros(len(positions)), np.zeros(len(positions))
    for towards in _directions():
        side = np.cross(towards, [0.0, 1.0, 0.0] if abs(towards[1]) < 0.9 else [1.0, 0.0, 0.0])
        side /= np.linalg.norm(side)
        frame = np.stack([side, np.cross(towards, side), towards], axis=1)
        depth, height = samples @ frame, positions @ frame
        low = depth[:, :2].min(axis=0)
        columns = int(np.ptp(depth[:, 0]) / CELL) + 2
        cell = ((depth[:, :2] - low) / CELL).astype(int) @ [1, columns]
        picture = np.full(cell.max() + columns + 2, -np.inf)
        np.maximum.at(picture, cell, depth[:, 2])
        mine = np.clip(((height[:, :2] - low) / CELL).astype(int), 0, None) @ [1, columns]
        facing = np.clip(normals @ towards, 0, 1)
        bias = BIAS + CELL / np.maximum(facing, 0.25)
        open_ = height[:, 2] > picture[np.clip(mine, 0, len(picture) - 1)] - bias
        seen += facing * open_
        total += facing
    return seen / np.maximum(total, 1e-9)


def _samples(positions: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Points on the triangles, about half a cell apart."""
    corners = positions[triangles]
    longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
    steps = np.maximum(1, np.ceil(longest / (0.7 * CELL))).astype(int)
    points = [positions]
    for count in np.unique(steps):
        a, b = np.indices((count + 1, count + 1)).reshape(2, -1) / count
        a, b = a[a + b <= 1 + 1e-9], b[a + b <= 1 + 1e-9]
        shares = np.stack([1 - a - b, a, b], axis=1)
        points.append((shares @ corners[steps == count]).reshape(-1, 3))
    points = np.concatenate(points)
    _, first = np.unique(np.round(points / (0.5 * CELL)).astype(int), axis=0, return_index=True)
    return points[first]


def _directions() -> np.ndarray:
    """Evenly spread unit vectors (a Fibonacci sphere)."""
    k = np.arange(DIRECTIONS) + 0.5
    y, turn = 1 - 2 * k / DIRECTIONS, np.pi * (1 + 5**0.5) * k
    r = np.sqrt(1 - y * y)
    return np.stack([r * np.cos(turn), y, r * np.sin(turn)], axis=1)
