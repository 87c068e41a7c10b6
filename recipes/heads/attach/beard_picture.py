"""The picture of a beard's strands: a row of cards, roots at the top, drawn stroke by stroke."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from recipes.heads.attach.strand_picture import encode_strands

CARDS, DENSE = 6, 3  # in the picture, beside each other; the first ones have many strands
WIDTH, HEIGHT = 96, 160  # pixels of a card
STRANDS, FEW = 26, 9  # of a card
FINE = 4  # pixels of the drawing for each of the picture


@lru_cache(maxsize=1)
def beard_picture() -> bytes:
    """Draw the strands: brightness and alpha, a PNG."""
    random = np.random.default_rng(5)
    size = (CARDS * WIDTH * FINE, HEIGHT * FINE)
    light, alpha = Image.new("L", size, 128), Image.new("L", size, 0)
    brush, mask = ImageDraw.Draw(light), ImageDraw.Draw(alpha)
    for card in range(CARDS):
        for _ in range(STRANDS if card < DENSE else FEW):
            path, width = _strand(random)
            path = (path * [WIDTH, HEIGHT] + [card * WIDTH, 0]) * FINE
            tone = int(np.clip(random.normal(130, 45), 20, 250))
            for start, end, wide in zip(path[:-1], path[1:], width[:-1], strict=True):
                line = [*map(tuple, (start, end))]
                brush.line(line, fill=tone, width=max(int(wide * FINE), 1))
                mask.line(line, fill=255, width=max(int(wide * FINE), 1))
    final = (CARDS * WIDTH, HEIGHT)
    layers = [
        np.asarray(layer.resize(final, Image.Resampling.BOX), float) / 255
        for layer in (light, alpha)
    ]
    return encode_strands(*layers)


def _strand(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw a strand at random: points (20, 2) of a card, from 0 to 1, and widths in pixels."""
    along = np.linspace(0, 1, 20)
    start, root = random.uniform(0.1, 0.9), random.uniform(0.0, 0.4)
    tip = random.uniform(0.6, 0.97)
    lean, bend = random.normal(0, 0.10), random.normal(0, 0.07)
    x = start + lean * along + bend * np.sin(np.pi * along)
    y = root + (tip - root) * along
    width = random.uniform(2.2, 3.6) * np.sqrt((0.35 + 2.6 * along).clip(0, 1) * (1 - along**3))
    return np.stack([x.clip(0.03, 0.97), y], 1), width
