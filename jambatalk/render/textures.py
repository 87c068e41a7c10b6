"""Textures of materials: their pictures, decoded, packed for the shader and kept by OpenGL."""

from __future__ import annotations

import io
from collections import OrderedDict
from functools import partial

import numpy as np
from OpenGL import GL
from PIL import Image

from jambatalk.errors import RenderError
from jambatalk.face.material import Material
from jambatalk.render.cutout import SIZE

KEPT = 12  # textures no clip uses any more: the next one may
FLAT = 127.5  # code of a surface that is not tilted


class Textures:
    """The textures of this process, by the pictures from which they are made."""

    def __init__(self) -> None:
        self._numbers: OrderedDict[tuple, int] = OrderedDict()  # last used last
        self._users: dict[tuple, int] = {}

    def get(self, key: tuple) -> int:
        """Return OpenGL's number of the texture of :func:`albedo_key` or :func:`detail_key`; each
        is to be given back by :meth:`release`."""
        kind, *pictures = key
        if key not in self._numbers:
            self._numbers[key] = _upload(
                _albedo(*pictures) if kind == "albedo" else _tilts(*pictures)
            )
        self._numbers.move_to_end(key)
        self._users[key] = self._users.get(key, 0) + 1
        return self._numbers[key]

    def release(self, key: tuple) -> None:
        """Give a texture back; it is kept for a while."""
        self._users[key] -= 1
        unused = [key for key in self._numbers if not self._users[key]]
        for old in unused[: max(len(unused) - KEPT, 0)]:
            GL.glDeleteTextures(1, [self._numbers.pop(old)])
            del self._users[old]


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


def _albedo(picture: bytes, detail: bytes | None, cutout: bool) -> list[np.ndarray]:
    """Return colours with alpha or cavity, (height, width, 4) uint8, and their mipmaps."""
    if detail is None:
        image = np.array(_decode(picture, "RGBA"))
    else:
        colors = _decode(picture, "RGB")
        cavity = _decode(detail, "RGB").resize(colors.size, Image.Resampling.BOX).getchannel("B")
        colors.putalpha(cavity)
        image = np.array(colors)
    return _mipmaps(image, cutout)


def _tilts(detail: bytes, wrinkles: bytes | None) -> list[np.ndarray]:
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


def _upload(levels: list[np.ndarray]) -> int:
    number = GL.glGenTextures(1)
    GL.glBindTexture(GL.GL_TEXTURE_2D, number)
    GL.glPixelStorei(GL.GL_UNPACK_ALIGNMENT, 1)
    for level, image in enumerate(levels):
        height, width = image.shape[:2]
        GL.glTexImage2D(
            GL.GL_TEXTURE_2D, level, GL.GL_RGBA8, width, height, 0,
            GL.GL_RGBA, GL.GL_UNSIGNED_BYTE, np.ascontiguousarray(image),
        )  # fmt: skip
    for name, value in (
        (GL.GL_TEXTURE_MAX_LEVEL, len(levels) - 1),
        (GL.GL_TEXTURE_MIN_FILTER, GL.GL_LINEAR_MIPMAP_NEAREST),
        (GL.GL_TEXTURE_MAG_FILTER, GL.GL_LINEAR),
        (GL.GL_TEXTURE_WRAP_S, GL.GL_CLAMP_TO_EDGE),
        (GL.GL_TEXTURE_WRAP_T, GL.GL_CLAMP_TO_EDGE),
    ):
        GL.glTexParameteri(GL.GL_TEXTURE_2D, name, value)
    return number
