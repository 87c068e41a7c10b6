"""Antialiasing with two samples a pixel, placed on its diagonal.

A software rasteriser pays for every sample. On a nearly vertical or horizontal edge, two samples on
a pixel's diagonal give as many shades as four in a square grid, at half the cost. They are drawn in
one pass into a sheared buffer of twice the height: each row lies half a pixel further to the right
than the row below, and two rows make one row of pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided
from PIL import Image

SAMPLES = 2  # per pixel
SHEAR = np.array(  # clip coordinates into the buffer, of twice the width and height
    [[0.5, 0.5, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
)
_ALL_BUT_HIGHEST = np.uint32(0x7F7F7F7F)  # of each of four bytes


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
