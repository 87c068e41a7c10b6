"""Compress pictures into a given number of bytes."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

BEST, WORST = 93, 30
FULL = 0  # colour at full resolution: tilts are no colours


def encode_jpeg(picture: np.ndarray, limit: int, is_color: bool = True) -> bytes:
    """Encode (h, w, 3) uint8 as JPEG at the best quality that fits into `limit` bytes."""
    image = Image.fromarray(picture)
    low, high, best = WORST, BEST, b""
    while low <= high:
        quality = (low + high) // 2
        file = io.BytesIO()
        sampling = 2 if is_color else FULL
        image.save(file, "JPEG", quality=quality, subsampling=sampling, optimize=True)
        data = file.getvalue()
        if len(data) <= limit or quality == WORST:
            best, low = data, quality + 1
        else:
            high = quality - 1
    return best
