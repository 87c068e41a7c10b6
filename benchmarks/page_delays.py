"""Seconds from an action on the page to its effect on the head, in Chromium without a GPU.

python benchmarks/page_delays.py --runs 3

A recording is dropped: until the head says it, which includes the upload, for one that is predicted
at once and for long ones, of which the beginning is. Styles, a mood and a head are chosen while the
head speaks, and the strength is dragged: until the other motion is shown. The last choice goes back
to what was shown before.
"""

from __future__ import annotations

import argparse
import base64
from io import BytesIO

from common import chromium, serving, speech_of, spread
from playwright.sync_api import Page, sync_playwright
from scipy.io import wavfile

from jambatalk.speech import SAMPLE_RATE

SECONDS = (10, 60, 300)  # of the recordings
CHOICES = ("Crisp", "Happy", "Smiling", "Strength", "Kofi", "Mara")
TIMEOUT = 120  # seconds
OPEN = """async () => {
    globalThis.viewer = (await import("/live/page/viewer.js")).viewer;
    globalThis.player = (await import("/live/page/animate.js")).player;
}"""
DROP = """([sound, name]) => {
    const bytes = Uint8Array.from(atob(sound), (letter) => letter.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], name, { type: "audio/wav" }));
    globalThis.begun = performance.now();
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true }));
}"""
SAYS = """(name) => player.sound.src.endsWith(name) && player.sound.currentTime > 0 &&
    viewer.source === player && (performance.now() - begun) / 1000"""
CHOOSE = """(choice) => {
    const label = [...document.querySelectorAll("label")].find(
        (label) => label.textContent.trim().startsWith(choice) && label.offsetParent
            && label.querySelector("input[type=radio]"));
    globalThis.clip = player.clip;
    globalThis.begun = performance.now();
    if (label) return label.click();
    const slider = document.querySelector(`input[type=range][aria-label$="${choice}"]`);
    slider.value = 0.5;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
}"""
CHANGED = "() => player.clip !== clip && (performance.now() - begun) / 1000"


def drop(page: Page, seconds: int, run: int) -> float:
    """Drop a recording; return the seconds until the head says it."""
    file, name = BytesIO(), f"{seconds}-{run}.wav"
    wavfile.write(file, SAMPLE_RATE, (32767 * speech_of(seconds).samples).astype("<i2"))
    page.evaluate(DROP, [base64.b64encode(file.getvalue()).decode(), name])
    says: float = page.wait_for_function(SAYS, arg=name).json_value()
    return says


def choose(page: Page, choice: str) -> float:
    """Choose a style, a mood, a head or a strength; return the seconds until the head has it."""
    page.evaluate(CHOOSE, choice)
    changed: float = page.wait_for_function(CHANGED).json_value()
    return changed


def main() -> None:
    """Serve the page, act on it, and print a line for each action."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=int, nargs="+", default=SECONDS, help="of recordings")
    options = parser.parse_args()
    found: dict[str, list[float]] = {}
    with serving() as address, sync_playwright() as playwright:
        browser = chromium(playwright)
        for run in range(options.runs + 1):  # the first warms up
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(1000 * TIMEOUT)
            page.goto(address)
            page.evaluate(OPEN)
            page.wait_for_function("viewer.head?.whole")
            for seconds in options.seconds:
                found.setdefault(f"{seconds} s are said", []).append(drop(page, seconds, run))
                page.wait_for_function("player.clip.whole")
                for choice in CHOICES if seconds == options.seconds[0] else ():
                    found.setdefault(f"{choice} is shown", []).append(choose(page, choice))
            page.close()
        browser.close()
    print("seconds: median (least–most)")
    for name, delays in found.items():
        print(f"  {name:<20} {spread(delays[1:])}")


if __name__ == "__main__":
    main()
