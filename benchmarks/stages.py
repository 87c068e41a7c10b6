"""Every stage on its own, in one process: `python benchmarks/stages.py`.

Ten seconds of speech at 512×512; milliseconds. Rendering stages are per frame, the others for all.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from common import VOICE, report, speech_of

from jambatalk import Face, Speech, TalkingHead, View

SECONDS, SIZE = 10.0, 512


def measure(runs: int) -> dict[str, list[float]]:
    """Measure the milliseconds of each stage, for each run or frame."""
    os.environ["LP_NUM_THREADS"] = "0"  # Mesa's threads, as in render workers
    from jambatalk.motion.motion import Motion
    from jambatalk.motion.nonverbal import Nonverbal, blend, nonverbal_values
    from jambatalk.render.mp4 import write_video

    talking_head, speech = TalkingHead.from_pretrained(), speech_of(SECONDS)
    model, style = talking_head.model, talking_head.model.style(talking_head.styles[0])
    features = model.encode(speech)
    weights = model.predict(features, style).numpy()
    face = talking_head.heads.load(1)
    bare = Motion(weights, talking_head.fps, face).sealed()

    def add_nonverbal() -> Motion:
        return blend(bare, nonverbal_values(speech, bare.fps, len(bare)), Nonverbal())

    motion = add_nonverbal()
    frames = motion.vertices()
    results = {
        "decode (11 s)": timed(lambda: Speech.read(VOICE), runs),
        "encode speech": timed(lambda: model.encode(speech), runs),
        "network": timed(lambda: model.predict(features, style), runs),
        "seal lips": timed(lambda: Motion(weights, talking_head.fps, face).sealed(), runs),
        "nonverbal motion": timed(add_nonverbal, runs),
        "vertices": timed(lambda: list(motion.frames()), runs),
    }
    rendering, pictures = measure_rendering(face, frames)
    with tempfile.TemporaryDirectory() as folder:

        def encode() -> None:
            write_video(
                Path(folder) / "out.mp4",
                pictures,
                fps=motion.fps,
                size=(SIZE, SIZE),
                frame_count=len(pictures),
                speech=speech,
            )

        return results | rendering | {"encode video": timed(encode, runs)}


def measure_rendering(
    face: Face, frames: np.ndarray
) -> tuple[dict[str, list[float]], list[np.ndarray]]:
    """Measure the parts of rendering of each frame, and return them with the images."""
    from jambatalk.render.opengl import backends, open_context

    context = open_context(backends()[0])
    from OpenGL import GL

    from jambatalk.render.renderer import ClipRenderer

    renderer, pictures = ClipRenderer(face, View(size=SIZE)), []
    names = ("frame: draw", "frame: read back")
    results: dict[str, list[float]] = {name: [] for name in names}
    for vertices in frames:
        laps = [time.perf_counter()]
        renderer.submit(vertices)
        GL.glFinish()
        laps.append(time.perf_counter())
        pictures.append(renderer.read())
        laps.append(time.perf_counter())
        for name, start, end in zip(names, laps, laps[1:], strict=False):
            results[name].append(1000 * (end - start))
    renderer.release()
    del context
    return {name: times[10:] for name, times in results.items()}, pictures  # without warm-up


def timed(work: Callable[[], object], runs: int) -> list[float]:
    """Measure the milliseconds of each run after a first one."""
    times = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - start))
    return times[1:]


if __name__ == "__main__":
    report(__doc__, measure)
