"""Pictures of strands: brightness and alpha, to be coloured by the vertices."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import distance_transform_edt

from recipes.heads.makehuman_assets import read_picture

MEAN = 0.62  # of the brightness, so that the vertices' colour is that of the hair
SPREAD = 0.16  # standard deviation of the brightness
SOLID = 0.35  # alpha from which a texel has a colour of its own


def strand_picture(path: Path, size: int) -> bytes:
    """Reduce a picture of MakeHuman's to brightness and alpha, a PNG of `size` pixels.

    Args:
        path: without its suffix.

    Raises:
        DataError: it is missing or damaged.
    """
    pixels = np.asarray(read_picture(path, "RGBA").resize((size, size)), np.float64) / 255
    light, alpha = pixels[..., :3] @ [0.3, 0.59, 0.11], pixels[..., 3]
    return encode_strands(light, alpha)


def encode_strands(light: np.ndarray, alpha: np.ndarray) -> bytes:
    """Normalise brightness (h, w), bleed it into what is transparent, and encode a PNG."""
    solid = alpha >= SOLID
    mean, spread = light[solid].mean(), max(light[solid].std(), 1e-3)
    light = MEAN + (light - mean) * SPREAD / spread
    _, (rows, columns) = distance_transform_edt(~solid, return_indices=True)
    light = light[rows, columns].clip(0, 1)
    both = np.stack([light, alpha], -1)
    image = Image.fromarray((both * 255).round().astype(np.uint8), "LA")
    data = BytesIO()
    image.save(data, "PNG", optimize=True)
    return data.getvalue()
