"""Draw fine strands along the direction in which the hair of a picture lies."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, sobel

STEPS, STEP = 32, 1.3  # to each side, pixels: how long a strand stays the same
FINE, WIDE = 0.7, 2.5  # pixels: of the structure whose direction is found
COARSE = 15.0  # pixels: its neighbourhood
STEEP = 0.1  # change from which all edges count the same: highlights and outlines are no strands
THIN = 0.55  # pixels, half the width of a strand
LOCKS = 3.0  # pixels, half the width of a lock
SEED = 21


def draw_strands(tone: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Return strands (n, n) of mean 0 and standard deviation 1: noise smeared along the hair.

    Args:
        tone: (n, n) the picture's fine structure, of standard deviation 1.
        seen: (n, n) where it is not transparent.
    """
    direction = _direction(tone, seen)
    random = np.random.default_rng(SEED)
    noise = random.normal(size=tone.shape).astype(np.float32)
    thin, locks = gaussian_filter(noise, THIN), gaussian_filter(noise[::-1], LOCKS)
    noise = thin / thin.std() + 0.4 * locks / locks.std()
    start = np.argwhere(seen).astype(np.float32)
    total = noise[seen]
    for sign in (1.0, -1.0):
        place, ahead = start.copy(), sign * direction[seen]
        for _ in range(STEPS):
            place += STEP * ahead
            row, column = place.round().astype(int).clip(0, len(tone) - 1).T
            along = direction[row, column]
            same = np.einsum("nk,nk->n", along, ahead) >= 0  # a direction has no sign
            ahead = np.where(same[:, None], along, -along)
            total = total + noise[row, column]
    strands = np.zeros_like(noise)
    strands[seen] = (total - total.mean()) / total.std()
    return strands


def _direction(tone: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Return the direction of the least change, unit vectors of row and column (n, n, 2)."""
    smooth = gaussian_filter(tone, FINE) - gaussian_filter(tone, WIDE)
    inside = gaussian_filter(seen.astype(np.float32), WIDE) > 0.95
    down, right = sobel(smooth, 0), sobel(smooth, 1)
    change = np.hypot(down, right)
    counted = inside / np.maximum(change, STEEP)
    down, right = down * counted, right * counted
    a, b, c = (gaussian_filter(part, COARSE) for part in (down * down, down * right, right * right))
    turn = 0.5 * np.arctan2(2 * b, a - c) + np.pi / 2  # from the direction of the greatest change
    return np.stack([np.cos(turn), np.sin(turn)], -1).astype(np.float32)
