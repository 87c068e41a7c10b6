"""Many visitors, a long live session, or many runs in one process: `python benchmarks/soak.py`.

    python benchmarks/soak.py --visitors 8 --minutes 10
    python benchmarks/soak.py --live 60
    python benchmarks/soak.py --runs 300

Starts the page on this machine and visits it, each visitor from an address of its own (Linux lets
127.0.0.2 and so on be used): videos, comparisons, spoken texts and live sessions, some hung up
half-way. Prints what became of them, how long they took, and how the page's memory, threads, open
files and temporary files moved. The slope is that of a line through the memory after each of the
last 200 jobs.

A live session is one talker in real time: speech, pauses, speech again. It is served without the
page's limit of ten minutes. Its drift is the difference of the sound sent and the motion that came,
in seconds of each, and how much later messages came at the end than at the beginning.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import ClassVar, NamedTuple

import httpx
import numpy as np
import psutil
from common import ROOT, VOICE, machine, table
from scipy.io import wavfile
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from jambatalk import Speech
from jambatalk.speech import SAMPLE_RATE

KINDS = {"animate": 4, "compare": 2, "say": 2, "live": 3, "hang-up": 2, "live hang-up": 1}  # shares
SECONDS = 2.0  # of speech in a job
SIZE = 256
KEEP = 60  # seconds for which the page keeps files
TIMEOUT = 300.0  # seconds for a job
SLOPE_JOBS = 200
WARM_JOBS = 20  # before the first look at threads and files
MOST_JOBS = 20_000
CHUNK = 640  # samples of a live message
PAUSE = 4  # seconds after 11 s of speech, of the one who talks long


class Sample(NamedTuple):
    """The page after a job: memory in kB of itself and of its drawing processes, and its files."""

    memory: float
    children: float
    threads: int
    descriptors: int
    files: int


class Meter:
    """Samples of a process.

    Args:
        folder: where its temporary files lie.
        each: what a sample is taken after.
    """

    def __init__(self, process: psutil.Process, folder: Path, each: str = "job") -> None:
        self.process, self.folder, self.each = process, folder, each
        self.samples: list[Sample] = []

    def sample(self) -> Sample:
        """Look at the process."""
        drawing = 0
        for child in self.process.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if "python" in child.name():
                    drawing += child.memory_info().rss
        files = sum(len(files) for _, _, files in os.walk(self.folder))
        process = self.process
        return Sample(
            process.memory_info().rss / 1000,
            drawing / 1000,
            process.num_threads(),
            process.num_fds(),
            files,
        )

    def add(self) -> None:
        """Keep a sample."""
        self.samples.append(self.sample())

    def report(self, last: Sample) -> str:
        """Return a table; `last` is the sample after some quiet."""
        warm = self.samples[min(WARM_JOBS, len(self.samples) // 2) :]
        rows = []
        names = {
            "memory of the page, MB": "memory",
            "memory of its drawing processes, MB": "children",
            "threads": "threads",
            "open files": "descriptors",
            "temporary files": "files",
        }
        for title, name in names.items():
            values = [getattr(sample, name) for sample in (warm[0], *warm, last)]
            unit = 1000 if "MB" in title else 1
            shown = [f"{v / unit:.0f}" for v in (values[0], max(values), values[-1])]
            rows.append([title, *shown, self._slope(name) if unit == 1000 else ""])
        head = [
            "",
            f"after {len(self.samples) - len(warm) + 1} {self.each}s",
            "most",
            "after a quiet while",
            f"slope, kB a {self.each}",
        ]
        return table(head, rows)

    def _slope(self, name: str) -> str:
        values = [getattr(sample, name) for sample in self.samples[-SLOPE_JOBS:]]
        if len(values) < 3:
            return "–"
        slope = np.polyfit(np.arange(len(values)), values, 1)[0]
        return f"{slope:.0f} (last {len(values)})"


class Visitor:
    """One visitor, with an address and a choice of its own.

    Attributes:
        outcomes: (kind, outcome) → number; seconds: kind → of each that was made.
    """

    outcomes: ClassVar[Counter[tuple[str, str]]] = Counter()
    seconds: ClassVar[defaultdict[str, list[float]]] = defaultdict(list)

    def __init__(self, number: int, port: int, sound: Path) -> None:
        self.address = f"127.0.0.{number + 2}" if sys.platform == "linux" else "127.0.0.1"
        self.random, self.port, self.sound = random.Random(number), port, sound
        transport = httpx.AsyncHTTPTransport(local_address=self.address, retries=1)
        self.client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}/gradio_api", transport=transport, timeout=TIMEOUT
        )
        self.parameters: dict[str, list[dict]] = {}

    async def stay(self, end: float, meter: Meter) -> None:
        """Ask for one thing after the other."""
        info = (await self.client.get("/info")).json()
        for name, endpoint in info["named_endpoints"].items():
            self.parameters[name.strip("/")] = endpoint["parameters"]
        kinds = [kind for kind in KINDS if kind in self.parameters or kind != "say"]
        while time.monotonic() < end and len(meter.samples) < MOST_JOBS:
            kind = self.random.choices(kinds, [KINDS[kind] for kind in kinds])[0]
            started = time.monotonic()
            try:
                outcome = await asyncio.wait_for(self._do(kind), TIMEOUT)
            except Exception as error:
                outcome = f"failed: {type(error).__name__}: {error}"[:200]
            if outcome == "made":
                self.seconds[kind].append(time.monotonic() - started)
            self.outcomes[kind, outcome] += 1
            meter.add()
            await asyncio.sleep(self.random.uniform(0, 0.5))

    async def _do(self, kind: str) -> str:
        if kind.startswith("live"):
            return await self._live(hang_up="hang-up" in kind)
        if kind == "say":
            return await self._call("say", {"text": "Good morning.", "voice": "espeak-en-us"})
        path = await self._upload()
        recording = {"path": path, "meta": {"_type": "gradio.FileData"}}
        given = {"speech": recording, "size": SIZE, "seed": self.random.randrange(9)}
        if kind == "compare":
            return await self._call("compare", given | {"styles": ["neutral", "crisp"]})
        return await self._call("animate", given, hang_up=kind == "hang-up")

    async def _upload(self) -> str:
        files = {"files": ("voice.wav", self.sound.read_bytes())}
        answer = await self.client.post("/upload", files=files)
        answer.raise_for_status()
        return answer.json()[0]

    async def _call(self, name: str, given: dict, hang_up: bool = False) -> str:
        data = [
            given.get(one["parameter_name"], one.get("parameter_default"))
            for one in self.parameters[name]
        ]
        answer = await self.client.post(f"/call/{name}", json={"data": data})
        if answer.status_code in (429, 503, 507):
            return "refused"
        answer.raise_for_status()
        path, event = f"/call/{name}/{answer.json()['event_id']}", ""
        leaves = time.monotonic() + self.random.uniform(0.1, 2.0)
        async with self.client.stream("GET", path) as stream:
            async for line in stream.aiter_lines():
                if hang_up and time.monotonic() > leaves:
                    return "hung up"
                if line.startswith("event:"):
                    event = line.partition(":")[2].strip()
                elif event == "error":
                    return f"failed: {line[:150]}"
                elif event == "complete":
                    return "made"
        return "failed: the stream ended"

    async def _live(self, hang_up: bool) -> str:
        url = f"ws://127.0.0.1:{self.port}/live/socket"
        sound = (Speech.read(self.sound).samples * 32767).astype("<i2")
        try:
            async with connect(url, local_addr=(self.address, 0)) as socket:
                await socket.send(json.dumps({"style": "neutral", "strength": 1, "head": "mara"}))
                started, frames = time.monotonic(), 0
                for first in range(0, len(sound), CHUNK):
                    due = started + first / SAMPLE_RATE
                    await asyncio.sleep(max(0.0, due - time.monotonic()))
                    await socket.send(sound[first : first + CHUNK].tobytes())
                    if hang_up and first > len(sound) / 2:
                        return "hung up"
                await socket.send(json.dumps({"end": True}))
                async for message in socket:
                    if isinstance(message, bytes):
                        frames += 1
                    elif "error" in message:
                        return "refused"
                    elif "end" in json.loads(message):
                        return "made" if frames else "failed: no frames"
        except ConnectionClosed as closed:
            return "refused" if closed.rcvd else "failed: closed"
        return "failed: no end"


# The page without a limit of a live session.
LONG = """
import sys
from jambatalk.app.live import server, session
from jambatalk.cli import main
server.MAX_SECONDS = session.MAX_SECONDS = float("inf")
sys.exit(main(["app", *sys.argv[1:]]))
"""


@contextlib.contextmanager
def page(folder: Path, program: Sequence[str]) -> Iterator[tuple[psutil.Process, int]]:
    """Serve the page by a program for Python, with its files below a folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, *program, "--port", str(port), "--keep", str(KEEP)]
    environment = os.environ | {"TMPDIR": str(folder), "PYTHONPATH": str(ROOT)}
    with (folder.with_suffix(".log")).open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        while True:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=60)
                break
            if server.poll() is not None:
                raise SystemExit(folder.with_suffix(".log").read_text())
            time.sleep(0.2)
        yield psutil.Process(server.pid), port
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def visit(visitors: int, minutes: float) -> None:
    """Let visitors stay for some minutes, and print the tables."""
    with tempfile.TemporaryDirectory(prefix="soak-") as top:
        folder, sound = Path(top, "files"), Path(top, "voice.wav")
        folder.mkdir()
        samples = Speech.read(VOICE).samples[: round(SECONDS * SAMPLE_RATE)]
        wavfile.write(sound, SAMPLE_RATE, (samples * 32767).astype(np.int16))
        with page(folder, [str(ROOT / "app.py")]) as (process, port):
            meter = Meter(process, folder)
            end = time.monotonic() + 60 * minutes

            async def stay() -> None:
                everybody = [Visitor(number, port, sound) for number in range(visitors)]
                await asyncio.gather(*(visitor.stay(end, meter) for visitor in everybody))

            asyncio.run(stay())
            time.sleep(1.5 * KEEP)  # files are deleted
            last = meter.sample()
        log = folder.with_suffix(".log").read_text()
    print(_outcomes())
    print()
    print(meter.report(last))
    print(f"\nTracebacks in the log: {log.count('Traceback')}")
    for (kind, outcome), number in sorted(Visitor.outcomes.items()):
        if outcome.startswith("failed"):
            print(f"{number} × {kind}: {outcome}")


def _outcomes() -> str:
    rows = []
    for kind in KINDS:
        found = {o: n for (k, o), n in Visitor.outcomes.items() if k == kind}
        made = sorted(Visitor.seconds[kind])
        cuts = quantiles(made, n=20, method="inclusive") if len(made) > 1 else made * 20
        failed = sum(n for outcome, n in found.items() if outcome.startswith("failed"))
        counts = [sum(found.values()), found.get("made", 0), found.get("refused", 0), failed]
        times = [f"{cuts[9]:.1f} s", f"{cuts[18]:.1f} s"] if cuts else ["", ""]
        rows.append([kind, *map(str, counts), *times])
    return table(["job", "number", "made", "refused", "failed", "p50", "p95"], rows)


class Talker:
    """One who talks live for long, with pauses.

    Attributes:
        sent: samples of sound. frames: that came.
        delays: of each message that came: its second of sound, and by how much it came later.
        end: the last text of the server.
    """

    def __init__(self, port: int) -> None:
        self.port, self.sent, self.frames, self.end = port, 0, 0, "the connection ended"
        self.delays: list[tuple[float, float]] = []
        self.fps = 0.0
        speech = Speech.read(VOICE).samples
        silence = np.zeros(PAUSE * SAMPLE_RATE, np.float32)
        self._sound = (np.concatenate([speech, silence]) * 32767).astype("<i2")

    async def talk(self, minutes: float, meter: Meter) -> None:
        """Talk, and sample the server once a minute."""
        async with connect(f"ws://127.0.0.1:{self.port}/live/socket") as socket:
            await socket.send(json.dumps({"style": "neutral", "strength": 1, "head": "mara"}))
            hello = json.loads(await socket.recv())
            self.fps, width = hello["fps"], len(hello["blendshapes"]) + 3
            started = time.monotonic()

            async def receive() -> None:
                async for message in socket:
                    if isinstance(message, str):
                        self.end = message
                        return
                    (first,) = struct.unpack("<I", message[:4])
                    assert first == self.frames, f"frame {first} follows {self.frames}"
                    self.frames += (len(message) - 4) // (4 * width)
                    second = first / self.fps
                    self.delays.append((second, time.monotonic() - started - second))

            async def send() -> None:
                while self.sent < minutes * 60 * SAMPLE_RATE:
                    due = started + (self.sent + CHUNK) / SAMPLE_RATE
                    await asyncio.sleep(max(0.0, due - time.monotonic()))
                    places = np.arange(self.sent, self.sent + CHUNK) % len(self._sound)
                    await socket.send(self._sound[places].tobytes())
                    self.sent += CHUNK
                    if self.sent // (60 * SAMPLE_RATE) > len(meter.samples):
                        meter.add()
                await socket.send(json.dumps({"end": True}))

            with contextlib.suppress(ConnectionClosed):
                await asyncio.gather(receive(), send())

    def report(self) -> str:
        """Return a table by sixths of the time, and the drift."""
        sound, motion = self.sent / SAMPLE_RATE, self.frames / self.fps
        rows, middles = [], []
        for number in range(6):
            low, high = (sound * part / 6 for part in (number, number + 1))
            found = [delay for second, delay in self.delays if low <= second < high]
            if found:
                middles.append(median(found))
                shown = (f"{value:.2f} s" for value in (middles[-1], max(found)))
                rows.append([f"{low / 60:.3g} to {high / 60:.3g}", str(len(found)), *shown])
        later = 1000 * (middles[-1] - middles[0])
        return (
            table(["minutes", "messages", "delay, median", "most"], rows)
            + f"\n\n{self.sent} samples sent, {sound:.3f} s; {self.frames} frames came,"
            f" {motion:.3f} s: {1000 * (motion - sound):+.1f} ms."
            f"\nMessages came {later:+.0f} ms later in the last sixth than in the first."
            f" The session's end: {self.end}"
        )


def talk(minutes: float) -> None:
    """Talk live for some minutes, and print the tables."""
    with tempfile.TemporaryDirectory(prefix="soak-") as top:
        folder = Path(top, "files")
        folder.mkdir()
        with page(folder, ["-c", LONG]) as (process, port):
            meter, talker = Meter(process, folder, "minute"), Talker(port)
            asyncio.run(talker.talk(minutes, meter))
            last = meter.sample()
        log = folder.with_suffix(".log").read_text()
    print(talker.report())
    if meter.samples:
        print(f"\n{meter.report(last)}")
    print(f"\nTracebacks in the log: {log.count('Traceback')}")


def repeat(runs: int) -> None:
    """Animate, draw and export again and again in this process, and print the table."""
    from jambatalk import TalkingHead, View, export_motion

    with tempfile.TemporaryDirectory(prefix="soak-") as top:
        folder = Path(top)
        tempfile.tempdir = top
        talking_head, meter = TalkingHead.from_pretrained(), Meter(psutil.Process(), folder)
        speech = Speech(Speech.read(VOICE).samples[:SAMPLE_RATE])
        for number in range(runs):
            motion = talking_head.animate(speech, talking_head.styles[number % 3], seed=number)
            talking_head.video(motion, speech, folder / "out.mp4", View(size=64))
            for suffix in ("npz", "csv"):
                export_motion(motion, folder / f"out.{suffix}", speech=speech)
            meter.add()
        print(meter.report(meter.sample()))


def main() -> None:
    """Soak, and print the machine and the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, default=8, choices=range(1, 33), metavar="N")
    parser.add_argument("--minutes", type=float, default=10.0, help="60 at most")
    parser.add_argument("--live", type=float, default=0.0, help="minutes of one talker, 60 at most")
    parser.add_argument("--runs", type=int, default=0, help="runs in one process, in their place")
    options = parser.parse_args()
    started = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # or the page would stay
    about = ", ".join(f"{name}: {value}" for name, value in machine().items())
    print(about, flush=True)
    if options.runs:
        print(f"{options.runs} runs in one process\n")
        repeat(min(options.runs, MOST_JOBS))
    elif options.live:
        minutes = min(options.live, 60.0)
        print(f"One talker, live for {minutes:g} minutes\n", flush=True)
        talk(minutes)
    else:
        minutes = min(options.minutes, 60.0)
        print(f"{options.visitors} visitors for {minutes:g} minutes\n")
        visit(options.visitors, minutes)
    print(f"{time.monotonic() - started:.0f} s altogether")


if __name__ == "__main__":
    main()
