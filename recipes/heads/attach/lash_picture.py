"""The picture of lashes: tapering curves, the upper ones in its upper half."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from recipes.heads.attach.strand_picture import encode_strands

WIDTH, HEIGHT = 512, 128  # pixels of a half
FINE = 4  # times finer while drawing
UPPER, LOWER = (44, 1.0), (30, 0.62)  # lashes, and their length of the strip's
THICK = 4.5  # pixels at the root
LEAN = 26  # pixels by which a tip leans outwards
STEPS = 12


def lash_picture(seed: int = 0) -> bytes:
    """Draw upper and lower lashes: a PNG of brightness and alpha."""
    random = np.random.default_rng(seed)
    halves = [_draw(random, *kind) for kind in (UPPER, LOWER)]
    alpha = np.concatenate(halves)
    return encode_strands(np.full_like(alpha, 0.5), alpha)


def _draw(random: np.random.Generator, count: int, length: float) -> np.ndarray:
    """Draw lashes from the lower edge upwards: alpha (HEIGHT, WIDTH)."""
    image = Image.new("L", (WIDTH * FINE, HEIGHT * FINE))
    pen = ImageDraw.Draw(image)
    for k in range(count):
        root = (k + 0.5 + random.normal(0, 0.25)) * WIDTH / count
        edge = min(root, WIDTH - root) / WIDTH  # lashes are shorter at both ends
        size = length * HEIGHT * (0.55 + 0.45 * min(edge / 0.2, 1)) * random.uniform(0.7, 0.98)
        lean = LEAN * (2 * root / WIDTH - 1) + random.normal(0, 6)
        part = np.linspace(0, 1, STEPS)
        x, y = root + lean * part**1.5, HEIGHT - size * part
        for i in range(STEPS - 1):
            thick = max(1, round(THICK * FINE * (1 - part[i]) ** 0.7))
            points = [(x[j] * FINE, y[j] * FINE) for j in (i, i + 1)]
            pen.line(points, fill=255, width=thick)
    small = image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    return np.asarray(small, np.float64) / 255
