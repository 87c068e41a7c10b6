"""Speech to video by this project: `python benchmarks/speech_to_video.py`.

A bundled voice at 30 frames a second, in a process that has done it once before to warm up.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

from common import StageClock, children, speech_of, spread

from jambatalk import TalkingHead, View


def measure(seconds: float, size: int, runs: int) -> dict[str, list[float]]:
    """Measure the seconds of each stage, of the "total", and the CPU time ("cpu"), for each run."""
    talking_head, speech = TalkingHead.from_pretrained(), speech_of(seconds)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(runs + 1):
            clock, cpu, started = StageClock(), cpu_seconds(), time.perf_counter()
            motion = talking_head.animate(speech, progress=clock)
            path, view = Path(folder) / "out.mp4", View(size=size)
            talking_head.video(motion, speech, path, view, progress=clock)
            clock("", 1.0)
            total = time.perf_counter() - started
            results.append(clock.seconds | {"total": total, "cpu": cpu_seconds() - cpu})
    return {stage: [result[stage] for result in results[1:]] for stage in results[0]}


def cpu_seconds() -> float:
    """Return the CPU time of this process, its ended children and its render workers (Linux)."""
    own, ticks = os.times(), 0
    for child in children():
        fields = Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return sum(own[:4]) + ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Print the time of each stage, the total, and the CPU time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = measure(options.seconds, options.size, options.runs)
    if options.json:
        print(json.dumps(results))
        return
    print(f"{options.seconds:g} s of speech, {options.size}×{options.size}: seconds")
    for stage, times in results.items():
        print(f"  {stage:<17} {spread(times)}")


if __name__ == "__main__":
    main()
