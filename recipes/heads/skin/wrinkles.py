"""The relief of skin that is pressed together: lines of the forehead, eyes, nose, cheeks, mouth.

The renderer shows each only where the skin is compressed. Lines are given in texels of the atlas on
the head's right; widths and depths in metres.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import make_interp_spline
from scipy.spatial import cKDTree

from recipes.heads.skin import landmarks as at
from recipes.heads.skin.atlas import SkinAtlas
from recipes.heads.skin.noise import cloudy
from recipes.heads.skin.regions import Regions

REACH = 4.5  # widths, beyond which a line has no effect
RIDGE, RIDGE_AT, RIDGE_WIDTH = 0.4, 1.9, 1.1  # height against depth; place and width in widths
MARGIN = 40  # texels around a line that are looked at


@dataclass(frozen=True)
class Line:
    """A fold.

    Attributes:
        points: from one end to the other, in texels.
        depth: metres.
        width: metres, half of its groove's.
        across: whether it goes on to the other side through the middle of the face.
    """

    points: tuple[tuple[float, float], ...]
    depth: float
    width: float
    across: bool = False


def _forehead() -> Iterator[Line]:
    for y, depth in ((64, 0.5), (88, 0.8), (113, 1.0), (137, 0.9), (160, 0.6)):
        path = ((238, y + 14), (290, y + 2), (350, y - 5), (430, y - 1), (512, y + 5))
        yield Line(path, depth * 0.55e-3, 1.1e-3, across=True)


def _crows_feet() -> Iterator[Line]:
    ends = ((243, 250), (232, 271), (229, 292), (236, 314), (250, 336))
    for k, (x, y) in enumerate(ends):
        start = (301 + 2 * abs(k - 2), 284 + 4 * (k - 2))
        bend = ((start[0] + x) / 2, (start[1] + y) / 2 + 2 * (k - 2))
        yield Line((start, bend, (x, y)), (0.42e-3, 0.5e-3, 0.5e-3, 0.42e-3, 0.3e-3)[k], 0.75e-3)


def _pucker() -> Iterator[Line]:
    for x, lean in ((425, -9), (443, -7), (460, -5), (476, -3), (491, -1)):
        border = np.interp(x, *np.array(at.UPPER_BORDER).T)
        yield Line(
            ((x + lean, border - 24), (x + lean / 3, border - 9), (x, border + 5)), 3e-4, 6e-4
        )
    for x, lean in ((434, -8), (456, -5), (478, -3), (500, -1)):
        border = np.interp(x, *np.array(at.LOWER_BORDER).T)
        yield Line(
            ((x, border - 5), (x + lean / 2, border + 8), (x + lean, border + 20)), 2.4e-4, 6e-4
        )


LINES = (
    *_forehead(),
    *_crows_feet(),
    *_pucker(),
    Line(((482, 140), (488, 178), (490, 215), (484, 246)), 0.7e-3, 1.1e-3),  # frown
    Line(((500, 165), (502, 195), (500, 224)), 0.35e-3, 0.8e-3),
    Line(((470, 262), (494, 257), (512, 256)), 0.4e-3, 1.0e-3, across=True),  # root of the nose
    Line(((476, 280), (498, 274), (512, 273)), 0.3e-3, 0.9e-3, across=True),
    Line(((492, 292), (474, 304), (456, 322)), 0.36e-3, 0.8e-3),  # bunny lines
    Line(((490, 312), (471, 324), (455, 343)), 0.36e-3, 0.8e-3),
    Line(((488, 332), (470, 344), (457, 361)), 0.28e-3, 0.8e-3),
    Line(((398, 307), (370, 316), (336, 312), (312, 299)), 0.30e-3, 0.7e-3),  # under the eye
    Line(((404, 318), (372, 331), (330, 326), (298, 307)), 0.34e-3, 0.8e-3),
    Line(((406, 331), (374, 349), (330, 344), (288, 322)), 0.28e-3, 0.9e-3),
    Line(((444, 428), (424, 452), (402, 498), (384, 545), (372, 596)), 0.8e-3, 1.7e-3),  # smile
    Line(((402, 520), (380, 560), (366, 604), (364, 640)), 0.35e-3, 1.2e-3),
    Line(((350, 520), (338, 560), (336, 602)), 0.35e-3, 1.4e-3),
    Line(((394, 584), (384, 612), (386, 645)), 0.45e-3, 1.2e-3),  # below the mouth's corners
    Line(((440, 694), (474, 683), (512, 680)), 0.5e-3, 1.5e-3, across=True),  # above the chin
)


def wrinkle_heights(atlas: SkinAtlas, regions: Regions) -> np.ndarray:
    """Return the relief (n,) in metres of all lines, both sides."""
    heights = np.zeros(len(atlas.points))
    jitter = np.stack([cloudy(atlas.points, 0.009, 41 + k) for k in range(3)], 1)
    points = atlas.points + 0.0007 * jitter + 0.00025 * _fine_jitter(atlas.points)
    for line in LINES:
        for path in _paths(line):
            heights += _groove(points, regions, path, line)
    bumps = 12e-6 * cloudy(atlas.points, 0.0016, 44)  # no fold is smooth
    pressed = np.tanh(np.abs(heights) / 1e-4)
    bare = (1 - regions.lips) * (1 - regions.mouth)
    return (heights + bumps * pressed) * bare


def _fine_jitter(points: np.ndarray) -> np.ndarray:
    return np.stack([cloudy(points, 0.003, 51 + k) for k in range(3)], 1)


def _paths(line: Line) -> Iterator[np.ndarray]:
    half = np.array(line.points, float)
    if line.across:
        yield at.mirrored(line.points)
    else:
        yield half
        yield half * [-1, 1] + [2 * at.MIDDLE, 0]


def _groove(points: np.ndarray, regions: Regions, path: np.ndarray, line: Line) -> np.ndarray:
    """Return the heights (n,) of one line: a groove between two ridges, ending gently."""
    length = np.r_[0, np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))]
    order = min(3, len(path) - 1)
    smooth = make_interp_spline(length, path, k=order)(np.linspace(0, length[-1], 200))
    low, high = smooth.min(0) - MARGIN, smooth.max(0) + MARGIN
    x, y = regions.x, regions.y
    near = np.flatnonzero((x > low[0]) & (x < high[0]) & (y > low[1]) & (y < high[1]))
    samples = regions.spread(smooth)
    reach = REACH * line.width
    distance, index = cKDTree(samples).query(points[near], distance_upper_bound=reach)
    found = np.isfinite(distance)
    along = index[found] / (len(samples) - 1)
    amount = np.sin(np.pi * (0.04 + 0.92 * along)) ** 0.8
    away = distance[found] / line.width
    groove = np.exp(-(away**2))
    ridge = RIDGE * np.exp(-(((away - RIDGE_AT) / RIDGE_WIDTH) ** 2))
    heights = np.zeros(len(points))
    heights[near[found]] = line.depth * amount * (ridge - groove)
    return heights
