"""Speech to video, whole: `python benchmarks/speech_to_video.py`.

A real voice, 30 frames a second, in a process that has done it once before to warm up.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

from common import Clock, children, speech_of, spread

from jambatalk import TalkingHead, View


def measure(seconds: float, size: int, runs: int) -> dict[str, list[float]]:
    """Stage → how long it took each time, seconds; "cpu" is that of all processes."""
    talking_head, speech, took = TalkingHead.from_pretrained(), speech_of(seconds), []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(runs + 1):
            clock, busy, started = Clock(), cpu_seconds(), time.perf_counter()
            motion = talking_head.animate(speech, progress=clock)
            path, view = Path(folder) / "out.mp4", View(size=size)
            talking_head.video([motion], speech, path, view, progress=clock)
            clock("", 1.0)
            whole = time.perf_counter() - started
            took.append(clock.took | {"whole": whole, "cpu": cpu_seconds() - busy})
    return {stage: [run[stage] for run in took[1:]] for stage in took[0]}


def cpu_seconds() -> float:
    """Of this process, of those it has waited for, and of those that draw (Linux)."""
    own, ticks = os.times(), 0
    for child in children():
        fields = Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return sum(own[:4]) + ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Prints each stage, the whole, and the CPU time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    started = time.perf_counter()
    took = measure(options.seconds, options.size, options.runs)
    if options.json:
        print(json.dumps(took))
        return
    print(f"{options.seconds:g} s of speech, {options.size}×{options.size}: seconds")
    for stage, times in took.items():
        print(f"  {stage:<17} {spread(times)}")
    print(f"all of it {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
