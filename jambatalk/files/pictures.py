"""Pictures from outside."""

from __future__ import annotations

import io

MAX_SIDE = 8192  # pixels
MAX_PIXELS = 1 << 25  # 100 MB unpacked
FORMATS = ("JPEG", "PNG", "WEBP")


def check_picture(data: bytes) -> None:
    """Raise a ValueError unless data are a whole picture, of a bounded size.

    One that is read here is read by the renderer, and by the exporters.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            width, height = picture.size
            if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
                raise ValueError(f"a picture of {width} by {height} pixels")
            if width * height > MAX_PIXELS:
                raise ValueError(f"a picture of {width * height} pixels")
            picture.draft("L", (1, 1))  # a JPEG's data are read, and only every eighth pixel made
            picture.load()
    except ValueError:
        raise
    except Exception as error:  # Pillow's plugins raise their own: SyntaxError, struct.error, ...
        raise ValueError("not a picture, or a damaged one") from error
