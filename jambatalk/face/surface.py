"""What light finds on a face: the same in videos and on the live page."""

from __future__ import annotations

import numpy as np

from jambatalk.face.face import Face

IN_MOUTH = ("teeth_upper", "teeth_lower", "gums", "tongue")


def linear_colors(face: Face) -> np.ndarray:
    """(V, 3) float32, linear RGB, from the face's sRGB."""
    color = face.colors / np.float32(255)
    return np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)


def visible_gloss(face: Face) -> np.ndarray:
    """(V,) float32: less where a part is painted darker because it lies deep in the mouth, where no
    light is reflected either."""
    gloss, linear = face.gloss.copy(), linear_colors(face)
    for part in IN_MOUTH:
        inside = face.regions.get(part, [])
        gloss[inside] *= linear[inside].max(-1)
    return gloss
