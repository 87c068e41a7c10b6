"""Read MakeHuman's skin pictures at the texels of the atlas."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy import ndimage

from jambatalk.errors import DataError
from recipes.heads.makehuman_assets import read_picture


class Photographs:
    """Pictures in the folder of MakeHuman's skins, read at texture coordinates (n, 2)."""

    def __init__(self, folder: Path, uv: np.ndarray) -> None:
        self._folder, self._uv = folder, uv
        self.read = lru_cache(maxsize=4)(self._read)

    def blend(self, parts: Mapping[str, float]) -> np.ndarray:
        """Mix skins by weight: sRGB (n, 3) from 0 to 1.

        Raises:
            DataError: a picture is missing, or no skin is named.
        """
        total = sum(parts.values())
        if total <= 0:
            raise DataError("A head names no skin.", "Give Identity.skins a name and a weight.")
        return np.sum([self.read(name) * (share / total) for name, share in parts.items()], axis=0)

    def _read(self, name: str) -> np.ndarray:
        picture = np.asarray(read_picture(self._folder / name, "RGB"), np.float32) / 255
        height, width = picture.shape[:2]
        place = [(1 - self._uv[:, 1]) * height - 0.5, self._uv[:, 0] * width - 0.5]
        order = 1 if height > 1024 else 3
        channels = [
            ndimage.map_coordinates(picture[..., k], place, order=order, mode="nearest")
            for k in range(3)
        ]
        return np.stack(channels, axis=1).clip(0, 1)
