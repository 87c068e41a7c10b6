"""What the lips do, measured on landmarks, and lips that close.

Weights may have any leading shape (..., K), and offsets (..., V, 3) may move the vertices further;
lengths are metres.
"""

import numpy as np

from jambatalk.face.face import Face

SEAL = 0.004  # metres: lips that are less apart than this mean to close


def aperture(face: Face, weights: np.ndarray, offsets: np.ndarray | None = None) -> np.ndarray:
    """How far the lips are apart at the middle of the mouth: (...) metres.

    The vertical distance of the middle third of the inner-lip pairs, averaged; negative where
    they press into each other.
    """
    upper = face.points(weights, "inner_lip_upper", offsets)[..., 1]  # (..., n)
    lower = face.points(weights, "inner_lip_lower", offsets)[..., 1]
    third = upper.shape[-1] // 3
    middle = slice(third, upper.shape[-1] - third)
    return (upper - lower)[..., middle].mean(-1)


def width(face: Face, weights: np.ndarray, offsets: np.ndarray | None = None) -> np.ndarray:
    """Distance of the mouth's corners: (...) metres."""
    corners = face.points(weights, "mouth_corners", offsets)  # (..., 2, 3)
    return np.linalg.norm(corners[..., 1, :] - corners[..., 0, :], axis=-1)


def middle_pairs(face: Face) -> np.ndarray:
    """Vertices of the upper and the lower lip between which :func:`aperture` measures: (n, 2)."""
    pairs = np.stack([face.landmarks["inner_lip_upper"], face.landmarks["inner_lip_lower"]], 1)
    third = len(pairs) // 3
    return pairs[third : len(pairs) - third]


def close(face: Face, weights: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Brings the lips nearer to each other by `distance` (...) metres with mouthClose alone, as far
    as it reaches: (..., K)."""
    blendshape = face.blendshapes.index("mouthClose")
    unit = np.zeros(len(face.blendshapes), np.float32)
    unit[blendshape] = 1.0
    reach = aperture(face, np.zeros_like(unit)) - aperture(face, unit)  # of weight 1
    closer = weights.copy()
    closer[..., blendshape] += np.clip(distance, 0.0, None) / reach
    return closer.clip(0.0, 1.0)


def seal(face: Face, weights: np.ndarray, offsets: np.ndarray | None = None) -> np.ndarray:
    """Closes the lips where they nearly do: (..., K).

    A network that has learned an average leaves a slit where people press their lips together.
    Openings below `SEAL` are narrowed, those below a fifth of it closed; wider ones stay. A face
    that cannot close its mouth keeps its weights.
    """
    if "mouthClose" not in face.blendshapes:
        return weights
    opening = aperture(face, weights, offsets)
    part = np.clip((opening / SEAL - 0.2) / 0.8, 0.0, 1.0)
    kept = part * part * (3.0 - 2.0 * part)
    return close(face, weights, opening * (1.0 - kept))
