"""What the benchmarks share: the speech, the clock, and how one runs in a process of its own."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

import numpy as np

from jambatalk.speech import SAMPLE_RATE, Speech

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
VOICE = ROOT / "assets" / "voices" / "jfk.flac"  # 11 s


def speech_of(seconds: float) -> Speech:
    """So much of a real voice, which begins anew where it ends."""
    samples = np.resize(Speech.read(VOICE).samples, round(seconds * SAMPLE_RATE))
    return Speech.from_array(samples, SAMPLE_RATE, max_seconds=seconds)


class Clock:
    """A progress callback that adds up how long each stage took."""

    def __init__(self) -> None:
        self.took: dict[str, float] = {}
        self.stage, self.since = "", time.perf_counter()

    def __call__(self, stage: str, done: float) -> None:
        """The time since the last call belongs to the stage it named."""
        now = time.perf_counter()
        if self.stage:
            self.took[self.stage] = self.took.get(self.stage, 0.0) + now - self.since
        self.stage, self.since = stage, now


def children() -> list[str]:
    """Numbers of the processes that this one has started and that have not ended (Linux)."""
    tasks = Path("/proc/self/task").iterdir()
    return [child for task in tasks for child in (task / "children").read_text().split()]


def run(script: str, *arguments: object, package: Path = ROOT) -> dict:
    """What a script of this folder prints with --json, run in a process of its own.

    Args:
        package: the checkout whose `jambatalk` it measures.
    """
    command = [sys.executable, str(HERE / script), *map(str, arguments), "--json"]
    environment = {**os.environ, "PYTHONPATH": str(package)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def spread(values: list[float], digits: int = 2) -> str:
    """Median, least and most."""
    low, middle, high = (f"{f(values):.{digits}f}" for f in (min, median, max))
    return f"{middle} ({low}–{high})"


def machine() -> Mapping[str, str]:
    """What it was measured on."""
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


def tell(about: str | None, measure: Callable[[int], Mapping[str, list[float]]]) -> None:
    """The program of a script that measures several things: a line each, or --json.

    Args:
        measure: of a number of runs; what was measured → its values.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    took = measure(options.runs)
    if options.json:
        print(json.dumps(took))
        return
    for what, values in took.items():
        print(f"  {what:<20} {spread(values, 2)}")
