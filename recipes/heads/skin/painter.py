"""Paint all pictures of a head's skin and eyes, and describe its materials."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from recipes.heads.colors import hex_color
from recipes.heads.ict_facekit import IctFaceKit
from recipes.heads.identity import Identity
from recipes.heads.makehuman_assets import BentBase
from recipes.heads.skin.albedo import SkinColor, from_log, to_log
from recipes.heads.skin.atlas import SkinAtlas
from recipes.heads.skin.bake_map import map_to_base
from recipes.heads.skin.detail import Age, Relief, age_of
from recipes.heads.skin.diffusion import Diffusion
from recipes.heads.skin.eye_picture import eye_picture
from recipes.heads.skin.jpeg import encode_jpeg
from recipes.heads.skin.layers import Layers
from recipes.heads.skin.lips import Mucosa
from recipes.heads.skin.photographs import Photographs
from recipes.heads.skin.regions import Regions
from recipes.heads.skin.wrinkles import wrinkle_heights

# Bytes
ALBEDO, DETAIL, WRINKLES, EYE = 285_000, 245_000, 78_000, 40_000
FLAT = (0.5, 0.5, 1.0)  # no tilt, no cavity
GREY = np.array([0.62, 0.61, 0.60])  # sRGB, hair without pigment


class SkinPainter:
    """Paints heads; what all of them share is computed once.

    Args:
        scale: size of the skin's pictures against the atlas; 1 but in tests.
    """

    def __init__(
        self, ict: IctFaceKit, bent: BentBase, makehuman: Path, scale: float = 1.0
    ) -> None:
        self.atlas = SkinAtlas.draw(ict, scale)
        self.diffusion = Diffusion(self.atlas)
        uv = map_to_base(self.atlas, self.diffusion, bent.positions, makehuman)
        self._photographs = Photographs(makehuman / "skins" / "textures", uv)
        self.regions = Regions(self.atlas, self.diffusion, self._photographs)
        self._color = SkinColor(self.atlas, self.diffusion, self.regions)
        self._mucosa = Mucosa(self.atlas, self.regions)
        self._layers = Layers(self.atlas, self.regions)
        self._eyes = makehuman / "eyes" / "materials"
        self._details: dict[str, bytes] = {}

    def paint(self, identity: Identity) -> tuple[list[dict], dict[str, bytes]]:
        """Return the materials skin, mouth and eyes, and their pictures: file name → JPEG.

        Raises:
            DataError: a picture of MakeHuman's is missing.
        """
        age = age_of(identity.years)
        names = {
            "albedo": f"{identity.name}_skin.jpg",
            "detail": f"skin_{age.name}.jpg",
            "wrinkles": "wrinkles.jpg",
        }
        eye = f"eye_{identity.iris}.jpg"
        pictures = {
            names["albedo"]: encode_jpeg(self.albedo(identity), ALBEDO),
            names["detail"]: self._detail_file(age),
            names["wrinkles"]: self._wrinkles_file,
            eye: encode_jpeg(eye_picture(identity.iris, self._eyes), EYE),
        }
        materials = [
            {"name": "skin", "kind": "skin", **names},
            {"name": "mouth", "kind": "mouth"},
            {"name": "eyes", "kind": "eye", "albedo": eye},
        ]
        return materials, pictures

    def skin_pictures(self, identity: Identity) -> dict[str, np.ndarray]:
        """Return albedo and detail of a head, (rows, columns, 3) uint8 each."""
        return {"albedo": self.albedo(identity), "detail": self.detail(age_of(identity.years))}

    def albedo(self, identity: Identity) -> np.ndarray:
        """Paint the colours of a head's skin, sRGB (rows, columns, 3) uint8."""
        photograph = self._photographs.blend(identity.skins)
        tone = None if identity.tone is None else hex_color(identity.tone)
        skin = self._color.bare(photograph, tone)
        full = 1 - 0.25 * identity.sex - 0.2 * np.clip((identity.years - 40) / 40, 0, 1)
        skin = self._mucosa.paint(skin, self._color.lip_shift(photograph), full)
        return self._bytes(from_log(self._layered(skin, identity)))

    def _layered(self, skin: np.ndarray, identity: Identity) -> np.ndarray:
        layers, seed = self._layers, 1000 + 10 * identity.seed
        hair = to_log(hex_color(identity.hair_color))
        hair = hair + identity.grey * 0.7 * (to_log(GREY) - hair)
        skin = layers.fatigue(skin, 0.5 + 0.7 * min(identity.years / 70, 1.0))
        for amount, layer in (
            (identity.freckles, layers.freckles),
            (identity.spots, layers.age_spots),
        ):
            if amount:
                skin = layer(skin, amount, seed)
        if identity.stubble:
            skin = layers.stubble(skin, identity.stubble, hair)
        if identity.make_up:
            skin = layers.make_up(skin, identity.make_up)
        return skin if identity.hair is None else layers.roots(skin, hair)

    def wrinkles(self) -> np.ndarray:
        """Paint the relief of compressed skin, (rows, columns, 3) uint8."""
        heights = wrinkle_heights(self.atlas, self.regions)
        return self._bytes(self._relief.code(heights), FLAT)

    def detail(self, age: Age) -> np.ndarray:
        """Paint the relief of an age, (rows, columns, 3) uint8."""
        photograph = self._photographs.blend(age.skins)
        coded = self._relief.detail(age, photograph, self._color.bareness)
        return self._bytes(coded, FLAT)

    @cached_property
    def _relief(self) -> Relief:
        return Relief(self.atlas, self.diffusion, self.regions)

    def _detail_file(self, age: Age) -> bytes:
        if age.name not in self._details:
            self._details[age.name] = encode_jpeg(self.detail(age), DETAIL, is_color=False)
        return self._details[age.name]

    @cached_property
    def _wrinkles_file(self) -> bytes:
        half = Image.fromarray(self.wrinkles()).reduce(2)
        return encode_jpeg(np.asarray(half), WRINKLES, is_color=False)

    def _bytes(self, values: np.ndarray, background: tuple | None = None) -> np.ndarray:
        picture = self.atlas.picture(values, background)
        return (picture.clip(0, 1) * 255).round().astype(np.uint8)
