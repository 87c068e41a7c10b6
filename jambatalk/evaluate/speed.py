"""Speed and size of a network: from speech to vertices, in a process of its own."""

from __future__ import annotations

import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median

import numpy as np

from jambatalk.motion.nonverbal import STILL
from jambatalk.speech import SAMPLE_RATE, Speech
from jambatalk.talking_head import TalkingHead

RUNS = 3  # of which the median is reported
LONG_RUN = 5.0  # seconds: a run that takes longer is not repeated
STATUS = Path("/proc/self/status")  # Linux


def measure_speed(source: str | Path, device: str, samples: np.ndarray) -> dict[str, float]:
    """Measure a checkpoint in a new process, so that no other network counts.

    Args:
        source: see :meth:`TalkingHead.from_pretrained`.
        device: as there.
        samples: (n,) speech at 16 kHz.

    Returns:
        "rtf", seconds from speech to vertices for a second of it, the median of three runs after
        one on its first second; "peak_memory" in MB of the process, or on a GPU of its memory; and
        "parameters" in millions.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(_measure, source, device, samples).result()


def _measure(source: str | Path, device: str, samples: np.ndarray) -> dict[str, float]:
    import torch

    talking_head = TalkingHead.from_pretrained(source, device)

    def run(samples: np.ndarray) -> float:
        started = time.perf_counter()
        talking_head.animate(Speech(samples), nonverbal=STILL).vertices()
        return time.perf_counter() - started

    run(samples[:SAMPLE_RATE])
    seconds = [run(samples)]
    if seconds[0] < LONG_RUN:
        seconds += [run(samples) for _ in range(RUNS - 1)]
    parameters = list(talking_head.model.parameters())
    on_gpu = parameters[0].is_cuda
    return {
        "rtf": median(seconds) / (len(samples) / SAMPLE_RATE),
        "peak_memory": torch.cuda.max_memory_allocated() / 1e6 if on_gpu else _peak_memory(),
        "parameters": sum(p.numel() for p in parameters) / 1e6,
    }


def _peak_memory() -> float:
    """Return the largest resident memory of this process so far, MB; NaN where it is not known."""
    if STATUS.exists():  # ru_maxrss would count the parent's on Linux
        return int(STATUS.read_text().split("VmHWM:")[1].split()[0]) * 1024 / 1e6
    if sys.platform == "win32":
        return float("nan")
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # bytes on macOS
