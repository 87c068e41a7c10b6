"""The tongue's own blendshapes: out of the mouth, and its tip up behind the upper teeth.

Displacements are those at weight 1 of the published vertices, (N, 3) in metres.
"""

from __future__ import annotations

import numpy as np

from recipes.heads.ict_facekit import IctFaceKit

# Parts of the tongue's length, from the tip backwards, that take part.
LONG, FRONT = 0.75, 0.45
# tongueOut: with a weight of 0.4 and a jawOpen of 0.1, as for "th", the tip lies between the teeth.
OUT, LIFTED, DROOPING = 0.036, 0.0115, 0.006  # metres: the tip's way forward, up, and down again
FLATTENED, NARROWED = 0.36, 0.3  # of its thickness, from below, and of its width
ACROSS = 0.003  # metres along the tongue within which its upper side is looked for
# tongueUp: the tip is bent upwards, and reaches the ridge behind the teeth.
BENT = np.radians(27)
FORWARD = 0.004  # metres


def tongue_out(ict: IctFaceKit, tongue: np.ndarray) -> np.ndarray:
    """Return the displacement by tongueOut of a tongue (N,) mask."""
    part, _, _ = _along(ict, tongue, LONG)
    # It arches over the lower teeth and the lip, and droops towards the tip.
    up = LIFTED * part**1.5 - DROOPING * part**5
    outwards = np.stack([np.zeros_like(part), up, OUT * part**1.5], 1)
    x, y, z = ict.positions[tongue].T
    upper = np.array([y[np.abs(z - here) < ACROSS].max() for here in z])
    outwards[:, 0] -= NARROWED * np.sqrt(part) * x
    outwards[:, 1] += FLATTENED * np.sqrt(part) * (upper - y)
    return _of_all(tongue, outwards)


def tongue_up(ict: IctFaceKit, tongue: np.ndarray) -> np.ndarray:
    """Return the displacement by tongueUp of a tongue (N,) mask."""
    part, middle, pivot = _along(ict, tongue, FRONT)
    _, y, z = ict.positions[tongue].T
    cosine, sine = np.cos(BENT * part), np.sin(BENT * part)
    up, ahead = y - middle, np.maximum(z - pivot, 0)
    moved = np.stack(
        [
            np.zeros_like(y),
            cosine * up + sine * ahead - up,
            cosine * ahead - sine * up - ahead + FORWARD * part,
        ],
        axis=1,
    )
    return _of_all(tongue, moved * (part > 0)[:, None])


def _along(ict: IctFaceKit, tongue: np.ndarray, share: float) -> tuple[np.ndarray, float, float]:
    """Measure how far to the front the tongue's vertices lie.

    Returns:
        From 0 at the end of the share that moves to 1 at the tip (n,), the height of the tip, and
        the depth where the share begins.
    """
    _, y, z = ict.positions[tongue].T
    pivot = z.max() - share * np.ptp(z)
    return np.clip((z - pivot) / (z.max() - pivot), 0, 1), float(y[np.argmax(z)]), float(pivot)


def _of_all(tongue: np.ndarray, moved: np.ndarray) -> np.ndarray:
    displacement = np.zeros((len(tongue), 3))
    displacement[tongue] = moved
    return displacement
