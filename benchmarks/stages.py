"""Every stage on its own, in this one process: `python benchmarks/stages.py`.

Ten seconds of speech at 512×512; milliseconds. Drawing takes the time of one frame, the others of
all.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from common import VOICE, speech_of, tell

from jambatalk import Speech, TalkingHead, View

SECONDS, SIZE = 10.0, 512


def measure(runs: int) -> dict[str, list[float]]:
    """Stage → milliseconds, one a run, or one a frame where a frame is drawn."""
    os.environ["LP_NUM_THREADS"] = "0"  # Mesa's, as in the processes that draw
    from jambatalk.motion.motion import Motion
    from jambatalk.motion.nonverbal import add_nonverbal
    from jambatalk.render.mp4 import write_video

    talking_head, speech = TalkingHead.from_pretrained(), speech_of(SECONDS)
    model, style = talking_head.model, talking_head.model.style(talking_head.styles[0])
    features = model.encode(speech)
    weights = model.predict(features, style).numpy()
    face = talking_head.heads.load(1)
    bare = Motion(weights, talking_head.fps, face).sealed()
    motion = add_nonverbal(bare, speech, 0, None)
    frames = motion.vertices()
    took = {
        "decode (11 s)": timed(lambda: Speech.read(VOICE), runs),
        "encode the speech": timed(lambda: model.encode(speech), runs),
        "network": timed(lambda: model.predict(features, style), runs),
        "seal the lips": timed(lambda: Motion(weights, talking_head.fps, face).sealed(), runs),
        "blinks, gaze, head": timed(lambda: add_nonverbal(bare, speech, 0, None), runs),
        "vertices": timed(lambda: list(motion.frames()), runs),
    }
    drawing, pictures = draw(face, frames)
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

        return took | drawing | {"encode the video": timed(encode, runs)}


def draw(face, frames) -> tuple[dict[str, list[float]], list]:
    """What the parts of drawing take of each frame, and the pictures."""
    from jambatalk.render.opengl import choose_backend, open_context

    context = open_context(*choose_backend())
    from OpenGL import GL

    from jambatalk.render.antialiasing import resolve_samples
    from jambatalk.render.renderer import ClipRenderer

    renderer, pictures = ClipRenderer(face, View(size=SIZE)), []
    names = ("a frame: normals", "a frame: draw", "a frame: read back", "a frame: picture")
    took: dict[str, list[float]] = {name: [] for name in names}
    for vertices in frames:
        laps = [time.perf_counter()]
        mesh = renderer.pack(vertices)
        laps.append(time.perf_counter())
        renderer.submit(mesh)
        GL.glFinish()
        laps.append(time.perf_counter())
        samples = renderer.read()
        laps.append(time.perf_counter())
        pictures.append(resolve_samples(samples))
        laps.append(time.perf_counter())
        for name, start, end in zip(names, laps, laps[1:], strict=False):
            took[name].append(1000 * (end - start))
    renderer.release()
    del context
    return {name: times[10:] for name, times in took.items()}, pictures  # the first ones warm


def timed(work: Callable[[], object], runs: int) -> list[float]:
    """How long it takes each time after a first one, milliseconds."""
    took = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        work()
        took.append(1000 * (time.perf_counter() - start))
    return took[1:]


if __name__ == "__main__":
    tell(__doc__, measure)
