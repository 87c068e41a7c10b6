"""What the lips do, measured on landmarks."""

import numpy as np

from jambatalk.face import Face
from jambatalk.motion import Motion


def lip_aperture(motion: Motion) -> np.ndarray:
    """How far the lips are apart at the middle of the mouth, over time.

    The vertical distance of the middle third of the inner-lip pairs, averaged; negative where
    they press into each other.

    Returns:
        (T,) metres.
    """
    return aperture(motion.face, motion.weights)


def aperture(face: Face, weights: np.ndarray) -> np.ndarray:
    """:func:`lip_aperture` of weights (..., K): (...) metres."""
    upper = face.points(weights, "inner_lip_upper")[..., 1]  # (..., n)
    lower = face.points(weights, "inner_lip_lower")[..., 1]
    third = upper.shape[-1] // 3
    middle = slice(third, upper.shape[-1] - third)
    return (upper - lower)[..., middle].mean(-1)


def lip_width(motion: Motion) -> np.ndarray:
    """Distance of the mouth's corners over time, (T,) metres."""
    corners = motion.face.points(motion.weights, "mouth_corners")  # (T, 2, 3)
    return np.linalg.norm(corners[:, 1] - corners[:, 0], axis=-1)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's r of two curves (T,), 0 where one does not move."""
    if a.std() < 1e-9 or b.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
