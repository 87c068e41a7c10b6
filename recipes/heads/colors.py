"""Colours as identities name them, "#rrggbb"."""

from __future__ import annotations

import numpy as np


def hex_bytes(text: str) -> np.ndarray:
    """Convert "#rrggbb" to sRGB (3,) uint8."""
    return np.array([int(text[k : k + 2], 16) for k in (1, 3, 5)], np.uint8)


def hex_color(text: str) -> np.ndarray:
    """Convert "#rrggbb" to sRGB (3,) from 0 to 1."""
    return hex_bytes(text) / 255
