"""The picture of an eyeball: an iris from MakeHuman's pictures on a sclera of our own.

The eyeball is seen along its axis: a point at an angle from the axis lies at that angle's part of
90 degrees from the picture's middle. No highlight is painted; the renderer adds it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from scipy import ndimage

from recipes.heads.makehuman_assets import read_picture
from recipes.heads.skin.noise import smooth_step

SIZE = 512  # pixels
LIMBUS = 22.5  # degrees from the axis, where ICT-FaceKit's cornea meets the sclera
PUPIL = 0.36  # of the iris' radius
SOURCE = ((301, 718, 118), (723, 302, 118))  # irises in MakeHuman's: column, row, radius
SOURCE_PUPIL = 0.31  # of the radius there
SCLERA = np.array([0.865, 0.838, 0.812])
CORNER = np.array([0.80, 0.60, 0.56])  # pink, at the sides
VEIN = np.array([0.80, 0.50, 0.46])
RING = np.array([0.13, 0.12, 0.13])
SATURATION = 0.6  # of the pictures' loud colours
BRIGHTEST = 0.40  # mean of an iris
TINT = {  # mean colours, for the pictures' are louder than any eye
    "brown": (0.34, 0.19, 0.10),
    "blue": (0.27, 0.36, 0.45),
    "lightblue": (0.38, 0.47, 0.54),
    "deepblue": (0.20, 0.27, 0.42),
    "bluegreen": (0.31, 0.40, 0.40),
    "green": (0.36, 0.37, 0.24),
}
TINTED = 0.75
RINGS, SPOKES = 160, 720


def eye_picture(iris: str, folder: Path) -> np.ndarray:
    """Paint the eye (512, 512, 3) uint8 with MakeHuman's iris of that name.

    Args:
        folder: that of MakeHuman's eye pictures.

    Raises:
        DataError: there is no such picture.
    """
    disc = _read_iris(folder / f"{iris}_eye")
    if iris in TINT:
        light = disc.mean(2, keepdims=True) / disc[len(disc) // 2 :].mean()
        disc += TINTED * (light**0.8 * TINT[iris] - disc)
    y, x = (np.mgrid[:SIZE, :SIZE] + 0.5) / SIZE * 2 - 1
    degrees, turn = np.hypot(x, y) * 90, np.arctan2(y, x)
    radius = degrees / LIMBUS
    # the disc's own pupil is a little smaller than ours: spread what is between it and the rim
    spread = SOURCE_PUPIL + (radius - PUPIL) * (1 - SOURCE_PUPIL) / (1 - PUPIL)
    place = [spread * (RINGS - 1), (turn / (2 * np.pi) % 1) * SPOKES]
    color = np.stack(
        [ndimage.map_coordinates(disc[..., k], place, order=1, mode="grid-wrap") for k in range(3)],
        axis=-1,
    )
    color *= (0.82 + 0.3 * smooth_step(1.0, 0.45, radius))[..., None]  # brighter towards the pupil
    color = _mix(color, RING, 0.75 * smooth_step(0.80, 0.99, radius))
    color = _mix(
        color, np.array([0.015, 0.013, 0.012]), smooth_step(PUPIL + 0.05, PUPIL - 0.04, radius)
    )
    white = _sclera(x, y, degrees)
    shadow = smooth_step(1.35, 0.95, radius)  # the limbus is not sharp
    white = _mix(white, white * [0.72, 0.72, 0.76], 0.8 * shadow)
    picture = _mix(color, white, smooth_step(0.92, 1.07, radius))
    return (picture.clip(0, 1) * 255).round().astype(np.uint8)


def _read_iris(path: Path) -> np.ndarray:
    """Unroll the iris of a picture: (rings, spokes, 3) from 0 to 1, from its middle to its rim."""
    picture = np.asarray(read_picture(path, "RGB"), np.float64) / 255
    turn = np.arange(SPOKES) / SPOKES * 2 * np.pi
    rings = np.linspace(0, 0.97, RINGS)
    (column, row, radius), _ = SOURCE
    place = [
        row + radius * rings[:, None] * np.sin(turn),
        column + radius * rings[:, None] * np.cos(turn),
    ]
    disc = np.stack([ndimage.map_coordinates(picture[..., k], place, order=1) for k in range(3)], 2)
    grey = disc.mean(2, keepdims=True)
    disc = grey + SATURATION * (disc - grey)
    return disc * min(1.0, BRIGHTEST / disc[RINGS // 3 :].mean())


def _sclera(x: np.ndarray, y: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    pink = smooth_step(25, 62, degrees) * (0.35 + 0.65 * np.abs(x) / np.hypot(x, y).clip(1e-6))
    white = _mix(np.broadcast_to(SCLERA, (*x.shape, 3)), CORNER, 0.7 * pink)
    white = _mix(white, VEIN, 0.75 * _veins() * smooth_step(24, 40, degrees))
    return white * (1 - 0.12 * smooth_step(35, 80, degrees))[..., None]


@cache
def _veins() -> np.ndarray:
    """Draw thin winding lines that come from the sides: (size, size) from 0 to 1."""
    random = np.random.default_rng(12)
    picture = np.zeros((SIZE, SIZE))
    for _ in range(46):
        side = random.choice((-1, 1))
        heading = np.pi * (side < 0) + random.normal(0, 0.55)
        start = random.uniform(0.75, 0.95)
        place = np.array([np.cos(heading), np.sin(heading)]) * start
        heading += np.pi + random.normal(0, 0.25)
        strength = random.uniform(0.25, 0.9)
        for _ in range(int(random.uniform(60, 170))):
            heading += random.normal(0, 0.16)
            place = place + np.array([np.cos(heading), np.sin(heading)]) / SIZE * 2
            column, row = ((place + 1) / 2 * SIZE).astype(int)
            if 0 <= row < SIZE and 0 <= column < SIZE:
                picture[row, column] = max(picture[row, column], strength)
            strength *= 0.99
    return (ndimage.gaussian_filter(picture, 0.8) * 2.2).clip(0, 1)


def _mix(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    return first + (second - first) * share[..., None]
