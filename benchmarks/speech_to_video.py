"""How long speech to video takes, stage by stage: `python benchmarks/speech_to_video.py`.

Ten seconds of a real voice, 512×512, 30 frames a second, after one run to warm up.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from pathlib import Path

from jambatalk import Speech, TalkingHead, View

VOICE = Path(__file__).parent.parent / "assets" / "voices" / "jfk.flac"
SECONDS = 10.0


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


def main() -> None:
    """Prints the median of each stage and the whole, and the machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--size", type=int, default=512)
    options = parser.parse_args()
    start = time.perf_counter()
    talking_head = TalkingHead.from_pretrained()
    loading = time.perf_counter() - start
    speech = Speech.from_array(Speech.read(VOICE).samples[: int(SECONDS * 16000)], 16000)
    runs: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.runs + 1):
            clock = Clock()
            motion = talking_head.animate(speech, progress=clock)
            path, view = Path(folder) / "out.mp4", View(size=options.size)
            talking_head.video([motion], speech, path, view, progress=clock)
            clock("", 1.0)
            runs.append(clock.took | {"all": sum(clock.took.values())})
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{SECONDS:g} s of speech, {options.size}×{options.size}, median of {options.runs} runs")
    print(f"  {'loading, once':<14} {loading:6.2f} s")
    for stage in runs[0]:
        times = [run[stage] for run in runs[1:]]
        print(
            f"  {stage:<14} {statistics.median(times):6.2f} s  ({min(times):.2f}-{max(times):.2f})"
        )
    whole = statistics.median(run["all"] for run in runs[1:])
    print(f"  real-time factor {whole / SECONDS:.2f}")


if __name__ == "__main__":
    main()
