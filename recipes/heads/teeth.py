"""Teeth and gums, modelled on the arches of MakeHuman's bands of teeth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from recipes.heads.makehuman import MakeHuman
from recipes.heads.woven_mesh import WovenMesh, follow

SEGMENTS = 8
# (height, width, depth of an incisor, depth of a molar), shares of a crown from gum to edge
LEVELS = (
    (0.0, 0.80, 0.95, 0.92),
    (0.45, 1.0, 0.85, 1.0),
    (0.88, 0.97, 0.42, 0.9),
    (1.0, 0.84, 0.2, 0.62),
)
SQUARE = 3.0  # exponent of the crown's outline; 2 is an ellipse
SHOWN, BEHIND_LIP = 0.0029, 0.0082  # metres of the upper teeth below and behind the lip's edge
GUM = ((1.3, 9.0), (0.9, 3.0), (0.15, 0.0))  # mm outwards and away from the edge, front of the gum

Part = tuple[np.ndarray, np.ndarray]  # points (n, 3) and triangles (f, 3)


@dataclass(frozen=True)
class Arch:
    """One row of teeth; lengths in millimetres, from the middle to the back.

    Attributes:
        group: MakeHuman's band of teeth, whose motion the row follows.
        edge: the band's vertices along its edge, from the middle to the head's left.
        up: -1 for the upper teeth, whose crowns point down, 1 for the lower.
        back: distance of the row behind the band's edge.
        rise: height of the row's end above the band's edge, in the middle and at the back.
        widths, lengths, depths: of the six teeth.
    """

    group: str
    edge: tuple[int, ...]
    up: int
    back: float
    rise: tuple[float, float]
    widths: tuple[float, ...]
    lengths: tuple[float, ...]
    depths: tuple[float, ...]


ARCHES = {
    "upper": Arch(
        "helper-upper-teeth",
        (15069, 15086, 15071, 15070, 15085, 15078, 15077, 15076, 15080),
        -1,
        0.0,
        (0.0, 0.0),
        (9.0, 7.0, 8.0, 7.4, 7.2, 10.2),
        (10.5, 9.2, 10.2, 8.6, 8.0, 7.5),
        (7.0, 6.4, 8.0, 9.0, 9.2, 11.0),
    ),
    "lower": Arch(
        "helper-lower-teeth",
        (15010, 15001, 15002, 15003, 15004, 15005, 15006, 15007, 15008),
        1,
        2.6,
        (0.9, -5.0),
        (5.7, 6.2, 7.2, 7.4, 7.4, 10.8),
        (9.2, 9.2, 10.0, 8.6, 8.0, 7.5),
        (6.2, 6.4, 7.6, 8.0, 8.4, 10.5),
    ),
}


def teeth(source: MakeHuman, reference: np.ndarray, row: str) -> WovenMesh:
    """Build twelve teeth and their gum; fields "teeth_upper" or "teeth_lower", "gums", "depth".

    "depth" grows from 0 at the middle teeth to 1 at the back.
    """
    arch = ARCHES[row]
    curve = _curve(arch, reference)
    parts, gum = [], []
    start = 0.0
    for k, width in enumerate(arch.widths):
        for side in (1, -1):
            parts.append(_tooth(arch, curve, k, start + width / 2000, side))
        gum += [(start, k, 0.0), (start + width / 2000, k, 1.0)]
        start += width / 1000
    gum.append((start, len(arch.widths) - 1, 0.0))
    parts.append(_gum(arch, curve, gum))
    points = np.concatenate([points for points, _ in parts])
    starts = np.cumsum([0, *(len(points) for points, _ in parts)])
    triangles = np.concatenate([t + s for (_, t), s in zip(parts, starts, strict=False)])
    crowns = np.arange(len(points)) < starts[-2]
    fields = {
        f"teeth_{row}": crowns.astype(float),
        "gums": (~crowns).astype(float),
        "incisors": (np.arange(len(points)) < 2 * (SEGMENTS * len(LEVELS) + 1)).astype(float),
        "depth": np.clip((curve(0)[2] - points[:, 2]) / 0.05, 0, 1),
    }
    weave = follow(points, source.members(arch.group), reference)
    return WovenMesh(weave, triangles, fields=fields)


def settle(template: np.ndarray, incisors: np.ndarray, lip: int) -> np.ndarray:
    """Return the offset (3,) in metres that moves the teeth to right behind the lips.

    Args:
        template: (V, 3) at rest.
        incisors: vertices of the upper middle teeth.
        lip: the vertex in the middle of the upper lip where it meets the lower.
    """
    edge, front = template[incisors, 1].min(), template[incisors, 2].max()
    return np.array([0, template[lip, 1] - SHOWN - edge, template[lip, 2] - BEHIND_LIP - front])


def _curve(arch: Arch, reference: np.ndarray) -> CubicSpline:
    """Return the line along the edges of the teeth by arc length from the middle."""
    half = reference[list(arch.edge)].copy()
    half[0, 0] = 0
    half[:, 2] -= arch.back / 1000
    half[:, 0] *= 1 - arch.back / 1000 / half[-1, 0]
    half[:, 1] += np.linspace(*arch.rise, len(half)) / 1000
    line = np.concatenate([half[:0:-1] * [-1, 1, 1], half])
    step = np.linalg.norm(np.diff(half[:, [0, 2]], axis=0), axis=1)
    along = np.concatenate([[0], np.cumsum(step)])
    return CubicSpline(np.concatenate([-along[:0:-1], along]), line)


def _frame(curve: CubicSpline, s: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return point, direction along the arch and outward direction (both level) at length s."""
    along = curve(s, 1) * [1, 0, 1]
    along /= np.linalg.norm(along)
    return curve(s), along, np.array([-along[2], 0, along[0]])


def _tooth(arch: Arch, curve: CubicSpline, k: int, s: float, side: int) -> Part:
    """Build one crown: an outline at four levels and a cap."""
    point, along, outward = _frame(curve, side * s)
    width, length, depth = (v[k] / 1000 for v in (arch.widths, arch.lengths, arch.depths))
    molar = np.clip((k - 2) / 2, 0, 1)
    edge = 0.0007 if k == 1 else 0.0  # lateral incisors are shorter
    turn = (np.arange(SEGMENTS) + 0.5) * 2 * np.pi / SEGMENTS
    outline = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    outline /= (np.abs(outline) ** SQUARE).sum(axis=1, keepdims=True) ** (1 / SQUARE)
    rings = []
    for height, wide, thin, thick in LEVELS:
        deep = depth * (thin + (thick - thin) * molar)
        bulge = 0.0006 * np.sin(np.pi * height) - 0.0008 * height**2 * molar
        centre = point - arch.up * np.array([0, 1, 0]) * (length * (1 - height) + edge * height)
        centre = centre + outward * (bulge - deep / 2)
        rings.append(
            centre
            + outline[:, :1] * along * (wide * width * 0.485)
            + outline[:, 1:] * outward * deep / 2
        )
    tip = np.array([0, arch.up * 0.0002, 0])
    points = np.concatenate([*rings, rings[-1].mean(axis=0, keepdims=True) + tip])
    triangles = []
    for i in range(SEGMENTS):
        j = (i + 1) % SEGMENTS
        for level in range(len(LEVELS) - 1):
            a, b = level * SEGMENTS + i, level * SEGMENTS + j
            triangles += [(a, b, a + SEGMENTS), (b, b + SEGMENTS, a + SEGMENTS)]
        top = (len(LEVELS) - 1) * SEGMENTS
        triangles.append((top + i, top + j, len(LEVELS) * SEGMENTS))
    return points, _facing(np.array(triangles), -arch.up)


def _gum(arch: Arch, curve: CubicSpline, stations: list[tuple[float, int, float]]) -> Part:
    """Build the gum: a strip over the necks of the teeth, front and back."""
    stations = [(-s, k, c) for s, k, c in stations[:0:-1]] + stations
    rows = []
    for s, k, crown in stations:
        point, _, outward = _frame(curve, s)
        neck = arch.lengths[k] - (1.2 if crown else 2.6)  # papillae reach between the teeth
        depth = arch.depths[k] * 0.95
        profile = [(out, neck + away) for out, away in GUM]
        profile += [(-depth - out, neck + away * 0.8) for out, away in GUM[::-1]]
        rows.append([point + outward * n / 1000 - [0, arch.up * h / 1000, 0] for n, h in profile])
    points = np.array(rows)
    count = points.shape[1]
    triangles = []
    for i in range(len(stations) - 1):
        for j in range(count - 1):
            a, b = i * count + j, (i + 1) * count + j
            triangles += [(a, a + 1, b), (b, a + 1, b + 1)]
    return points.reshape(-1, 3), _facing(np.array(triangles), -arch.up)


def _facing(triangles: np.ndarray, sign: int) -> np.ndarray:
    """Return the triangles, flipped if the sign is negative."""
    return triangles if sign > 0 else triangles[:, ::-1]
