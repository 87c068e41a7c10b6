"""Lips, lid rims, nostrils and the inside of the mouth, painted onto bare skin."""

from __future__ import annotations

import numpy as np

from recipes.heads.skin.atlas import SkinAtlas
from recipes.heads.skin.noise import cloudy, smooth_step
from recipes.heads.skin.regions import Regions

MUCOSA = np.array([-0.15, -1.15, -0.95])  # to skin, in logarithms of linear light
NOSTRIL = np.array([-1.5, -2.1, -2.1])
RIM = np.array([-0.02, -0.42, -0.30])
LASH_LINE = np.array([-0.25, -0.36, -0.34])
RUDDY = np.array([-0.15, -0.55, -0.38])  # by which lips usually differ from skin
DARKEST = -0.75


class Mucosa:
    """Paints what is not skin."""

    def __init__(self, atlas: SkinAtlas, regions: Regions) -> None:
        self._regions = regions
        stretched = atlas.points * [1.0, 0.22, 0.3]  # creases run up and down
        self._creases = cloudy(stretched, 0.0012, 5) + 0.5 * cloudy(stretched, 0.003, 6)
        self._patches = cloudy(atlas.points, 0.004, 7)

    def paint(self, skin: np.ndarray, lip_shift: np.ndarray, full: float = 1.0) -> np.ndarray:
        """Paint on skin (n, 3), in logarithms.

        Args:
            lip_shift: (3,) by how much lips differ from the skin's mean.
            full: strength of their colour: paler in men and in age.
        """
        r = self._regions
        shift = full * (0.6 * lip_shift + 0.4 * RUDDY).clip(DARKEST, 0.1)
        inner = smooth_step(0.001, 0.006, r.lip_depth)
        lips = shift * (0.8 + 0.3 * inner)[:, None]
        texture = 0.045 * self._creases + 0.03 * self._patches
        lips = lips + texture[:, None] * [0.7, 1.0, 0.9]
        skin = skin + r.lips[:, None] * lips
        skin = skin + r.mouth[:, None] * (shift + 0.5 * MUCOSA)
        skin = skin + r.nostrils[:, None] * NOSTRIL
        rim = smooth_step(0.0022, 0.0008, r.lid_distance)
        lash = smooth_step(0.0045, 0.0018, r.lid_distance) * (1 - rim)
        return skin + rim[:, None] * RIM + lash[:, None] * LASH_LINE
