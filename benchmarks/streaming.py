"""Motion while somebody speaks: how long it takes once the sound is there.

    python benchmarks/streaming.py [--runs 5]

The first second of speech arrives at once, and how long its first frames take is told; then a
minute arrives in pieces of 40 ms, each fed as soon as the one before is answered.
"""

from __future__ import annotations

import time

import numpy as np
from common import speech_of, tell

from jambatalk import TalkingHead
from jambatalk.speech import SAMPLE_RATE

SECONDS, PIECE = 60.0, 0.040


def measure(runs: int) -> dict[str, list[float]]:
    """What was measured → milliseconds, but for "look-ahead, s" and "real-time factor"."""
    talking_head, speech = TalkingHead.from_pretrained(), speech_of(SECONDS).samples
    talking_head.stream().feed(speech[:SAMPLE_RATE])  # warm
    first = []
    for _ in range(runs):
        started, stream = time.perf_counter(), talking_head.stream()
        assert len(stream.feed(speech[:SAMPLE_RATE]))
        first.append(1000 * (time.perf_counter() - started))
    stream = talking_head.stream()
    steps, whole = [], time.perf_counter()
    for piece in np.split(speech, np.arange(0, len(speech), round(PIECE * SAMPLE_RATE))[1:]):
        started = time.perf_counter()
        if len(stream.feed(piece)):
            steps.append(1000 * (time.perf_counter() - started))
    return {
        "first motion": first,
        "a step": steps,
        "real-time factor": [(time.perf_counter() - whole) / SECONDS],
        "look-ahead, s": [stream.look_ahead],
    }


if __name__ == "__main__":
    tell(__doc__, measure)
