"""Antialiasing with two samples a pixel, placed on its diagonal.

A software rasteriser pays for every sample. On a nearly vertical or horizontal edge, two samples on
a pixel's diagonal give as many shades as four in a square grid, at half the cost; OpenGL's own four
samples a pixel (multisampling) take longer still, since a head's triangles are not much larger than
pixels. They are drawn in one pass into a sheared buffer of twice the height: each row lies half a
pixel further to the right than the row below, and two rows make one row of pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import as_strided
from OpenGL import GL
from PIL import Image

SAMPLES = 2  # per pixel
SHEAR = np.array(  # clip coordinates into the buffer, of twice the width and height
    [[0.5, 0.5, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
)
_ALL_BUT_HIGHEST = np.uint32(0x7F7F7F7F)  # of each of four bytes


class SampledPicture:
    """A square framebuffer that is drawn into and read as a picture.

    Attributes:
        shear: clip coordinates of the picture into the buffer, (4, 4).
    """

    def __init__(self, size: int, samples: int = SAMPLES) -> None:
        """Create a picture of `size` x `size` pixels with two samples each, or with one."""
        width = self._width = samples * size
        self.shear = SHEAR if samples == SAMPLES else np.eye(4)
        self._framebuffer = GL.glGenFramebuffers(1)
        self._buffers = [int(number) for number in GL.glGenRenderbuffers(2)]
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, self._framebuffer)
        for buffer, attachment, kind in zip(
            self._buffers,
            (GL.GL_COLOR_ATTACHMENT0, GL.GL_DEPTH_ATTACHMENT),
            (GL.GL_RGBA8, GL.GL_DEPTH_COMPONENT32F),  # the fastest without a GPU
            strict=True,
        ):
            GL.glBindRenderbuffer(GL.GL_RENDERBUFFER, buffer)
            GL.glRenderbufferStorage(GL.GL_RENDERBUFFER, kind, width, width)
            GL.glFramebufferRenderbuffer(GL.GL_FRAMEBUFFER, attachment, GL.GL_RENDERBUFFER, buffer)
        self._samples = np.empty((width, width, 4), np.uint8)

    def begin(self, background: Sequence[float]) -> None:
        """Draw into this picture from now on; clear it to a colour, RGB from 0 to 1."""
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, self._framebuffer)
        GL.glViewport(0, 0, self._width, self._width)
        GL.glClearColor(*background, 1.0)
        GL.glClear(GL.GL_COLOR_BUFFER_BIT | GL.GL_DEPTH_BUFFER_BIT)
        GL.glEnable(GL.GL_DEPTH_TEST)

    def read(self) -> np.ndarray:
        """Return the picture, (size, size, 3) uint8 RGB, top row first."""
        GL.glPixelStorei(GL.GL_PACK_ALIGNMENT, 1)
        GL.glReadPixels(
            0, 0, self._width, self._width, GL.GL_RGBA, GL.GL_UNSIGNED_BYTE, self._samples
        )
        if self.shear is SHEAR:
            return resolve_samples(self._samples)
        return np.ascontiguousarray(self._samples[::-1, :, :3])

    def release(self) -> None:
        """Free the framebuffer."""
        GL.glDeleteFramebuffers(1, [self._framebuffer])
        GL.glDeleteRenderbuffers(2, self._buffers)


def resolve_samples(buffer: np.ndarray) -> np.ndarray:
    """Average the samples of a sheared buffer.

    Args:
        buffer: (2 size, 2 size, 4) uint8, RGBA, lowest row first.

    Returns:
        (size, size, 3) uint8 RGB, top row first.
    """
    width, size = len(buffer), len(buffer) // SAMPLES
    buffer = buffer.view(np.uint32)[..., 0]
    # Up by one pixel is up by two rows and, for the shear, right by one sample.
    step = (-buffer.itemsize * (SAMPLES * width + 1), buffer.itemsize)
    left = as_strided(buffer[2 * size - 2 :, size - 1 :], (size, size), step)
    right = as_strided(buffer[2 * size - 1 :, size:], (size, size), step)
    # The mean of four bytes at once: the bits in both, and half of those in only one.
    half = left ^ right
    half >>= np.uint32(1)
    half &= _ALL_BUT_HIGHEST
    mean = left | right
    mean -= half
    pixels = Image.frombuffer("RGBX", (size, size), mean, "raw", "RGBX", 0, 1)
    return np.frombuffer(pixels.tobytes("raw", "RGB"), np.uint8).reshape(size, size, 3)
