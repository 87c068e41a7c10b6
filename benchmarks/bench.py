"""All of it, and docs/performance.md with its plots: `./run bench [--quick]`.

Each measurement runs in a process of its own, one after the other; four minutes on two
cores, less with --quick. Other work on the machine disturbs it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from string import Template

import numpy as np
from common import HERE, ROOT, machine, run, speech_of, spread
from scipy.io import wavfile

from jambatalk.speech import SAMPLE_RATE

SECONDS, FPS = 10.0, 30
SIZES = (512, 800)
LENGTHS = (5, 10, 30, 60)  # seconds
DOCS = ROOT / "docs"
INK = "#0072b2"


def main() -> None:
    """Measures, prints what it found, and writes it down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer runs, shorter speech")
    parser.add_argument("-o", "--output", type=Path, default=DOCS, help="a folder (default: docs)")
    options = parser.parse_args()
    runs, every, lengths = (2, 30, LENGTHS[:3]) if options.quick else (5, 5, LENGTHS)
    options.output.mkdir(parents=True, exist_ok=True)
    found = dict(machine()) | {
        "seconds": f"{SECONDS:g}",
        "frames": f"{SECONDS * FPS:g}",
        "drawn": f"{SECONDS * FPS / every:g}",
        **whole(runs, every),
        "stages": stages(runs),
        "streaming": streaming(runs),
        "lengths": against_length(lengths, options.output),
    }
    found |= cold(runs, found.pop("warm"))
    page = Template((HERE / "performance.md").read_text()).substitute(found)
    (options.output / "performance.md").write_text(page)
    print(page)


def say(what: str) -> None:
    """What is being measured now."""
    print(f"{time.strftime('%H:%M:%S')}  {what}", file=sys.stderr, flush=True)


def whole(runs: int, every: int) -> dict[str, object]:
    """Ours beside the published way."""
    say("the published network")
    network = run("published_pipeline.py", "network", "--seconds", SECONDS)
    rows, warm, motions = [], 0.0, []
    for size in SIZES:
        say(f"ours, {size}×{size}")
        ours = run("speech_to_video.py", "--seconds", SECONDS, "--size", size, "--runs", runs)
        say(f"published, {size}×{size}")
        drawing = run("published_pipeline.py", "rendering", "--size", size, "--every", every)
        frames = drawing["drawing"] * SECONDS * FPS / drawing["frames"]
        published = network["seconds"] + frames + drawing["rest"]
        middle = median(ours["whole"])
        warm = warm or middle
        motions += ours["Predicting motion"]
        parts = (spread(ours[stage]) for stage in ("Predicting motion", "Rendering", "whole"))
        factor, times = f"{middle / SECONDS:.2f}", f"{published / middle:.0f}"
        rows.append((f"{size}×{size}", *parts, factor, f"{published:.0f}", f"{times} times"))
    motion = median(motions)
    head = ("size", "hear and move, s", "draw and encode, s", "all, s", "real-time factor")
    return {
        "whole": table((*head, "published way, s", "faster"), rows),
        "motion": f"{motion:.2f}",
        "network": f"{network['seconds']:.2f}",
        "parameters": f"{network['parameters'] / 1e6:.0f} million",
        "motion_times": f"{network['seconds'] / motion:.1f}",
        "warm": warm,
    }


def stages(runs: int) -> str:
    """Every stage on its own."""
    say("stages")
    took = run("stages.py", "--runs", runs)
    rows = [(name, spread(times, 1)) for name, times in took.items()]
    return table(("stage", "ms"), rows)


def streaming(runs: int) -> str:
    """Motion from pieces of speech."""
    say("streaming")
    took = run("streaming.py", "--runs", runs)
    first, step = (spread(took[what], 0) for what in ("first motion", "a step"))
    rest = (f"{took[what][0]:.2f}" for what in ("look-ahead, s", "real-time factor"))
    head = ("look-ahead, s", "real-time factor", "first motion, ms", "a step, ms")
    return table(head, [(*rest, first, step)])


def against_length(lengths: Sequence[float], folder: Path) -> str:
    """Real-time factor and memory, as a table and two plots."""
    rows, factors, memory = [], [], []
    for seconds in lengths:
        say(f"{seconds} s of speech")
        took = run("long_speech.py", seconds / 60)
        factors.append((took["animate"] / seconds, took["video"] / seconds))
        memory.append([took[f"{what}, MB"] for what in ("video", "a drawing process", "ffmpeg")])
        numbers = (f"{value:.3f}" for value in factors[-1])
        rows.append((f"{seconds:g} s", *numbers, *(f"{value:.0f}" for value in memory[-1])))
    motion_and_video = np.cumsum(factors, 1).T
    plot(
        folder / "performance_factor.png",
        lengths,
        motion_and_video,
        names=("motion", "motion and video"),
        what="computing a second of speech, s",
    )
    plot(
        folder / "performance_memory.png",
        lengths,
        np.array(memory).T,
        names=("the process itself", "each one that draws", "ffmpeg"),
        what="peak memory, MB",
    )
    head = ("length", "motion, real-time factor", "video, real-time factor")
    return table((*head, "peak memory, MB", "of each drawing process", "of ffmpeg"), rows)


def cold(runs: int, warm: float) -> dict[str, str]:
    """The command line from nothing."""
    say("the command line")
    with tempfile.TemporaryDirectory() as folder:
        speech, video = Path(folder) / "speech.wav", Path(folder) / "out.mp4"
        wavfile.write(speech, SAMPLE_RATE, speech_of(SECONDS).samples)
        command = [sys.executable, "-m", "jambatalk", "animate", speech, "-o", video]
        took = []
        for _ in range(runs):
            started = time.perf_counter()
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
            took.append(time.perf_counter() - started)
    added = median(took) - warm
    factor = f"{added / SECONDS:.2f}"
    return {"cold": spread(took, 1), "added": f"{added:.1f}", "added_factor": factor}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """In Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def plot(
    path: Path, lengths: Sequence[float], lines: np.ndarray, names: Sequence[str], what: str
) -> None:
    """Lines (n, lengths) over the length of the speech."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.2), layout="constrained")
    for line, name in zip(lines, names, strict=True):
        axes.plot(lengths, line, "o-", label=name)
    axes.set(xlabel="speech, s", ylabel=what, ylim=(0, 1.15 * lines.max()))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
