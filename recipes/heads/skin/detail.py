"""The fine relief of skin, as tilts of its normal and cavity: pores, cells, lines, lip creases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recipes.heads.skin import landmarks as at
from recipes.heads.skin.albedo import LUMINANCE, to_log
from recipes.heads.skin.atlas import SkinAtlas
from recipes.heads.skin.diffusion import Diffusion
from recipes.heads.skin.noise import cloudy, nearest, scattered, smooth_step
from recipes.heads.skin.regions import Regions

PORES, PORE_DEPTH, PORE_RADIUS = 0.00115, 54e-6, 0.00042  # metres: spacing, depth, radius
CELLS = 0.0019  # metres: the patches between the skin's finest lines
CREASES = 60e-6  # metres: depth in the lips
CAVITY = 500e-6  # metres below its surroundings, where a third of the light arrives
FINE, BROAD = 0.0004, 0.004  # metres: what counts as structure in a photograph
TALLEST = 0.0003  # metres


@dataclass(frozen=True)
class Age:
    """The relief that people of one age share.

    Attributes:
        name: of the picture.
        until: years.
        skins: pictures whose structure is used.
        structure: metres of relief for a change of one in the logarithm of a photograph's light.
        lines: metres, the depth of the finest lines.
    """

    name: str
    until: float
    skins: dict[str, float]
    structure: float
    lines: float


AGES = (
    Age("young", 38, {"young_lightskinned_female_diffuse2": 1.0}, 0.4e-3, 14e-6),
    Age("middle", 57, {"middleage_lightskinned_male_diffuse2": 1.0}, 0.5e-3, 17e-6),
    Age("old", 200, {"old_lightskinned_male_diffuse2": 1.0}, 0.6e-3, 24e-6),
)


def age_of(years: float) -> Age:
    """Return the relief of an age."""
    return next(age for age in AGES if years < age.until)


class Relief:
    """Makes detail pictures of heights."""

    def __init__(self, atlas: SkinAtlas, diffusion: Diffusion, regions: Regions) -> None:
        self._atlas, self._diffusion, self._regions = atlas, diffusion, regions

    def detail(self, age: Age, photograph: np.ndarray, bare: np.ndarray) -> np.ndarray:
        """Return tilts and cavity (n, 3), coded from 0 to 1.

        Args:
            photograph: sRGB (n, 3) from 0 to 1.
            bare: (n,) where it shows bare skin.
        """
        r = self._regions
        heights = self._photographed(photograph) * age.structure * bare
        soft = (1 - r.lips) * (1 - r.mouth) * smooth_step(0.0015, 0.004, r.lid_distance)
        heights = heights + soft * (self._pores() + self._cells() * age.lines)
        heights = heights + r.lips * (1 - r.mouth) * self._creases()
        return self.code(heights)

    def code(self, heights: np.ndarray) -> np.ndarray:
        """Code heights (n,) in metres as tilts and cavity (n, 3)."""
        right, up = self._atlas.slopes(heights)
        around = self._diffusion.texels(heights[:, None], 0.002)[:, 0]
        cavity = np.exp((heights - around).clip(-TALLEST, 0) / CAVITY)
        tilt = 0.5 + 0.5 * np.tanh(np.stack([right, up], 1))
        return np.column_stack([tilt, cavity])

    def _photographed(self, photograph: np.ndarray) -> np.ndarray:
        light = to_log(photograph) @ LUMINANCE
        return (light - self._diffusion.texels(light[:, None], BROAD)[:, 0]).clip(-0.3, 0.2)

    def _pores(self) -> np.ndarray:
        r = self._regions
        distance, _ = nearest(self._atlas.points, scattered(self._atlas, PORES, 21))
        pit = np.exp(-((distance / PORE_RADIUS) ** 2))
        coarse = (
            0.35
            + 0.9 * r.near(at.NOSE_TIP, 0.014)
            + 0.8 * r.near(at.NOSE_WING, 0.009)
            + 0.65 * r.near(at.CHEEK, 0.022)
            + 0.4 * r.near(at.CHIN, 0.018)
            + 0.3 * r.near(at.FOREHEAD, 0.03)
        )
        uneven = 1 + 0.35 * cloudy(self._atlas.points, 0.004, 22)
        return -PORE_DEPTH * pit * coarse.clip(0, 1.2) * uneven * (1 - r.shaved) * (1 - r.ears)

    def _cells(self) -> np.ndarray:
        """Patches that bulge between fine lines, from -1 in the lines to 0."""
        distance, _ = nearest(self._atlas.points, scattered(self._atlas, CELLS, 23), 2)
        gap = (distance[:, 1] - distance[:, 0]) / CELLS
        patchy = 0.7 + 0.3 * cloudy(self._atlas.points, 0.01, 24).clip(-2, 2)
        return -np.exp(-gap / 0.18) * patchy * (1 - self._regions.shaved)

    def _creases(self) -> np.ndarray:
        stretched = self._atlas.points * [1.0, 0.2, 0.3]
        return CREASES * (np.minimum(cloudy(stretched, 0.0007, 25), 0.4) - 0.4) * 0.6
