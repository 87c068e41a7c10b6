"""Ambient occlusion of vertices at rest: how much of the surroundings' light reaches them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.spatial import cKDTree

from jambatalk.face.normals import SmoothNormals

DIRECTIONS = 96
CELL = 0.0015  # metres, of the height maps
OFF = 0.0015  # metres by which the light starts off the surface
SLOPE = 1.2  # cells by which a steep surface may rise within one
CLOSE = 0.004  # metres: how near surfaces of the mouth darken each other


def open_sky(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Return the part of the surroundings that each vertex sees, cosine-weighted: (V,), 0 to 1.

    For each of many directions, the surface is drawn into a map of heights as seen from there; a
    vertex sees the sky unless the map is higher than where its light starts.

    Args:
        points: (V, 3) metres.
        triangles: (F, 3) of the surface, which casts the shadows.
    """
    normals = SmoothNormals(triangles, len(points))(points)
    surface = _spread(points, triangles)
    start = points + OFF * normals
    seen, all_of_it = np.zeros(len(points)), np.full(len(points), 1e-9)
    for direction in _fibonacci_sphere(DIRECTIONS):
        across, facing = _across(direction), np.maximum(normals @ direction, 0)
        there, here = surface @ across, start @ across
        low = np.minimum(there.min(0), here.min(0))
        columns = int((np.maximum(there.max(0), here.max(0)) - low).max() / CELL) + 2
        height = np.full(columns * columns, -np.inf)
        np.maximum.at(height, _cells(there - low, columns), surface @ direction)
        above = height[_cells(here - low, columns)] - start @ direction
        seen += facing * (above < SLOPE * CELL)
        all_of_it += facing
    return np.minimum(seen / all_of_it, 1)


def crowding(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Return how much of each vertex's view is filled by surfaces close by: (V,), 0 to 1.

    Every triangle nearer than `CLOSE` counts by its form factor.
    """
    normals = SmoothNormals(triangles, len(points))(points)
    a, b, c = (points[triangles[:, k]] for k in range(3))
    middle, facing = (a + b + c) / 3, np.cross(b - a, c - a) / 2
    receivers = np.unique(triangles)
    near = cKDTree(middle).query_ball_point(points[receivers], CLOSE)
    pairs = np.repeat(receivers, [len(found) for found in near])
    sources = np.concatenate([np.array(found, int) for found in near])
    towards = middle[sources] - points[pairs]
    squared = (towards**2).sum(1) + 1e-7
    out = np.maximum((towards * normals[pairs]).sum(1), 0)
    back = np.maximum(-(towards * facing[sources]).sum(1), 0)
    filled = np.zeros(len(points))
    np.add.at(filled, pairs, out * back / (np.pi * squared**2))
    return np.minimum(filled, 1)


def smoothed(values: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Return values (V,) averaged with those of the vertices around them, half and half."""
    summed, count = np.zeros(len(values)), np.full(len(values), 1e-9)
    for k in range(3):
        for other in (1, 2):
            np.add.at(summed, triangles[:, k], values[triangles[:, (k + other) % 3]])
            np.add.at(count, triangles[:, k], 1)
    return np.where(count > 0.5, (values + summed / count) / 2, values)


def _spread(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Return points (n, 3) all over the triangles, less than a cell apart."""
    corners = points[triangles]
    longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(1)
    parts = np.ceil(longest / (0.8 * CELL)).astype(int).clip(1)
    return np.concatenate(list(_on_grids(corners, parts)))


def _on_grids(corners: np.ndarray, parts: np.ndarray) -> Iterator[np.ndarray]:
    for count in np.unique(parts).tolist():
        u, v = np.meshgrid(np.arange(count + 1), np.arange(count + 1))
        inside = u + v <= count
        u, v = u[inside] / count, v[inside] / count
        yield (np.stack([1 - u - v, u, v], 1) @ corners[parts == count]).reshape(-1, 3)


def _across(direction: np.ndarray) -> np.ndarray:
    """Return two axes (3, 2) perpendicular to a direction."""
    other = np.eye(3)[np.abs(direction).argmin()]
    first = np.cross(direction, other)
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(direction, first)], 1)


def _cells(places: np.ndarray, columns: int) -> np.ndarray:
    cell = (places / CELL).astype(int)
    return cell[:, 0] * columns + cell[:, 1]


def _fibonacci_sphere(count: int) -> np.ndarray:
    """Return evenly spread unit vectors (count, 3)."""
    number = np.arange(count)
    z = 1 - (2 * number + 1) / count
    turn = number * np.pi * (3 - np.sqrt(5))
    across = np.sqrt(1 - z * z)
    return np.stack([across * np.cos(turn), across * np.sin(turn), z], 1)
