"""Time from navigation to a head that moves, in Chromium with WebGL in software.

python benchmarks/first_motion.py --runs 5

The page is served here, and visited once before it is measured. Every visit has a browser of its
own, which has cached and compiled nothing, or (--running) a new profile in a browser that runs.
The marks are those of `live/page/viewer.js`: its program runs; head, textures and shaders are here;
the second picture has been seen, which differs from the first. "stage" is the time at which Gradio
has built the viewer's place on the page. Bytes and requests are those of our own files, compressed,
before the head moves.
"""

from __future__ import annotations

import argparse
from statistics import median
from typing import Any

from common import chromium, serving, spread
from playwright.sync_api import Browser, sync_playwright

PAGE_TIMEOUT = 60  # seconds
MARKS = ("viewer-started", "viewer-loaded", "viewer-moved")
WATCH_STAGE = """new MutationObserver(() => {
    if (document.getElementById("viewer-stage")) globalThis.stage ??= performance.now();
}).observe(document, { childList: true, subtree: true });"""
FOUND = """() => globalThis.stage && performance.getEntriesByName("viewer-moved").length"""
TIMES = """() => ({
    marks: Object.fromEntries(performance.getEntriesByType("mark").map(
        ({ name, startTime }) => [name, startTime])),
    stage: globalThis.stage,
    files: performance.getEntriesByType("resource").filter(({ name }) => name.includes("/live/"))
        .map(({ startTime, transferSize }) => [startTime, transferSize]),
})"""


def visit(browser: Browser, address: str, width: int, height: int) -> dict[str, float]:
    """Open the page in a new profile; return name → milliseconds, requests or bytes."""
    page = browser.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(1000 * PAGE_TIMEOUT)
    page.add_init_script(WATCH_STAGE)
    page.goto(address, wait_until="commit")
    page.wait_for_function(FOUND)
    found: dict[str, Any] = page.evaluate(TIMES)
    page.close()
    moved = found["marks"]["viewer-moved"]
    before = [size for start, size in found["files"] if start < moved]
    return {
        **{mark: found["marks"][mark] for mark in MARKS},
        "stage": found["stage"],
        "requests before": len(before),
        "bytes before": sum(before),
    }


def main() -> None:
    """Serve the page, visit it, and print a line for each figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--size", type=int, nargs=2, default=[1440, 900], help="of the window")
    parser.add_argument("--running", action="store_true", help="the browser runs already")
    options = parser.parse_args()
    with serving() as address, sync_playwright() as playwright:
        browser, visits = chromium(playwright), []
        for _ in range(options.runs + 1):
            visits.append(visit(browser, address, *options.size))
            if not options.running:
                browser.close()
                browser = chromium(playwright)
    print("ms or bytes: median (least–most)")
    visits = visits[1:]
    for name in visits[0]:
        print(f"  {name:<16} {spread([found[name] for found in visits], 0)}")
    print(f"  the head moves after {median(v['viewer-moved'] for v in visits) / 1000:.2f} s")


if __name__ == "__main__":
    main()
