"""Textures of materials: their pictures, decoded, packed for the shader and kept by OpenGL."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from OpenGL import GL

from jambatalk.render.pictures import pack_albedo, pack_tilts

KEPT = 12  # textures no clip uses any more: the next one may


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
                pack_albedo(*pictures) if kind == "albedo" else pack_tilts(*pictures)
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
