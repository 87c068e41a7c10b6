"""Time and memory against length: `python benchmarks/long_speech.py [--full] [MINUTES ...]`.

One, ten and with --full sixty minutes of speech, each in a process of its own: first its motion
through `TalkingHead.animate`, then its video through `draw_video`, which --motion-only leaves out.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from common import children, run, speech_of

from jambatalk import TalkingHead, View
from jambatalk.render.video import draw_video

MEGABYTE = 1 / 1024  # of what the system counts, kB


def measure(seconds: float, size: int, motion_only: bool) -> dict[str, float]:
    """Seconds for each part, and the most memory (MB) that each process held."""
    talking_head, speech = TalkingHead.from_pretrained(), speech_of(seconds)
    talking_head.animate(speech_of(2))  # warm
    took = {"loaded": _peak()}
    started = time.perf_counter()
    motion = talking_head.animate(speech)
    took |= {"animate": time.perf_counter() - started, "animate, MB": _peak()}
    if motion_only:
        return took
    with tempfile.TemporaryDirectory() as folder:
        path, view = Path(folder) / "out.mp4", View(size=size)
        talking_head.video([talking_head.animate(speech_of(1))], None, path, view)  # warm
        encoder: list[float] = []

        def watch(stage: str, done: float) -> None:
            # Not what the system says of a child that has ended: it counts what it was forked from.
            encoder.extend(_peak(child) for child in children() if "ffmpeg" in _program(child))

        started = time.perf_counter()
        draw_video([motion], speech, path, view, progress=watch)
        took |= {"video": time.perf_counter() - started, "video, MB": _peak()}
    from jambatalk.render.worker_pool import render_workers

    took["a drawing process, MB"] = max(_peak(w.process.pid) for w in render_workers())
    return took | {"ffmpeg, MB": max(encoder)}


def _peak(process: int | str = "self") -> float:
    """The most memory it ever held, MB (Linux)."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * MEGABYTE


def _program(process: str) -> str:
    return Path(f"/proc/{process}/cmdline").read_text().split("\0")[0]


def main() -> None:
    """Prints a line a length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", type=float, nargs="*", default=[1, 10])
    parser.add_argument("--full", action="store_true", help="sixty minutes too")
    parser.add_argument("--motion-only", action="store_true")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--json", action="store_true", help="of one length, in this process")
    options = parser.parse_args()
    lengths = [*options.minutes, *([60] if options.full else [])]
    if options.json:
        print(json.dumps(measure(60 * lengths[0], options.size, options.motion_only)))
        return
    alone = ["--motion-only"] if options.motion_only else []
    for minutes in lengths:
        took = run("long_speech.py", minutes, "--size", options.size, *alone)
        numbers = ", ".join(f"{name} {value:.4g}" for name, value in took.items())
        print(f"{minutes:g} min: {numbers}", flush=True)


if __name__ == "__main__":
    main()
