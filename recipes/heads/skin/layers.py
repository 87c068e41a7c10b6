"""What lies on or in a person's skin: freckles, age spots, make-up, stubble, roots of hair.

All layers add to the logarithm of linear light, so they suit any tone.
"""

from __future__ import annotations

import numpy as np

from recipes.heads.skin import landmarks as at
from recipes.heads.skin.atlas import SkinAtlas
from recipes.heads.skin.noise import cloudy, nearest, scattered, smooth_step
from recipes.heads.skin.regions import Regions

PIGMENT = np.array([-0.28, -0.55, -0.75])
SPOT = np.array([-0.26, -0.42, -0.55])
TIRED = np.array([-0.10, -0.17, -0.11])  # under the eyes
FRECKLES, MOLES, HAIRS = 0.0022, 0.011, 0.0008  # metres between them
LIPSTICK = np.array([-0.10, -0.75, -0.50])
LID_SHADOW = np.array([-0.42, -0.55, -0.52])
LINER = np.array([-1.3, -1.4, -1.4])
ROUGE = np.array([0.04, -0.30, -0.18])
RETREAT = 0.2  # how far the roots of hair stay behind the edge of the scalp, part of its border


class Layers:
    """Paints layers onto skin (n, 3), in logarithms of linear light."""

    def __init__(self, atlas: SkinAtlas, regions: Regions) -> None:
        self._atlas, self._regions = atlas, regions
        self._bare = (1 - regions.lips) * (1 - regions.mouth) * (1 - regions.nostrils)

    def freckles(self, skin: np.ndarray, amount: float, seed: int) -> np.ndarray:
        """Sprinkle freckles on nose, cheeks and forehead."""
        r, random = self._regions, np.random.default_rng(seed)
        centres = scattered(self._atlas, FRECKLES, seed)
        distance, which = nearest(self._atlas.points, centres)
        radius = random.uniform(0.0004, 0.0010, len(centres))[which]
        strength = random.beta(1.4, 1.6, len(centres))[which]
        sunny = (
            0.25
            + 0.9 * r.near(at.CHEEKBONE, 0.025)
            + 0.7 * r.near(at.NOSE_BRIDGE, 0.022)
            + 0.4 * r.near(at.FOREHEAD, 0.04)
        ).clip(0, 1)
        sunny = sunny * (1 + 0.4 * cloudy(self._atlas.points, 0.008, seed)).clip(0.1, 2)
        blot = np.exp(-((distance / radius) ** 2)) * strength * sunny * self._bare
        return skin + (amount * blot * 2.4)[:, None] * PIGMENT

    def age_spots(self, skin: np.ndarray, amount: float, seed: int) -> np.ndarray:
        """Paint irregular brown spots, few and large, mostly on temples, forehead and scalp."""
        r, random = self._regions, np.random.default_rng(seed + 1)
        centres = scattered(self._atlas, MOLES, seed + 1)
        warp = np.stack([cloudy(self._atlas.points, 0.003, seed + k) for k in range(3)], 1)
        distance, which = nearest(self._atlas.points + 0.0005 * warp, centres)
        radius = random.uniform(0.0007, 0.0033, len(centres))[which]
        shown = (random.uniform(size=len(centres)) < 0.6)[which]
        strength = random.uniform(0.25, 0.9, len(centres))[which] * shown
        place = 0.35 + 0.8 * r.near(at.TEMPLE, 0.04) + 0.5 * r.near(at.FOREHEAD, 0.05)
        inside = smooth_step(1.25, 0.65, distance / radius)
        blot = inside * strength * place.clip(0, 1) * self._bare
        return skin + (amount * blot)[:, None] * SPOT

    def fatigue(self, skin: np.ndarray, amount: float) -> np.ndarray:
        """Darken the thin skin under the eyes."""
        under = self._regions.near(at.UNDER_EYE, 0.009)
        return skin + (amount * under)[:, None] * TIRED

    def make_up(self, skin: np.ndarray, amount: float) -> np.ndarray:
        """Put on lipstick, shadow and liner on the lids, and rouge."""
        r = self._regions
        liner = smooth_step(0.0034, 0.002, r.lid_distance) * smooth_step(
            0.0008, 0.0017, r.lid_distance
        )
        layers = (
            (r.lips, LIPSTICK),
            (r.upper_lids, LID_SHADOW),
            (liner * (0.35 + 0.65 * r.near(at.UPPER_LID, 0.012)), LINER),
            (r.near(at.CHEEKBONE, 0.018), ROUGE),
        )
        for mask, shift in layers:
            skin = skin + (amount * mask)[:, None] * shift
        return skin

    def stubble(
        self, skin: np.ndarray, amount: float, hair: np.ndarray, seed: int = 3
    ) -> np.ndarray:
        """Let a shaved beard show through: a shadow, and hairs of the colour `hair` (3,)."""
        dense = self._regions.beard * (1 + 0.12 * cloudy(self._atlas.points, 0.006, seed))
        distance, which = nearest(self._atlas.points, scattered(self._atlas, HAIRS, seed))
        random = np.random.default_rng(seed)
        strength = random.uniform(0.3, 1.0, which.max() + 1)[which]
        hairs = np.exp(-((distance / 0.00026) ** 2)) * strength
        cool = (hair - skin) * [1.0, 0.92, 0.85]
        share = dense * amount * (0.10 + 0.5 * hairs)
        return skin + share[:, None] * cool

    def roots(self, skin: np.ndarray, hair: np.ndarray, cover: float = 0.85) -> np.ndarray:
        """Darken the scalp where hair grows, so that no skin shines through the hair.

        Args:
            hair: (3,) its colour, in logarithms.
            cover: part of the scalp that is hidden.
        """
        points = self._atlas.points
        wisps = 0.16 * cloudy(points * [1.0, 0.35, 1.0], 0.0014, 31) + 0.10 * cloudy(
            points, 0.006, 32
        )
        scalp = self._regions.scalp
        edge = smooth_step(RETREAT, 1.0, scalp + wisps * 4 * scalp * (1 - scalp))
        strands = 0.12 * cloudy(points * [1.0, 0.25, 1.0], 0.0014, 33)
        return skin + (cover * edge**1.3)[:, None] * (hair + strands[:, None] - skin)
