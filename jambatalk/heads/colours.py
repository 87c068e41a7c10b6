"""Colour the heads: skin, lips, eyes, teeth, in vertex colours."""

from __future__ import annotations

import numpy as np

from jambatalk.heads.anatomy import Anatomy
from jambatalk.heads.identities import Identity


def paint(anatomy: Anatomy, template: np.ndarray, identity: Identity) -> np.ndarray:
    """(V, 3) uint8 sRGB of one person."""
    fields = anatomy.sheet.fields
    colors = np.tile(rgb(identity.skin), (len(template), 1))
    colors = mix(colors, rgb(identity.skin) * [0.8, 0.55, 0.55], fields["lips"])
    colors = mix(colors, rgb("#3a1210"), fields["inside-mouth"])
    for name, color in {"eyes": "#e8e4e0", "tongue": "#a8524c"}.items():
        colors = mix(colors, rgb(color), fields[name])
    for name in ("teeth_upper", "teeth_lower"):
        colors = mix(colors, rgb("#e6dcc8"), fields[name])
    return np.clip(np.round(colors), 0, 255).astype(np.uint8)


def rgb(color: str) -> np.ndarray:
    """(3,) 0 to 255 of "#rrggbb"."""
    return np.array([int(color[k : k + 2], 16) for k in (1, 3, 5)], np.float64)


def mix(colors: np.ndarray, other: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Colours (V, 3) moved towards another by `amount` (V,)."""
    return colors + (other - colors) * np.clip(amount, 0, 1)[:, None]
