"""The vertices and triangles of a face in OpenGL."""

from __future__ import annotations

from collections.abc import Iterator
from ctypes import c_void_p

import numpy as np
from OpenGL import GL

from jambatalk.render.batches import Batch

FLOAT_BYTES = INDEX_BYTES = 4
MOVING = ((0, 3), (1, 3), (2, 1))  # location and size: position, normal, compression
STILL = ((3, 4), (4, 2), (5, 1))  # colour and gloss, texture coordinates, occlusion


class VertexBuffers:
    """The vertices and triangles in OpenGL: what moves is replaced in every frame."""

    def __init__(self, still: np.ndarray, triangles: np.ndarray) -> None:
        self._array = GL.glGenVertexArrays(1)
        self._buffers = [int(number) for number in GL.glGenBuffers(3)]
        GL.glBindVertexArray(self._array)
        for buffer, layout in zip(self._buffers, (MOVING, STILL), strict=False):
            GL.glBindBuffer(GL.GL_ARRAY_BUFFER, buffer)
            stride = FLOAT_BYTES * sum(size for _, size in layout)
            for location, size, start in _starts(layout):
                GL.glVertexAttribPointer(
                    location, size, GL.GL_FLOAT, GL.GL_FALSE, stride, c_void_p(start)
                )
                GL.glEnableVertexAttribArray(location)
        moving, fixed, index = self._buffers
        GL.glBindBuffer(GL.GL_ARRAY_BUFFER, moving)
        size = FLOAT_BYTES * len(still) * sum(size for _, size in MOVING)
        GL.glBufferData(GL.GL_ARRAY_BUFFER, size, None, GL.GL_STREAM_DRAW)
        GL.glBindBuffer(GL.GL_ARRAY_BUFFER, fixed)
        GL.glBufferData(GL.GL_ARRAY_BUFFER, still.nbytes, still, GL.GL_STATIC_DRAW)
        GL.glBindBuffer(GL.GL_ELEMENT_ARRAY_BUFFER, index)
        GL.glBufferData(GL.GL_ELEMENT_ARRAY_BUFFER, triangles.nbytes, triangles, GL.GL_STATIC_DRAW)
        GL.glBindVertexArray(0)

    def update(self, moving: np.ndarray) -> None:
        """Replace position, normal and compression of all vertices, (V, 7) float32."""
        GL.glBindBuffer(GL.GL_ARRAY_BUFFER, self._buffers[0])
        GL.glBufferSubData(GL.GL_ARRAY_BUFFER, 0, moving.nbytes, moving)

    def bind(self) -> None:
        """Draw these triangles from now on."""
        GL.glBindVertexArray(self._array)

    def draw(self, batch: Batch) -> None:
        """Draw a batch with the program in use."""
        start = c_void_p(3 * INDEX_BYTES * batch.first)
        GL.glDrawElements(GL.GL_TRIANGLES, 3 * batch.count, GL.GL_UNSIGNED_INT, start)

    def release(self) -> None:
        """Free the buffers."""
        GL.glDeleteVertexArrays(1, [self._array])
        GL.glDeleteBuffers(len(self._buffers), self._buffers)


def _starts(layout: tuple[tuple[int, int], ...]) -> Iterator[tuple[int, int, int]]:
    """Yield location, size and first byte of each attribute of an interleaved buffer."""
    start = 0
    for location, size in layout:
        yield location, size, start
        start += FLOAT_BYTES * size
