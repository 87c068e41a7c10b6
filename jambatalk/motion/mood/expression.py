"""A mood's posture on a face that speaks; the lips keep what the sound says."""

from __future__ import annotations

import numpy as np

from jambatalk.face import lips
from jambatalk.face.face import Face
from jambatalk.motion.mood.postures import WIDER, FacePostures
from jambatalk.motion.motion import Motion

PARTED = 0.006  # metres of lip aperture from which the lips count as parted
MOST = 0.8  # of what draws the corners of the mouth: beyond it, spread sounds would be lost
ROUNDED = 0.6  # part by which rounded lips hold back what draws the corners of the mouth


def express(motion: Motion, shares: np.ndarray) -> Motion:
    """Lay postures over the motion of a face.

    A posture p and a weight w make w + (1 - w) p, which stays between 0 and 1. What parts the lips
    takes part as far as they are parted. Then the lip aperture is set to what it was, or to a fixed
    part more or less; so lips that were closed are closed. A face on which no blendshape closes the
    lips keeps its mouth.

    Args:
        shares: (T, n) of all postures, see :class:`MoodCourse`.
    """
    moved = shares.any(1)
    if not moved.any() or not motion.face.blendshapes:
        return motion
    offsets = None if motion.offsets is None else motion.offsets[moved]
    weights = motion.weights.copy()
    weights[moved] = _expressed(motion.face, weights[moved], offsets, shares[moved])
    return motion.changed(weights=weights)


def _expressed(
    face: Face, weights: np.ndarray, offsets: np.ndarray | None, shares: np.ndarray
) -> np.ndarray:
    """Return weights (T, K) with postures laid over them."""
    postures = FacePostures.of(face)
    posture = np.clip(shares @ postures.face, 0.0, 1.0)
    if "mouthClose" not in face.blendshapes:
        posture[:, postures.mouth] = 0.0
        return _over(posture, weights)
    said = lips.aperture(face, weights, offsets)
    parted = np.clip(said / PARTED, 0.0, 1.0)
    parted *= parted * (3.0 - 2.0 * parted)  # smoothstep
    posture += parted[:, None] * (shares @ postures.parted)
    held = ROUNDED * np.clip(_weight(face, weights, "mouthPucker", "mouthFunnel"), 0.0, 1.0)
    corners = posture[:, postures.corners]
    posture[:, postures.corners] = np.minimum(corners, MOST) * (1.0 - held[:, None])
    expressed = _over(posture.clip(0.0, 1.0), weights)
    wanted = said * (1.0 + parted * (shares @ WIDER))
    return lips.set_aperture(face, expressed, wanted, offsets)


def _over(posture: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return (weights + (1.0 - weights) * posture).astype(np.float32)


def _weight(face: Face, weights: np.ndarray, *names: str) -> np.ndarray:
    """Return the sum (T,) of the weights of some blendshapes."""
    columns = [k for k, name in enumerate(face.blendshapes) if name in names]
    return weights[:, columns].sum(1)
