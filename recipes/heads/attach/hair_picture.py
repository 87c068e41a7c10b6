"""Pictures of hair: luminance and alpha, so that one picture serves hair of any colour."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import distance_transform_edt, gaussian_filter

from jambatalk.errors import DataError
from recipes.heads.makehuman_assets import CURE

SIZE = 1024  # pixels
LIMIT = 350_000  # bytes of a file
MEAN = 0.66  # of luminance, sRGB
SPREAD = 0.13  # standard deviation of luminance
FLATTENED = 0.8  # part of the painted light that is taken out
LIGHT = 0.03  # size of the painted light's highlights, part of the picture
FAINT, FULL = 0.08, 0.75  # alpha of the source that becomes 0 and 1
LEVELS = (64, 40, 28, 20, 14)  # grey levels; fewer make a smaller file


@lru_cache(maxsize=32)
def hair_picture(path: Path) -> bytes:
    """Return the picture of a haircut as PNG with luminance and alpha.

    Raises:
        DataError: the source cannot be read.
    """
    luminance, alpha = _read(path)
    luminance = _without_light(luminance, alpha)
    data = b""
    for levels in LEVELS:
        data = _encode(luminance, alpha, levels)
        if len(data) <= LIMIT:
            break
    return data


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return luminance and alpha (n, n) from 0 to 1, transparent pixels coloured like their
    neighbours."""
    try:
        with Image.open(path) as image:
            source = np.asarray(image.convert("RGBA"), np.float32) / 255
    except OSError as error:
        raise DataError(f"'{path}' cannot be read ({error}).", CURE) from error
    luminance, alpha = source[..., :3] @ np.float32([0.3, 0.55, 0.15]), source[..., 3]
    if alpha.min() > 0.9:  # the picture has none
        alpha = gaussian_filter((luminance > 0.06).astype(np.float32), 6).clip(0, 0.5) * 2
    alpha = np.clip((alpha - FAINT) / (FULL - FAINT), 0, 1)
    count = min(SIZE, len(alpha))
    weighed = _resize(luminance * alpha, count)
    alpha = _resize(alpha, count).clip(0, 1)
    luminance = np.where(alpha > 0.02, weighed / np.maximum(alpha, 0.02), 0)
    nearest = distance_transform_edt(alpha < 0.3, return_distances=False, return_indices=True)
    return luminance[tuple(nearest)], alpha


def _resize(values: np.ndarray, count: int) -> np.ndarray:
    if len(values) == count:
        return values
    image = Image.fromarray(values).resize((count, count), Image.Resampling.LANCZOS)
    return np.maximum(np.asarray(image), 0)


def _without_light(luminance: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Take out most of the painted highlights, and give strands the same contrast everywhere."""
    seen = alpha > 0.3
    tone = np.log(luminance + 0.02)
    blur = LIGHT * len(alpha)
    weight = gaussian_filter(seen.astype(np.float32), blur) + 1e-4
    light = gaussian_filter(np.where(seen, tone, 0), blur) / weight
    fine = tone - FLATTENED * light
    fine = (fine - fine[seen].mean()) / fine[seen].std()
    value = np.where(fine > 0, np.tanh(fine / 2.2) * 2.2, np.tanh(fine / 2.6) * 2.6)
    return np.clip(MEAN + SPREAD * value, 0.12, 1)


def _encode(luminance: np.ndarray, alpha: np.ndarray, levels: int) -> bytes:
    grey = np.round(luminance * levels) / levels * 255
    sheer = np.round(alpha * 15) * 17
    bands = [Image.fromarray(band.round().astype(np.uint8)) for band in (grey, sheer)]
    file = io.BytesIO()
    Image.merge("LA", bands).save(file, "PNG", optimize=True)
    return file.getvalue()
