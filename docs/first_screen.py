"""Film the first screen of the page from navigation on, in first_screen.webp and _phone.webp.

python docs/first_screen.py

The page is served here, and visited in Chromium, which draws WebGL in software, with a browser that
has cached nothing; pictures come as fast as this machine shows them.
"""

from __future__ import annotations

import sys
import time
import urllib.request
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Playwright, sync_playwright

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "benchmarks"))

from common import chromium, serving  # noqa: E402

WINDOWS = {"first_screen": (1440, 900), "first_screen_phone": (390, 700)}  # pixels
HEIGHT = 450  # of the pictures
SECONDS = 9.0
QUALITY, MOST = 50, 3_000_000  # bytes


def film(
    playwright: Playwright, address: str, width: int, height: int
) -> list[tuple[float, bytes]]:
    """Visit the page; return pictures as PNG, with their seconds since navigation."""
    browser = chromium(playwright)
    page = browser.new_page(viewport={"width": width, "height": height})
    pictures: list[tuple[float, bytes]] = []
    start = time.monotonic()
    page.goto(address, wait_until="commit")
    while (shown := time.monotonic() - start) < SECONDS:
        pictures.append((shown, page.screenshot()))
    browser.close()
    return pictures


def write(pictures: list[tuple[float, bytes]], path: Path) -> None:
    """Write pictures as an animated WebP in which each is seen as long as it was."""
    ends = [shown for shown, _ in pictures[1:]] + [SECONDS]
    durations = [
        round(1000 * (end - shown)) for (shown, _), end in zip(pictures, ends, strict=True)
    ]
    first, *others = (reduced(data) for _, data in pictures)
    first.save(
        path, save_all=True, append_images=others, duration=durations, loop=0, quality=QUALITY
    )
    size = path.stat().st_size
    if size > MOST:
        raise SystemExit(f"{path} has {size:,} bytes; {MOST:,} are allowed.")
    print(f"{path.name}: {len(pictures)} pictures in {SECONDS:g} s, {size:,} bytes")


def reduced(data: bytes) -> Image.Image:
    """Return a picture at the height of the animation."""
    with Image.open(BytesIO(data)) as picture:
        size = picture.width * HEIGHT // picture.height, HEIGHT
        return picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)


def main() -> None:
    """Serve the page, visit it in each window, and write the animations."""
    with serving() as address, sync_playwright() as playwright:
        urllib.request.urlopen(f"{address}live/clips/intro").close()  # it is made only once
        for name, window in WINDOWS.items():
            write(film(playwright, address, *window), HERE / f"{name}.webp")


if __name__ == "__main__":
    main()
