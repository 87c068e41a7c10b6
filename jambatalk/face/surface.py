"""Colour and gloss of a face, the same in videos and on the live page."""

from __future__ import annotations

import numpy as np

from jambatalk.face.face import Face

IN_MOUTH = ("teeth_upper", "teeth_lower", "gums", "tongue")


def linear_colors(face: Face) -> np.ndarray:
    """Convert the face's sRGB colours to linear RGB, (V, 3) float32."""
    color = face.colors / np.float32(255)
    return np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)


def visible_gloss(face: Face) -> np.ndarray:
    """Return the gloss (V,) float32, reduced deep in the mouth.

    Parts there are painted darker because little light reaches them, so they reflect less too.
    """
    gloss, linear = face.gloss.copy(), linear_colors(face)
    for part in IN_MOUTH:
        inside = face.regions.get(part, np.array([], int))
        gloss[inside] *= linear[inside].max(-1)
    return gloss
