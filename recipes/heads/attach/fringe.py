"""Move a fringe off the face, so that both eyes and the mouth are free."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from recipes.heads.attach.skull import Skull
from recipes.heads.makehuman_assets import ProxyMesh

AXIS = -0.085  # metres, z of the upright line around which a fringe is moved
HEIGHTS = np.arange(-0.30, 0.16, 0.004)  # metres
ANGLES = np.arange(-180.0, 181.0, 4.0)  # degrees
BEHIND = 88.0  # degrees to the side; hair further behind stays, and so do ears
TORN, SHORT = 3.0, 0.004  # times as long, and metres longer, are the sides of a torn triangle
LOOSE = 0.011  # metres above the skin, from which hair that is swept aside is drawn closer


@dataclass(frozen=True)
class Fringe:
    """How the fringe of a haircut is moved; angles in degrees from the middle of the face.

    Attributes:
        side: -1 if it hangs over the right half of the face, else 1.
        parting: angle to its own side beyond which hair belongs to it.
        free: angle from which hair may hang beside the face.
        brow, top: heights in metres at which the fringe is moved in full, and not at all.
        raised: whether it is shortened to the height of the brow, not swept aside.
    """

    side: int = -1
    parting: float = -30.0
    free: float = 42.0
    brow: float = 0.004
    top: float = 0.092
    raised: bool = False

    def move(self, positions: np.ndarray, skull: Skull) -> np.ndarray:
        """Move hair (n, 3), metres."""
        angle, height, radius = _cylindric(positions)
        aside = self.side * angle
        if self.raised:
            new_aside, new_height = aside, self._raise(aside, height)
        else:
            new_aside, new_height = self._sweep(aside, height), height
        surface = _Surface(skull)
        clear = radius - surface.radius(angle, height)
        moved = np.hypot(new_aside - aside, 400 * (new_height - height))
        part = np.clip(moved / 20, 0, 1)
        closer = np.where(clear > LOOSE, LOOSE + 0.35 * (clear - LOOSE), clear)
        clear = clear + part * (closer - clear)
        new_radius = surface.radius(self.side * new_aside, new_height) + clear
        new_radius = np.where(moved > 0, new_radius, radius)
        turned = np.radians(self.side * new_aside)
        x, z = new_radius * np.sin(turned), new_radius * np.cos(turned) + AXIS
        return np.where(moved[:, None] > 0, np.column_stack([x, new_height, z]), positions)

    def _sweep(self, aside: np.ndarray, height: np.ndarray) -> np.ndarray:
        """Return the angles of strands drawn to the side, as between curtains."""
        own = (aside > self.parting) & (aside < BEHIND)
        edge = self._edge(aside[own], height[own], height)
        amount = _smooth((self.top - height) / (self.top - self.brow))
        target = edge + amount * np.maximum(self.free - edge, 0)
        inner = (aside - edge) / np.maximum(BEHIND - edge, 1)
        swept = target + np.maximum(inner, 0) * (BEHIND - target)
        return np.where(own & (swept > aside), swept, aside)

    def _raise(self, aside: np.ndarray, height: np.ndarray) -> np.ndarray:
        """Return the heights of strands shortened to end above the brow."""
        own = (aside > self.parting) & (aside < BEHIND) & (height < self.top)
        lowest = height[own & (aside < self.free)].min(initial=self.brow)
        part = (self.top - self.brow) / (self.top - lowest)
        beside = _smooth((aside - self.free) / (BEHIND - self.free))
        begun = _smooth((aside - self.parting) / 15)
        part = 1 + begun * (1 - beside) * (part - 1)
        return np.where(own, self.top - part * (self.top - height), height)

    def _edge(self, aside: np.ndarray, height: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Return the angle of the fringe's inner edge at some heights."""
        lowest = np.full(len(HEIGHTS), np.nan)
        for row, middle in enumerate(HEIGHTS):
            level = np.abs(height - middle) < 0.008
            if level.any():
                lowest[row] = aside[level].min()
        known = ~np.isnan(lowest)
        edges = np.interp(HEIGHTS, HEIGHTS[known], lowest[known])
        return np.interp(at, HEIGHTS, gaussian_filter1d(edges, 1.5))


def without_torn(mesh: ProxyMesh, before: np.ndarray, after: np.ndarray) -> ProxyMesh:
    """Leave out triangles that moving vertices, before and after (N, 3), has drawn apart."""
    corners = mesh.vertex[mesh.triangles]
    sides = corners[:, [1, 2, 0]], corners
    long = [
        np.linalg.norm(points[sides[0]] - points[sides[1]], axis=2) for points in (before, after)
    ]
    torn = (long[1] > TORN * long[0] + SHORT).any(1)
    return replace(mesh, triangles=mesh.triangles[~torn])


class _Surface:
    """How far the skin is from the axis, smoothed: by angle and height."""

    def __init__(self, skull: Skull) -> None:
        angle, height, radius = _cylindric(skull.points)
        columns = np.digitize(angle, ANGLES) - 1
        rows = np.clip(np.digitize(height, HEIGHTS) - 1, 0, len(HEIGHTS) - 1)
        highest = np.zeros((len(HEIGHTS), len(ANGLES)))
        np.maximum.at(highest, (rows, columns), radius)
        weight = (highest > 0).astype(float)
        widths = (2.5, 2.0)
        mean = gaussian_filter(highest, widths, mode=("nearest", "wrap"))
        self._radius = mean / (gaussian_filter(weight, widths, mode=("nearest", "wrap")) + 1e-6)

    def radius(self, angle: np.ndarray, height: np.ndarray) -> np.ndarray:
        """Return metres from the axis, of directions in degrees and heights in metres."""
        from scipy.ndimage import map_coordinates

        place = [
            np.interp(height, HEIGHTS, np.arange(len(HEIGHTS))),
            np.interp(angle, ANGLES, np.arange(len(ANGLES))),
        ]
        return map_coordinates(self._radius, place, order=1, mode="nearest")


def _cylindric(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return angle in degrees (0 in front, positive to the left), height and radius."""
    x, y, z = points.T
    return np.degrees(np.arctan2(x, z - AXIS)), y, np.hypot(x, z - AXIS)


def _smooth(part: np.ndarray) -> np.ndarray:
    part = np.clip(part, 0, 1)
    return part * part * (3 - 2 * part)
