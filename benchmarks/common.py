"""Shared by the benchmarks: speech, timers, the machine, and running in a new process."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from jambatalk.speech import SAMPLE_RATE, Speech

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
VOICE = ROOT / "assets" / "voices" / "jfk.flac"  # 11 s


def speech_of(seconds: float) -> Speech:
    """Return this much of a bundled voice, repeated as needed."""
    samples = np.resize(Speech.read(VOICE).samples, round(seconds * SAMPLE_RATE))
    return Speech.from_array(samples, SAMPLE_RATE, max_seconds=seconds)


class StageClock:
    """A progress callback that adds up the time of each stage.

    Attributes:
        seconds: name of a stage → its time.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.stage, self.since = "", time.perf_counter()

    def __call__(self, stage: str, done: float) -> None:
        """Add the time since the last call to the stage it named."""
        now = time.perf_counter()
        if self.stage:
            self.seconds[self.stage] = self.seconds.get(self.stage, 0.0) + now - self.since
        self.stage, self.since = stage, now


def children() -> list[str]:
    """List the ids of the running child processes (Linux)."""
    tasks = Path("/proc/self/task").iterdir()
    return [child for task in tasks for child in (task / "children").read_text().split()]


def peak_memory(process: int | str = "self") -> float:
    """Return the peak memory of a process in MB (Linux)."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def run(script: str, *arguments: object, package: Path = ROOT) -> dict:
    """Run a script of this folder with --json in a new process and return its results.

    Args:
        package: the checkout whose `jambatalk` is measured.
    """
    command = [sys.executable, str(HERE / script), *map(str, arguments), "--json"]
    environment = {**os.environ, "PYTHONPATH": str(package)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


START_TIMEOUT = 60  # seconds


@contextmanager
def serving(**variables: str) -> Iterator[str]:
    """Serve the page with environment variables; return its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"JAMBATALK_PORT": str(port), **variables}
    page = subprocess.Popen([sys.executable, ROOT / "app.py"], env=environment)
    try:
        address = f"http://127.0.0.1:{port}/"
        _wait(address)
        yield address
    finally:
        page.terminate()
        page.wait()


def _wait(address: str) -> None:
    """Wait until the page responds."""
    end = time.monotonic() + START_TIMEOUT
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(address)
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"No page at {address} after {START_TIMEOUT} s.")


def chromium(playwright: Playwright) -> Browser:
    """Start Chromium, without sound, and with WebGL in software."""
    gpu = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    return playwright.chromium.launch(
        executable_path=shutil.which("chromium"), args=["--no-sandbox", "--mute-audio", *gpu]
    )


def spread(values: list[float], digits: int = 2) -> str:
    """Format median, minimum and maximum."""
    low, middle, high = (f"{f(values):.{digits}f}" for f in (min, median, max))
    return f"{middle} ({low}–{high})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Format a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine() -> Mapping[str, str]:
    """Describe the machine."""
    info = Path("/proc/cpuinfo")
    name = re.search(r"model name\s*: (.*)", info.read_text()) if info.exists() else None
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processor": name[1].strip() if name else platform.processor() or platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{memory:.0f} GB",
        "system": f"{platform.system()}, Python {platform.python_version()}",
    }


def report(description: str | None, measure: Callable[[int], Mapping[str, list[float]]]) -> None:
    """Run a measurement from the command line and print its results, a line each or as JSON.

    Args:
        measure: takes a number of runs and returns name → values.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = measure(options.runs)
    if options.json:
        print(json.dumps(results))
        return
    for name, values in results.items():
        print(f"  {name:<20} {spread(values, 2)}")
