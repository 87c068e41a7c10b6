"""Lip aperture and mouth width, measured on landmarks, and the seal that closes the lips.

Weights may have any leading shape (..., K); offsets (..., V, 3) are added to the vertices; lengths
are metres.
"""

import numpy as np

from jambatalk.face.face import Face

SEAL = 0.004  # metres: smaller lip apertures are narrowed
SEALED = 0.2  # part of it below which they are closed
LEAST_REACH = 1e-6  # metres: a blendshape that moves the lips less does not change the aperture
MEASURES = ("lip_open", "lip_width", "protrusion", "upper_lip", "mouth_corners", "chin")


def aperture(face: Face, weights: np.ndarray, offsets: np.ndarray | None = None) -> np.ndarray:
    """Measure the lip aperture at the middle of the mouth: (...) metres.

    It is the mean vertical distance of the middle third of the inner-lip pairs; negative where the
    lips press into each other.
    """
    upper = face.points(weights, "inner_lip_upper", offsets)[..., 1]  # (..., n)
    lower = face.points(weights, "inner_lip_lower", offsets)[..., 1]
    third = upper.shape[-1] // 3
    middle = slice(third, upper.shape[-1] - third)
    return (upper - lower)[..., middle].mean(-1)


def width(face: Face, weights: np.ndarray, offsets: np.ndarray | None = None) -> np.ndarray:
    """Measure the distance of the mouth's corners: (...) metres."""
    corners = face.points(weights, "mouth_corners", offsets)  # (..., 2, 3)
    return np.linalg.norm(corners[..., 1, :] - corners[..., 0, :], axis=-1)


def linear_measures(face: Face) -> tuple[np.ndarray, np.ndarray]:
    """Return what `MEASURES` of the lips are for weights w: w @ matrix + rest, metres.

    The width is measured from side to side, and so linear in the weights, as the others are.

    Returns:
        The matrix (K, 6) and the face at rest (6,), float32.
    """
    weights = np.eye(len(face.blendshapes) + 1, len(face.blendshapes), dtype=np.float32)
    upper = face.points(weights, "outer_lip_upper")  # the last row is the face at rest
    lower = face.points(weights, "outer_lip_lower")
    corners = face.points(weights, "mouth_corners")
    middle = upper.shape[1] // 2
    measured = np.stack(
        [
            aperture(face, weights),
            corners[:, 1, 0] - corners[:, 0, 0],
            (upper[:, middle, 2] + lower[:, middle, 2]) / 2,
            upper[:, middle, 1],
            corners[..., 1].mean(1),
            face.points(weights, "chin")[..., 1].mean(1),
        ],
        1,
    )
    return (measured[:-1] - measured[-1]).astype(np.float32), measured[-1].astype(np.float32)


def middle_pairs(face: Face) -> np.ndarray:
    """Return the vertices of upper and lower lip that :func:`aperture` compares: (n, 2)."""
    pairs = np.stack([face.landmarks["inner_lip_upper"], face.landmarks["inner_lip_lower"]], 1)
    third = len(pairs) // 3
    return pairs[third : len(pairs) - third]


def close(face: Face, weights: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Reduce the aperture by `distance` (...) metres with mouthClose alone, as far as it reaches.

    Returns:
        Weights (..., K).
    """
    return _moved(face, weights, "mouthClose", -np.clip(distance, 0.0, None)).clip(0.0, 1.0)


def set_aperture(
    face: Face, weights: np.ndarray, wanted: np.ndarray, offsets: np.ndarray | None = None
) -> np.ndarray:
    """Bring the aperture to `wanted` (...) metres with mouthClose, and jawOpen where that is spent.

    Args:
        weights: (..., K) of a face with these blendshapes.

    Returns:
        Weights (..., K).
    """
    closed = _moved(face, weights, "mouthClose", wanted - aperture(face, weights, offsets))
    closed = closed.clip(0.0, 1.0)
    missing = wanted - aperture(face, closed, offsets)
    return _moved(face, closed, "jawOpen", missing).clip(0.0, 1.0)


def _moved(face: Face, weights: np.ndarray, blendshape: str, distance: np.ndarray) -> np.ndarray:
    """Change the aperture by `distance` (...) metres with one blendshape, in or out of range."""
    index = face.blendshapes.index(blendshape)
    unit = np.zeros(len(face.blendshapes), np.float32)
    unit[index] = 1.0
    reach = aperture(face, unit) - aperture(face, np.zeros_like(unit))  # of weight 1
    moved = weights.copy()
    if abs(reach) > LEAST_REACH:
        moved[..., index] += distance / reach
    return moved


def seal(face: Face, weights: np.ndarray, offsets: np.ndarray | None = None) -> np.ndarray:
    """Close the lips where they nearly close.

    A network trained on a mean error leaves a slit where speakers press their lips together.
    Apertures below `SEAL` are narrowed, those below `SEALED` of it closed; wider ones stay. A face
    without mouthClose keeps its weights.

    Returns:
        Weights (..., K).
    """
    if "mouthClose" not in face.blendshapes:
        return weights
    open_by = aperture(face, weights, offsets)
    part = np.clip((open_by / SEAL - SEALED) / (1.0 - SEALED), 0.0, 1.0)
    kept = part * part * (3.0 - 2.0 * part)  # smoothstep
    return close(face, weights, open_by * (1.0 - kept))
