"""All benchmarks of speed: `./run bench [--quick]` writes docs/performance.md with its plots.

Each measurement runs in a process of its own, one after the other, for ten minutes on two
cores, less with --quick. Other load on the machine distorts the results.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from string import Template

import numpy as np
import published_networks
from common import HERE, ROOT, machine, run, speech_of, spread, table
from scipy.io import wavfile

from jambatalk.speech import SAMPLE_RATE

SECONDS, FPS = 10.0, 30
SIZES = (512, 800)
LENGTHS = (5, 10, 30, 60)  # seconds
DOCS = ROOT / "docs"
INK = "#0072b2"


def main() -> None:
    """Run all benchmarks, and print and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer runs, shorter speech")
    parser.add_argument("-o", "--output", type=Path, default=DOCS, help="a folder (default: docs)")
    options = parser.parse_args()
    runs, every, lengths = (2, 30, LENGTHS[:3]) if options.quick else (5, 5, LENGTHS)
    options.output.mkdir(parents=True, exist_ok=True)
    pipelines, warm = compare_pipelines(runs, every)
    results = dict(machine()) | {
        "seconds": f"{SECONDS:g}",
        "frames": f"{SECONDS * FPS:g}",
        "drawn": f"{SECONDS * FPS / every:g}",
        **pipelines,
        "stages": measure_stages(runs),
        "streaming": measure_streaming(runs),
        "lengths": measure_lengths(lengths, options.output),
        "networks": measure_networks(),
    }
    results |= measure_cold_start(runs, warm)
    page = Template((HERE / "performance_template.md").read_text()).substitute(results)
    (options.output / "performance.md").write_text(page)
    print(page)


def log(measurement: str) -> None:
    """Print the measurement that begins."""
    print(f"{time.strftime('%H:%M:%S')}  {measurement}", file=sys.stderr, flush=True)


def compare_pipelines(runs: int, every: int) -> tuple[dict[str, str], float]:
    """Measure speech to video by this project and by the published pipeline.

    Args:
        every: render only every so-manieth frame of the published pipeline.

    Returns:
        Values for the page, and the seconds of a warm process.
    """
    log("the published network")
    network = run("published_pipeline.py", "network", "--seconds", SECONDS)
    rows, warm, motion_times = [], 0.0, []
    for size in SIZES:
        log(f"this project, {size}×{size}")
        ours = run("speech_to_video.py", "--seconds", SECONDS, "--size", size, "--runs", runs)
        log(f"published pipeline, {size}×{size}")
        rendering = run("published_pipeline.py", "rendering", "--size", size, "--every", every)
        all_frames = rendering["rendering"] * SECONDS * FPS / rendering["frames"]
        published = network["seconds"] + all_frames + rendering["rest"]
        typical = median(ours["total"])
        warm = warm or typical
        motion_times += ours["Predicting motion"]
        parts = (spread(ours[stage]) for stage in ("Predicting motion", "Rendering", "total"))
        factor, speedup = f"{typical / SECONDS:.2f}", f"{published / typical:.0f}"
        rows.append((f"{size}×{size}", *parts, factor, f"{published:.0f}", f"{speedup} times"))
    motion = median(motion_times)
    head = ("size", "speech to motion, s", "motion to video, s", "total, s", "real-time factor")
    return {
        "pipelines": table([*head, "published pipeline, s", "speed-up"], rows),
        "motion": f"{motion:.2f}",
        "network": f"{network['seconds']:.2f}",
        "parameters": f"{network['parameters'] / 1e6:.0f} million",
        "motion_speedup": f"{network['seconds'] / motion:.1f}",
    }, warm


def measure_stages(runs: int) -> str:
    """Measure every stage on its own."""
    log("stages")
    times = run("stages.py", "--runs", runs)
    rows = [(name, spread(values, 1)) for name, values in times.items()]
    return table(["stage", "ms"], rows)


def measure_streaming(runs: int) -> str:
    """Measure motion from chunks of speech."""
    log("streaming")
    results = run("streaming.py", "--runs", runs)
    row = [f"{results[name][0]:.2f}" for name in ("look-ahead, s", "real-time factor")]
    row += [spread(results[name], 0) for name in ("first motion, ms", "step, ms")]
    return table(["look-ahead, s", "real-time factor", "first motion, ms", "step, ms"], [row])


def measure_lengths(lengths: Sequence[float], folder: Path) -> str:
    """Measure real-time factor and memory by the length of speech: a table and two plots."""
    rows, factors, memory = [], [], []
    for seconds in lengths:
        log(f"{seconds} s of speech")
        results = run("long_speech.py", seconds / 60)
        factors.append((results["animate"] / seconds, results["video"] / seconds))
        memory.append([results[f"{name}, MB"] for name in ("video", "render worker", "ffmpeg")])
        numbers = (f"{value:.3f}" for value in factors[-1])
        rows.append((f"{seconds:g} s", *numbers, *(f"{value:.0f}" for value in memory[-1])))
    motion_and_video = np.cumsum(factors, 1).T
    plot(
        folder / "performance_factor.png",
        lengths,
        motion_and_video,
        names=("motion", "motion and video"),
        label="computing a second of speech, s",
    )
    plot(
        folder / "performance_memory.png",
        lengths,
        np.array(memory).T,
        names=("main process", "each render worker", "ffmpeg"),
        label="peak memory, MB",
    )
    head = ["length", "motion, real-time factor", "video, real-time factor"]
    return table([*head, "peak memory, MB", "of each render worker", "of ffmpeg"], rows)


def measure_networks() -> str:
    """Measure the field's published networks."""
    log("the field's networks")
    return published_networks.networks_table(run)


def measure_cold_start(runs: int, warm: float) -> dict[str, str]:
    """Measure the command line in a new process."""
    log("the command line")
    with tempfile.TemporaryDirectory() as folder:
        speech, video = Path(folder) / "speech.wav", Path(folder) / "out.mp4"
        wavfile.write(speech, SAMPLE_RATE, speech_of(SECONDS).samples)
        command = [sys.executable, "-m", "jambatalk", "animate", str(speech), "-o", str(video)]
        times = []
        for _ in range(runs):
            started = time.perf_counter()
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
            times.append(time.perf_counter() - started)
    added = median(times) - warm
    factor = f"{added / SECONDS:.2f}"
    return {"cold": spread(times, 1), "added": f"{added:.1f}", "added_factor": factor}


def plot(
    path: Path, lengths: Sequence[float], lines: np.ndarray, names: Sequence[str], label: str
) -> None:
    """Plot lines (n, lengths) over the length of the speech."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.2), layout="constrained")
    for line, name in zip(lines, names, strict=True):
        axes.plot(lengths, line, "o-", label=name)
    axes.set(xlabel="speech, s", ylabel=label, ylim=(0, 1.15 * lines.max()))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
