"""Latency of streamed motion: `python benchmarks/streaming.py [--runs 5]`.

The first second of speech arrives at once, and the time to its first frames is measured; then a
minute arrives in chunks of 40 ms, each fed as soon as the one before is processed. A step is the
processing of 0.32 s of speech, with which the bundled encoder runs once.
"""

from __future__ import annotations

import time

import numpy as np
from common import report, speech_of

from jambatalk import TalkingHead
from jambatalk.speech import SAMPLE_RATE

SECONDS, CHUNK = 60.0, 0.040
CHUNKS_PER_STEP = 8


def measure(runs: int) -> dict[str, list[float]]:
    """Measure first motion and steps in ms, real-time factor, and look-ahead in seconds."""
    talking_head, speech = TalkingHead.from_pretrained(), speech_of(SECONDS).samples
    talking_head.stream().feed(speech[:SAMPLE_RATE])  # warm up
    first_motion = []
    for _ in range(runs):
        started, stream = time.perf_counter(), talking_head.stream()
        if not len(stream.feed(speech[:SAMPLE_RATE])):
            raise RuntimeError("A second of speech gave no motion.")
        first_motion.append(1000 * (time.perf_counter() - started))
    stream = talking_head.stream()
    times, begun = [], time.perf_counter()
    for chunk in np.split(speech, np.arange(0, len(speech), round(CHUNK * SAMPLE_RATE))[1:]):
        started = time.perf_counter()
        stream.feed(chunk)
        times.append(1000 * (time.perf_counter() - started))
    factor = (time.perf_counter() - begun) / SECONDS
    times = times[: len(times) // CHUNKS_PER_STEP * CHUNKS_PER_STEP]
    return {
        "first motion, ms": first_motion,
        "step, ms": np.reshape(times, (-1, CHUNKS_PER_STEP)).sum(1).tolist(),
        "real-time factor": [factor],
        "look-ahead, s": [stream.look_ahead],
    }


if __name__ == "__main__":
    report(__doc__, measure)
