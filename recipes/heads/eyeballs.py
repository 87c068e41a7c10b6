"""Eyeballs: one smooth surface each, the white with the cornea, made for every head's own eyes."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from jambatalk.face.eyes import LOOKS
from recipes.heads.ict_facekit import PARTS, IctFaceKit, eye_centre

SIDES = ("left", "right")
# Degrees from the optical axis of each ring of vertices, and vertices of a ring. The rings are
# close where the cornea meets the white, and end inside the head.
RINGS = (5, 10, 15, 19, 23, 27, 32, 39, 48, 60, 75, 95, 120)
COLUMNS = 24
WHITE = 60  # degrees: the sphere is fitted to the published vertices further from the axis
CORNEA = 0.0020  # metres by which the cornea stands out in the middle
FLAT = 24.0  # degrees from the axis at which it still stands out by 1/e of that
TURN = {"Down": 25, "Up": 25, "In": 30, "Out": 30}  # degrees by which eyeLook turns at weight 1


class Eyeballs:
    """The shape of the eyeballs, left and right.

    Attributes:
        triangles: (F, 3) of both, the left first.
        uv: (V, 2), 0.5 on the optical axis, 0 and 1 at 90 degrees from it, the same for both.
        source: (V,) the published vertex nearest to each vertex.
    """

    def __init__(self, ict: IctFaceKit) -> None:
        angle = np.repeat(np.radians(RINGS), COLUMNS)
        around = np.tile(np.arange(COLUMNS) * 2 * np.pi / COLUMNS, len(RINGS))
        outwards = np.stack([np.cos(around), np.sin(around)], 1)
        ball = np.column_stack([np.sin(angle)[:, None] * outwards, np.cos(angle)])
        self._directions = np.vstack([[0, 0, 1], ball])
        angle = np.append(0, angle)
        self._bulge = _bulge(angle)
        away = np.minimum(angle / (np.pi / 2), 1)[1:, None]
        uv = np.vstack([[0.5, 0.5], 0.5 + 0.5 * away * outwards])
        self.uv = np.vstack([uv, uv])
        one = _sphere_triangles()
        self.triangles = np.concatenate([one, one + len(self._directions)])
        self._white, nearest = [], []
        for side in SIDES:
            sclera = np.arange(*PARTS[f"sclera_{side}"])
            away = ict.positions[sclera] - eye_centre(ict.positions, side)
            axial = away[:, 2] / np.linalg.norm(away, axis=1)
            self._white.append(sclera[axial < np.cos(np.radians(WHITE))])
            axial = away / np.linalg.norm(away, axis=1, keepdims=True)
            nearest.append(sclera[np.argmax(self._directions @ axial.T, axis=1)])
        self.source = np.concatenate(nearest)

    def place(self, positions: np.ndarray) -> np.ndarray:
        """Return both eyeballs' vertices (V, 3) in a head of published vertices (N, 3), metres."""
        balls = []
        for white in self._white:
            centre, radius = _fit_sphere(positions[white])
            balls.append(centre + (radius + self._bulge)[:, None] * self._directions)
        return np.concatenate(balls)

    def looks(self, positions: np.ndarray) -> dict[str, np.ndarray]:
        """Return the displacements (V, 3) by which eyeLook turns an eye about its centre."""
        count = len(self._directions)
        placed = self.place(positions)
        looks = {}
        for name, (eye, _, _) in LOOKS.items():
            ball = slice(eye * count, (eye + 1) * count)
            centre, _ = _fit_sphere(positions[self._white[eye]])
            looks[name] = np.zeros_like(placed)
            turned = turn(name).apply(placed[ball] - centre)
            looks[name][ball] = turned + centre - placed[ball]
        return looks

    def clearance(
        self, points: np.ndarray, positions: np.ndarray, eye: int, turned: Rotation
    ) -> tuple[np.ndarray, np.ndarray]:
        """Measure how far points (n, 3) lie outside of a turned eyeball.

        Args:
            positions: (N, 3), the published vertices of the head.
            eye: 0 for the left, 1 for the right.

        Returns:
            Metres from its surface (n,), and unit vectors from its centre (n, 3).
        """
        centre, radius = _fit_sphere(positions[self._white[eye]])
        away = points - centre
        distance = np.linalg.norm(away, axis=1)
        axial = turned.inv().apply(away)[:, 2] / distance
        return distance - radius - _bulge(np.arccos(axial)), away / distance[:, None]


def turn(name: str, weight: float = 1.0) -> Rotation:
    """Return the rotation of an eyeball by a weight of one of eyeLook's blendshapes."""
    _, axis, sign = LOOKS[name]
    degrees = next(d for where, d in TURN.items() if name.startswith(f"eyeLook{where}"))
    vector = np.zeros(3)
    vector[axis] = sign * weight * np.radians(degrees)
    return Rotation.from_rotvec(vector)


def _bulge(angle: np.ndarray) -> np.ndarray:
    """Return how far the cornea stands out at angles from the optical axis, metres."""
    return CORNEA * np.exp(-((np.degrees(angle) / FLAT) ** 2))


def _sphere_triangles() -> np.ndarray:
    column = np.arange(COLUMNS)
    following = (column + 1) % COLUMNS
    triangles = [np.stack([np.zeros_like(column), 1 + column, 1 + following], 1)]
    for ring in range(len(RINGS) - 1):
        inner, outer = 1 + ring * COLUMNS, 1 + (ring + 1) * COLUMNS
        triangles.append(np.stack([inner + column, outer + column, outer + following], 1))
        triangles.append(np.stack([inner + column, outer + following, inner + following], 1))
    return np.concatenate(triangles)


def _fit_sphere(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Return centre and radius of the sphere nearest to points (n, 3), by least squares."""
    middle = points.mean(0)
    local = points - middle
    system = np.column_stack([2 * local, np.ones(len(local))])
    solution, *_ = np.linalg.lstsq(system, (local**2).sum(1), rcond=None)
    centre = solution[:3]
    return middle + centre, float(np.sqrt(solution[3] + centre @ centre))
