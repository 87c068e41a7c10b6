"""Delay of motion behind speech on the Live socket: `python benchmarks/live_delay.py`.

Clients send 11 s of speech to the page's server in real time, in chunks of 40 ms. The delay of a
message is the time from its first frame to its arrival. A first client warms the server up.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import struct
import time
from statistics import median

from common import VOICE, serving
from websockets.asyncio.client import connect

from jambatalk import Speech
from jambatalk.speech import SAMPLE_RATE

CHUNK = 0.040  # seconds
SETTINGS = {"style": "neutral", "strength": 1, "head": "mara"}


async def run_client(address: str) -> tuple[float, list[float]]:
    """Return the seconds from the first sound to the first motion, and each message's delay."""
    sound = (Speech.read(VOICE).samples * 32767).astype("<i2")
    async with connect(address) as websocket:
        await websocket.send(json.dumps(SETTINGS))
        hello = json.loads(await websocket.recv())
        started, arrived, delays = time.monotonic(), [], []

        async def receive() -> None:
            async for message in websocket:
                if isinstance(message, str):
                    return
                arrived.append(time.monotonic() - started)
                (first,) = struct.unpack("<I", message[:4])
                delays.append(arrived[-1] - first / hello["fps"])

        async def send() -> None:
            size = round(CHUNK * SAMPLE_RATE)
            for start in range(0, len(sound), size):
                due = started + (start + size) / SAMPLE_RATE
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                await websocket.send(sound[start : start + size].tobytes())
            await websocket.send(json.dumps({"end": True}))

        await asyncio.gather(receive(), send())
    return arrived[0], delays


async def run_clients(address: str, count: int) -> None:
    """Run clients at the same time and print a line for each."""
    await run_client(address)
    for number, (first, delays) in enumerate(
        await asyncio.gather(*(run_client(address) for _ in range(count))), 1
    ):
        print(
            f"client {number} of {count}: first motion after {first:.2f} s, "
            f"delay {median(delays):.2f} s, at most {max(delays):.2f} s"
        )


def main() -> None:
    """Start the page, run the clients, and stop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=1, help="at a time, up to four")
    options = parser.parse_args()
    with serving(JAMBATALK_MAX_EACH=str(options.clients)) as address:  # clients share an address
        socket = f"{address.replace('http', 'ws', 1)}live/socket"
        asyncio.run(run_clients(socket, options.clients))


if __name__ == "__main__":
    main()
