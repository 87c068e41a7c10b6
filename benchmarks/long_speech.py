"""Time and memory by length of speech: `python benchmarks/long_speech.py [--full] [MINUTES ...]`.

One, ten and with --full sixty minutes of speech, each in a process of its own: first its motion by
`TalkingHead.animate`, then, unless --motion-only is given, its video by `TalkingHead.video`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from common import children, peak_memory, run, speech_of

from jambatalk import TalkingHead, View


def measure(seconds: float, size: int, motion_only: bool) -> dict[str, float]:
    """Measure the seconds of each part and the peak memory (MB) of each process."""
    talking_head, speech = TalkingHead.from_pretrained(), speech_of(seconds)
    talking_head.animate(speech_of(2))  # warm up
    results = {"loaded": peak_memory()}
    started = time.perf_counter()
    motion = talking_head.animate(speech)
    results |= {"animate": time.perf_counter() - started, "animate, MB": peak_memory()}
    if motion_only:
        return results
    with tempfile.TemporaryDirectory() as folder:
        path, view = Path(folder) / "out.mp4", View(size=size)
        talking_head.video(talking_head.animate(speech_of(1)), None, path, view)  # warm up
        encoder: list[float] = []

        def watch(stage: str, done: float) -> None:
            # not from rusage of ended children, which counts the memory of the forked parent
            encoder.extend(
                peak_memory(child) for child in children() if "ffmpeg" in _program(child)
            )

        started = time.perf_counter()
        talking_head.video(motion, speech, path, view, progress=watch)
        results |= {"video": time.perf_counter() - started, "video, MB": peak_memory()}
    from jambatalk.render.worker_pool import render_workers

    results["render worker, MB"] = max(peak_memory(w.process.pid) for w in render_workers())
    return results | {"ffmpeg, MB": max(encoder)}


def _program(process: str) -> str:
    return Path(f"/proc/{process}/cmdline").read_text().split("\0")[0]


def main() -> None:
    """Print a line for each length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", type=float, nargs="*", default=[1, 10])
    parser.add_argument("--full", action="store_true", help="sixty minutes too")
    parser.add_argument("--motion-only", action="store_true")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--json", action="store_true", help="one length, in this process")
    options = parser.parse_args()
    lengths = [*options.minutes, *([60] if options.full else [])]
    if options.json:
        print(json.dumps(measure(60 * lengths[0], options.size, options.motion_only)))
        return
    extra = ["--motion-only"] if options.motion_only else []
    for minutes in lengths:
        results = run("long_speech.py", minutes, "--size", options.size, *extra)
        values = ", ".join(f"{name} {value:.4g}" for name, value in results.items())
        print(f"{minutes:g} min: {values}", flush=True)


if __name__ == "__main__":
    main()
