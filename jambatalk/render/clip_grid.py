"""Several clips side by side in one picture, with captions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from itertools import zip_longest
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from jambatalk.errors import RenderError

MOST = 9  # clips
LETTERS = 0.05  # font size, of a clip's height
BOX = (16, 18, 21, 175)  # RGBA
TEXT = (255, 255, 255, 255)
FIRST_HAN = "\u2e80"  # from here on, Open Sans has no letters
HAN = (  # the system's fonts, of which the first that is there is taken
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKjp-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "YuGothM.ttc",
    "msyh.ttc",
    "Hiragino Sans GB.ttc",
)


def grid_size(count: int, size: int) -> tuple[int, int]:
    """Return width and height of a picture of `count` square clips of `size` pixels.

    Four make a square, other numbers rows of three.

    Raises:
        RenderError: not 2 to 9 clips.
    """
    if not 2 <= count <= MOST:
        raise RenderError(f"{count} clips cannot be compared.", f"Choose 2 to {MOST}.")
    columns = 2 if count in (2, 4) else 3
    return columns * size, -(-count // columns) * size


def side_by_side(
    streams: Sequence[Iterator[np.ndarray]], captions: Sequence[str]
) -> Iterator[np.ndarray]:
    """Put clips in rows, see :func:`grid_size`, each with its caption.

    Args:
        streams: frames (size, size, 3) uint8 RGB of clips of equal length and size.
        captions: one per clip; "" for none.

    Yields:
        (height, width, 3) uint8, see :func:`grid_size`.

    Raises:
        RenderError: not 2 to 9 clips, or they differ in length.
    """
    if len(captions) != len(streams):
        raise RenderError(f"{len(captions)} captions do not fit {len(streams)} clips.")
    grid_size(len(streams), 0)  # raises for other numbers
    labels: list[Image.Image] = []
    for pictures in zip_longest(*streams):
        if any(picture is None for picture in pictures):
            raise RenderError("Clips of different lengths cannot be compared.")
        size = len(pictures[0])
        labels = labels or [_label(caption, size) for caption in captions]
        grid = Image.new("RGB", grid_size(len(streams), size))
        for number, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
            row, column = divmod(number, grid.width // size)
            grid.paste(Image.fromarray(picture), (column * size, row * size))
            grid.paste(label, (column * size, (row + 1) * size - label.height), label)
        yield np.asarray(grid)


def _label(caption: str, size: int) -> Image.Image:
    """Draw a caption in a rounded box, RGBA, for the lower edge of a clip of `size` pixels."""
    text = " ".join(caption.split())
    letters = max(round(LETTERS * size), 8)
    font, margin = (_han_font(letters) if _is_han(text) else None) or _font(letters), letters // 2
    while font.getlength(text) > size - 4 * margin:
        text = text.rstrip("…")[:-1] + "…"
    height = letters + margin
    label = Image.new("RGBA", (size, height + margin))
    if text:
        middle, half = size / 2, font.getlength(text) / 2 + margin
        pen = ImageDraw.Draw(label)
        pen.rounded_rectangle((middle - half, 0, middle + half, height - 1), margin, fill=BOX)
        pen.text((middle, height / 2), text, font=font, fill=TEXT, anchor="mm")
    return label


def can_write(caption: str) -> bool:
    """Return whether there is a font for a caption: for Chinese and Japanese one of the system."""
    return not _is_han(caption) or _han_font(8) is not None


def _is_han(text: str) -> bool:
    return max(text, default="") >= FIRST_HAN


@cache
def _han_font(size: int) -> ImageFont.FreeTypeFont | None:
    for name in HAN:
        with suppress(OSError):
            return ImageFont.truetype(name, size)
    return None


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Load pyrender's Open Sans: it has Latin, Greek and Cyrillic; Pillow's own font only ASCII."""
    spec = find_spec("pyrender")  # without importing it
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    return ImageFont.truetype(package / "fonts" / "OpenSans-Semibold.ttf", size)
