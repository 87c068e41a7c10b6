"""Colours of the inside of the mouth, which has no picture."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from recipes.heads.ict_facekit import IctFaceKit

SKIN = (255, 255, 255)  # its picture has the colour
FLAT = {"inner_mouth": (104, 38, 36), "gums": (184, 98, 96), "tongue": (182, 86, 84)}
TOOTH, NECK = (242, 235, 220), (222, 204, 172)  # the cutting edge, and where the gum begins
CROWN = 0.010  # metres from the edge to the gum
MOLARS = 0.82  # brightness of the hindmost teeth


def mouth_colors(ict: IctFaceKit, regions: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return sRGB colours (N, 3) uint8 of the published vertices, from the masks of regions."""
    colors = np.full((len(ict.positions), 3), SKIN, np.float64)
    for name, color in FLAT.items():
        colors[regions[name]] = color
    for name, edge in (("teeth_upper", -1), ("teeth_lower", 1)):
        _, y, z = ict.positions[regions[name]].T
        behind = (z.max() - z) / np.ptp(z)
        # the row of edges rises a little towards the back
        line = np.polynomial.Polynomial.fit(z, y, 1)(z)
        height = edge * (y - line)
        deep = np.clip((height.max() - height - 0.003 - 0.002 * behind) / CROWN, 0, 1)[:, None]
        shade = 1 - (1 - MOLARS) * behind[:, None]
        colors[regions[name]] = shade * (TOOTH + deep * (np.array(NECK) - TOOTH))
    return colors.round().astype(np.uint8)
