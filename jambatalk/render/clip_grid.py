"""Several clips side by side in one picture, with captions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import zip_longest
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from jambatalk.errors import RenderError

COLUMNS = {2: 2, 3: 3, 4: 2}  # clips → columns
LETTERS = 0.05  # font size, of a clip's height
BOX = (16, 18, 21, 175)  # RGBA
TEXT = (255, 255, 255, 255)


def grid_size(count: int, size: int) -> tuple[int, int]:
    """Return width and height of a picture of `count` square clips of `size` pixels.

    Raises:
        RenderError: not 2, 3 or 4 clips.
    """
    if count not in COLUMNS:
        raise RenderError(f"{count} clips cannot be compared.", "Choose 2, 3 or 4.")
    columns = COLUMNS[count]
    return columns * size, count // columns * size


def side_by_side(
    streams: Sequence[Iterator[np.ndarray]], captions: Sequence[str]
) -> Iterator[np.ndarray]:
    """Put two or three clips in a row, or four in a square, each with its caption.

    Args:
        streams: frames (size, size, 3) uint8 RGB of clips of equal length and size.
        captions: one per clip; "" for none.

    Yields:
        (height, width, 3) uint8, see :func:`grid_size`.

    Raises:
        RenderError: not 2, 3 or 4 clips, or they differ in length.
    """
    if len(captions) != len(streams):
        raise RenderError(f"{len(captions)} captions do not fit {len(streams)} clips.")
    grid_size(len(streams), 0)  # raises for other numbers
    labels: list[_Label] = []
    for pictures in zip_longest(*streams):
        if any(picture is None for picture in pictures):
            raise RenderError("Clips of different lengths cannot be compared.")
        size = len(pictures[0])
        width, height = grid_size(len(streams), size)
        labels = labels or [_Label.draw(caption, size) for caption in captions]
        grid = np.empty((height, width, 3), np.uint8)
        for number, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
            row, column = divmod(number, width // size)
            cell = grid[row * size : (row + 1) * size, column * size : (column + 1) * size]
            cell[:] = picture
            label.paste(cell)
        yield grid


@dataclass(frozen=True)
class _Label:
    """A caption, drawn once: what it adds (h, w, 3) to a picture and keeps (h, w, 1) of it, in
    256ths, and the position of its upper left corner."""

    added: np.ndarray
    kept: np.ndarray
    x: int
    y: int

    @classmethod
    def draw(cls, caption: str, size: int) -> _Label:
        """Draw a rounded box for the middle of the lower edge of a picture of `size` pixels."""
        text = " ".join(caption.split())
        letters = max(round(LETTERS * size), 8)
        font, margin = _font(letters), letters // 2
        room = size - 4 * margin
        while font.getlength(text) > room:
            text = text.rstrip("…")[:-1] + "…"
        width = round(font.getlength(text)) + 2 * margin if text else 0
        height = letters + margin if text else 0
        box = Image.new("RGBA", (width, height))
        if text:
            pen = ImageDraw.Draw(box)
            pen.rounded_rectangle((0, 0, width - 1, height - 1), margin, fill=BOX)
            pen.text((width / 2, height / 2), text, font=font, fill=TEXT, anchor="mm")
        pixels = np.asarray(box, np.uint16)
        opaque = pixels[..., 3:] + (pixels[..., 3:] > 127)  # 0 to 256
        return cls(
            added=pixels[..., :3] * opaque,
            kept=256 - opaque,
            x=(size - width) // 2,
            y=size - height - margin,
        )

    def paste(self, picture: np.ndarray) -> None:
        """Draw the caption over `picture` (size, size, 3), in place."""
        height, width = self.kept.shape[:2]
        part = picture[self.y : self.y + height, self.x : self.x + width]
        part[:] = (part * self.kept + self.added) >> 8


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Load pyrender's Open Sans: it has Latin, Greek and Cyrillic; Pillow's own font only ASCII."""
    spec = find_spec("pyrender")  # without importing it
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    return ImageFont.truetype(package / "fonts" / "OpenSans-Semibold.ttf", size)
