"""Pictures of hair: luminance and alpha, so that one picture serves hair of any colour."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import distance_transform_edt, gaussian_filter

from recipes.heads.attach.strands import draw_strands
from recipes.heads.makehuman_assets import read_picture

SIZE = 1024  # pixels
LIMIT = 350_000  # bytes of a file
MEAN = 0.66  # of luminance, sRGB
SPREAD = 0.15  # standard deviation of luminance
FLATTENED = 0.9  # part of the painted light that is taken out
LIGHT = 0.02  # size of the painted light's highlights, part of the picture
FAINT, FULL = 0.08, 0.75  # alpha of the source that becomes 0 and 1
PAINTED, STRANDS = 0.5, 0.8  # parts of the source's contrast and of added strands
BLEED = 16  # pixels around what is opaque
LEVELS = (28, 16, 10, 7)  # grey levels; fewer make a smaller file


@lru_cache(maxsize=32)
def hair_picture(path: Path, straight: bool = True) -> bytes:
    """Return the picture of a haircut as PNG with luminance and alpha.

    Args:
        path: of the source, without its suffix.
        straight: whether fine strands are added along the direction of the hair.

    Raises:
        DataError: the source cannot be read.
    """
    luminance, alpha = _read(path)
    luminance = _even(luminance, alpha, straight)
    data = b""
    for levels in LEVELS:
        data = _encode(luminance, alpha, levels)
        if len(data) <= LIMIT:
            break
    return data


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return luminance and alpha (n, n) from 0 to 1."""
    source = np.asarray(read_picture(path, "RGBA"), np.float32) / 255
    luminance, alpha = source[..., :3] @ np.array([0.3, 0.55, 0.15], np.float32), source[..., 3]
    if alpha.min() > 0.9:  # the picture has none
        alpha = gaussian_filter((luminance > 0.06).astype(np.float32), 6).clip(0, 0.5) * 2
    alpha = np.clip((alpha - FAINT) / (FULL - FAINT), 0, 1)
    count = SIZE
    weighed = _resize(luminance * alpha, count)
    alpha = _resize(alpha, count).clip(0, 1)
    return np.where(alpha > 0.02, weighed / np.maximum(alpha, 0.02), 0), alpha


def _resize(values: np.ndarray, count: int) -> np.ndarray:
    if len(values) == count:
        return values
    image = Image.fromarray(values).resize((count, count), Image.Resampling.LANCZOS)
    return np.maximum(np.asarray(image), 0)


def _even(luminance: np.ndarray, alpha: np.ndarray, straight: bool) -> np.ndarray:
    """Take out most of the painted highlights, and give strands the same contrast everywhere."""
    seen = alpha > 0.3
    tone = np.log(luminance + 0.02)
    blur = LIGHT * len(alpha)
    weight = gaussian_filter(seen.astype(np.float32), blur) + 1e-4
    light = gaussian_filter(np.where(seen, tone, 0), blur) / weight
    fine = tone - FLATTENED * light
    fine = (fine - fine[seen].mean()) / fine[seen].std()
    if straight:
        fine = PAINTED * fine + STRANDS * draw_strands(np.where(seen, fine, 0), seen)
        fine /= fine[seen].std()
    return _bleed(np.clip(MEAN + SPREAD * 2.4 * np.tanh(fine / 2.4), 0.12, 1), seen)


def _bleed(luminance: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Colour transparent pixels like the nearest opaque ones, and those further away evenly."""
    distance, nearest = distance_transform_edt(~seen, return_indices=True)
    return np.where(distance < BLEED, luminance[tuple(nearest)], MEAN)


def _encode(luminance: np.ndarray, alpha: np.ndarray, levels: int) -> bytes:
    grey = np.round(luminance * levels) / levels * 255
    sheer = np.round(alpha * 15) * 17
    bands = [Image.fromarray(band.round().astype(np.uint8)) for band in (grey, sheer)]
    file = io.BytesIO()
    Image.merge("LA", bands).save(file, "PNG", compress_level=7)
    return file.getvalue()
