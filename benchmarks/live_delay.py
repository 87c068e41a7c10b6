"""How far motion is behind the sound on the Live socket: `python benchmarks/live_delay.py`.

The page's server is started, and visitors send it 11 s of speech, 40 ms at a time, as it is spoken.
Of each message the delay it would have needed is told: the time from the moment of its first frame
to its arrival. The first visit warms the server up and is not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from statistics import median

from common import ROOT, VOICE
from websockets.asyncio.client import connect

from jambatalk import Speech
from jambatalk.speech import SAMPLE_RATE

PIECE = 0.040  # seconds
PATIENCE = 60  # seconds, until the page is there
CHOICE = {"style": "neutral", "strength": 1, "head": "mara"}


async def visit(address: str) -> tuple[float, list[float]]:
    """Seconds from the first sound to the first motion, and the delay of each message."""
    sound = (Speech.read(VOICE).samples * 32767).astype("<i2")
    async with connect(address) as line:
        await line.send(json.dumps(CHOICE))
        hello = json.loads(await line.recv())
        started, arrived, delays = time.monotonic(), [], []

        async def listen() -> None:
            async for message in line:
                if isinstance(message, str):
                    return
                arrived.append(time.monotonic() - started)
                (first,) = struct.unpack("<I", message[:4])
                delays.append(arrived[-1] - first / hello["fps"])

        async def speak() -> None:
            size = round(PIECE * SAMPLE_RATE)
            for start in range(0, len(sound), size):
                spoken = started + (start + size) / SAMPLE_RATE
                await asyncio.sleep(max(0.0, spoken - time.monotonic()))
                await line.send(sound[start : start + size].tobytes())
            await line.send(json.dumps({"end": True}))

        await asyncio.gather(listen(), speak())
    return arrived[0], delays


async def visits(address: str, visitors: int) -> None:
    """Prints a line for each of so many visitors at once."""
    await visit(address)
    for number, (first, delays) in enumerate(
        await asyncio.gather(*(visit(address) for _ in range(visitors))), 1
    ):
        print(
            f"visitor {number} of {visitors}: first motion after {first:.2f} s, "
            f"delay {median(delays):.2f} s, at most {max(delays):.2f} s"
        )


def main() -> None:
    """Starts the page, visits it, and ends it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, default=1, help="at a time, up to four")
    options = parser.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"GRADIO_SERVER_PORT": str(port)}
    page = subprocess.Popen([sys.executable, ROOT / "app.py"], env=environment)
    try:
        _wait(f"http://127.0.0.1:{port}/")
        asyncio.run(visits(f"ws://127.0.0.1:{port}/live/socket", options.visitors))
    finally:
        page.terminate()
        page.wait()


def _wait(address: str) -> None:
    """Until the page answers."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(address)
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"No page at {address} after {PATIENCE} s.")


if __name__ == "__main__":
    main()
