"""The opening of the lips, through which light falls into the mouth."""

from __future__ import annotations

import numpy as np

from jambatalk.face.face import Face

LANDMARKS = ("inner_lip_upper", "inner_lip_lower", "mouth_corners")


class MouthOpening:
    """Measures the opening on the vertices of a frame.

    A round opening of radius a lets a^2 / (a^2 + d^2) of the light in front of it reach a point at
    depth d behind its middle.
    """

    def __init__(self, face: Face) -> None:
        self._lips = [face.landmarks.get(name) for name in LANDMARKS]
        self._profile = [face.landmarks.get(name) for name in ("nose_tip", "chin")]

    def __call__(self, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return centre and squared radius, (4,) metres, and the outward unit direction (3,).

        Without landmarks the opening is so wide that it shades nothing.
        """
        forward = np.array([0.0, 0.0, 1.0])
        if any(index is None for index in self._lips):
            return np.array([0.0, 0.0, 0.0, 1e6]), forward
        upper, lower, corners = (vertices[index] for index in self._lips)
        centre = (upper.mean(0) + lower.mean(0)) / 2
        across = corners[1] - corners[0]
        third = len(upper) // 3
        gap = (upper - lower)[third : len(upper) - third]
        height = max(float(gap[:, 1].mean()), 0.0)
        if all(index is not None for index in self._profile):
            nose, chin = (vertices[index].mean(0) for index in self._profile)
            forward = np.cross(across, nose - chin)
            forward /= max(float(np.linalg.norm(forward)), 1e-9)
        # An ellipse of this height and width has the area of a circle of this radius.
        square = height * float(np.linalg.norm(across)) / 4
        return np.array([*centre, square]), forward
