"""The colour of a head's skin: MakeHuman's pictures, without the light that is painted into them.

Colours are split into what varies over centimetres and what varies within one. From the first,
brightness is taken out (it is light, or shaved hair) and hue kept; the second is kept where the
picture shows skin. All is done in logarithms of linear light, where a tone is a shift.
"""

from __future__ import annotations

import numpy as np

from jambatalk.face.srgb import to_linear, to_srgb
from recipes.heads.skin import landmarks as at
from recipes.heads.skin.atlas import SkinAtlas
from recipes.heads.skin.diffusion import Diffusion
from recipes.heads.skin.noise import cloudy, smooth_step
from recipes.heads.skin.regions import Regions

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
BLACK = 0.004  # added before the logarithm
BROAD = 0.005  # metres: where light ends and structure begins
LIGHT_LEFT = 0.22  # part of the broad brightness that stays
HUE_LEFT = 0.85
NECK = (-0.135, -0.1)  # metres, below which the pictures are stretched
FINE_PART = 1.05  # of the pictures' own structure


def to_log(srgb: np.ndarray) -> np.ndarray:
    """Convert sRGB from 0 to 1 to logarithms of linear light."""
    return np.log(to_linear(srgb) + BLACK)


def from_log(log: np.ndarray) -> np.ndarray:
    """Convert logarithms of linear light to sRGB from 0 to 1."""
    return to_srgb((np.exp(log) - BLACK).clip(0, 1))


class SkinColor:
    """Turns photographs into skin without light, hair, brows, lashes and lips."""

    def __init__(self, atlas: SkinAtlas, diffusion: Diffusion, regions: Regions) -> None:
        self._atlas, self._diffusion, self._regions = atlas, diffusion, regions
        r = regions
        covered = [
            smooth_step(-0.005, -0.002, r.lip_depth),
            r.mouth,
            smooth_step(0.0075, 0.0045, r.lid_distance),
            smooth_step(0.0, 0.3, r.nostrils),
            smooth_step(0.02, 0.4, r.shaved),
            smooth_step(0.05, 0.5, r.around_ears),
        ]
        self.bareness = 1 - np.max(covered, axis=0)  # where the pictures show bare skin
        self._sharp = 0.35 + 0.65 * smooth_step(*NECK, atlas.points[:, 1])
        self._mottled = np.stack([cloudy(atlas.points, s, k) for k, s in enumerate((0.003, 0.012))])

    def bare(self, photograph: np.ndarray, tone: np.ndarray | None) -> np.ndarray:
        """Return skin, in logarithms (n, 3), of a photograph (n, 3).

        Args:
            photograph: sRGB from 0 to 1.
            tone: sRGB (3,) from 0 to 1, the mean colour of the result; None for the photograph's.
        """
        values = to_log(photograph)
        broad = self._broad(values)
        fine = (values - broad) * (self.bareness * self._sharp * FINE_PART)[:, None]
        weight = self.bareness / self.bareness.sum()
        mean = weight @ broad
        light = (broad - mean) @ LUMINANCE
        hue = broad - mean - light[:, None]
        tint = (weight * light) @ hue / (weight @ light**2)  # what light does to hue
        hue = hue - light[:, None] * tint
        target = mean if tone is None else to_log(tone)
        brows = self._regions.near(at.BROW, 0.016)  # shaved ones leave a grey veil
        flat = target + LIGHT_LEFT * light[:, None] + (HUE_LEFT * (1 - 0.7 * brows))[:, None] * hue
        mottled = self._mottled[0] * 0.018 + self._mottled[1] * 0.028
        return self._blush(flat + fine + mottled[:, None] * [0.6, 1.0, 1.0])

    def lip_shift(self, photograph: np.ndarray) -> np.ndarray:
        """Return by how much (3,) the lips of a photograph differ from its skin, in logarithms."""
        values = to_log(photograph)
        lips = self._regions.lips * (self._regions.mouth_depth < -0.001)
        return (lips @ values) / lips.sum() - (self.bareness @ values) / self.bareness.sum()

    def _broad(self, values: np.ndarray) -> np.ndarray:
        means, sigma, known = self._diffusion.gather(values, self.bareness, BROAD)
        filled = self._diffusion.fill(means, known > 0.4)
        return self._atlas.interpolate(self._diffusion.blur(filled, sigma))

    def _blush(self, skin: np.ndarray) -> np.ndarray:
        """Add the blood under nose, cheeks, ears and lids."""
        r = self._regions
        amount = (
            0.15 * r.near(at.NOSE_TIP, 0.013)
            + 0.12 * r.near(at.NOSE_WING, 0.008)
            + 0.12 * r.near(at.CHEEK, 0.02)
            + 0.08 * r.near(at.CHIN, 0.014)
            + 0.18 * r.ears
            + 0.12 * smooth_step(0.006, 0.001, r.lid_distance)
        )
        uneven = 1 + 0.35 * self._mottled[1]
        return skin + (amount * uneven)[:, None] * np.array([0.15, -1.0, -0.75])
