"""Pictures of materials: decoded, and packed for the shader."""

from __future__ import annotations

import io
from functools import partial

import numpy as np
from PIL import Image

from jambatalk.errors import RenderError
from jambatalk.face.material import Material
from jambatalk.render.cutout import SIZE

FLAT = 127.5  # code of a surface that is not tilted


def albedo_key(material: Material) -> tuple:
    """Name the texture of a material's colours, with the cavity of its detail."""
    return "albedo", material.albedo, material.detail, material.cutout > 0


def detail_key(material: Material) -> tuple:
    """Name the texture of a material's detail and wrinkles."""
    return "detail", material.detail, material.wrinkles


def read_alpha(picture: bytes) -> np.ndarray:
    """Return a picture's alpha, reduced, (height, width) from 0 to 1."""
    image = _decode(picture, "RGBA").getchannel("A")
    image.thumbnail((SIZE, SIZE), Image.Resampling.BOX)
    return np.asarray(image, np.float32) / 255


def mean_brightness(picture: bytes) -> float:
    """Return the mean green, sRGB from 0 to 1, of a picture where it is opaque."""
    image = _decode(picture, "RGBA")
    image.thumbnail((SIZE, SIZE), Image.Resampling.BOX)
    green, alpha = (np.asarray(image.getchannel(name), np.float64) / 255 for name in "GA")
    return float(max((green * alpha).sum() / max(alpha.sum(), 1e-9), 1 / 255))


def pack_albedo(picture: bytes, detail: bytes | None, cutout: bool) -> list[np.ndarray]:
    """Return colours with alpha or cavity, (height, width, 4) uint8, and their mipmaps."""
    if detail is None:
        image = np.array(_decode(picture, "RGBA"))
    else:
        colors = _decode(picture, "RGB")
        cavity = _decode(detail, "RGB").resize(colors.size, Image.Resampling.BOX).getchannel("B")
        colors.putalpha(cavity)
        image = np.array(colors)
    return _mipmaps(image, cutout)


def pack_tilts(detail: bytes, wrinkles: bytes | None) -> list[np.ndarray]:
    """Return the tilts of detail and wrinkles, (height, width, 4) uint8, and their mipmaps."""
    fine = _decode(detail, "RGB")
    tilts = np.full((fine.height, fine.width, 4), round(FLAT), np.uint8)
    tilts[..., :2] = np.asarray(fine)[..., :2]
    if wrinkles is not None:
        folds = _decode(wrinkles, "RGB").resize(fine.size, Image.Resampling.BILINEAR)
        tilts[..., 2:] = np.asarray(folds)[..., :2]
    return _mipmaps(tilts, cutout=False)


def _decode(picture: bytes, mode: str) -> Image.Image:
    try:
        with Image.open(io.BytesIO(picture)) as file:
            return file.convert(mode)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise RenderError(f"A picture of the head cannot be read ({error}).") from error


def _mipmaps(image: np.ndarray, cutout: bool) -> list[np.ndarray]:
    """Return an image and each half of the size before, to one pixel.

    Where alpha shows what is cut out, colours count as much as they are opaque.
    """
    levels = [image]
    while max(levels[-1].shape[:2]) > 1:
        levels.append(_half(levels[-1], cutout))
    return levels


def _half(image: np.ndarray, cutout: bool) -> np.ndarray:
    height, width = (max(size // 2, 1) for size in image.shape[:2])
    mean = partial(Image.Image.resize, size=(width, height), resample=Image.Resampling.BOX)
    if cutout:
        return np.asarray(mean(Image.fromarray(image)))
    channels = [np.asarray(mean(Image.fromarray(image[..., k]))) for k in range(4)]
    return np.stack(channels, axis=-1)
