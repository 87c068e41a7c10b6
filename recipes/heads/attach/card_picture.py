"""The picture of a beard's cards: a few tapering hairs on each."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from recipes.heads.attach.strand_picture import encode_strands

WIDTH, HEIGHT = 64, 128  # pixels of a card
FINE = 4  # times finer while drawing
HAIRS = 11  # on a card
THICK = 4.5  # pixels at the root
LATE = 0.3  # of a card: where the last root lies, so that a card has no visible edge
STEPS = 10


def card_picture(cards: int, seed: int = 0) -> bytes:
    """Draw `cards` cards side by side, their roots below: a PNG of brightness and alpha."""
    random = np.random.default_rng(seed)
    drawn = [_draw(random) for _ in range(cards)]
    light, alpha = (np.concatenate(part, axis=1) for part in zip(*drawn, strict=True))
    return encode_strands(light, alpha)


def _draw(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    size = WIDTH * FINE, HEIGHT * FINE
    light, alpha = Image.new("L", size), Image.new("L", size)
    pens = ImageDraw.Draw(light), ImageDraw.Draw(alpha)
    for k in range(HAIRS):
        root = (k + 0.5 + random.normal(0, 0.2)) * WIDTH / HAIRS
        tip = root + random.normal(0, 5)
        bend, height = random.normal(0, 4), random.uniform(0.65, 0.98)
        bright = int(random.uniform(90, 255))
        start = random.uniform(0, LATE)
        part = np.linspace(start, 1, STEPS)
        x = root + (tip - root) * part + bend * np.sin(np.pi * part)
        y = HEIGHT * (1 - height * part)
        for i in range(STEPS - 1):
            points = [(x[j] * FINE, y[j] * FINE) for j in (i, i + 1)]
            taper = ((1 - part[i]) / (1 - start)) ** 0.6
            thick = max(1, round(THICK * FINE * taper))
            for pen, value in zip(pens, (bright, 255), strict=True):
                pen.line(points, fill=value, width=thick)
    return tuple(
        np.asarray(image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS), np.float64) / 255
        for image in (light, alpha)
    )
