"""The published way from speech to video, written anew to compare with.

`python benchmarks/published_pipeline.py network` lets the paper's network speak, VOCASET layout at full
size with random weights, without its lip reader, which the published code runs too.
`python benchmarks/published_pipeline.py rendering` draws the frames that our own benchmark draws, on the
same head, as the published demo does: for every frame a new mesh, a new scene under five lights and
a new renderer with an OpenGL context of its own; colour and depth are read back; an MPEG-4 video
without sound is written first and coded once more with the sound. (The demo also writes each frame
as an OBJ; that is left out.)
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from common import VOICE, speech_of

from jambatalk import TalkingHead

FPS = 30
GREY = (0.3, 0.3, 0.3, 1.0)
TILTS = ((0, 0), (1, 0), (-1, 0), (0, -1), (0, 1))  # of the lights' places, in units of 30 degrees


def network(seconds: float) -> dict[str, float]:
    """How long the paper's network takes, the second time."""
    import torch

    from jambatalk.model.jambatalk import JambaTalk
    from jambatalk.paper.layouts import LAYOUTS

    torch.manual_seed(0)
    model, speech = JambaTalk(LAYOUTS["vocaset"]).eval(), speech_of(seconds)
    parameters = sum(weight.numel() for weight in model.parameters())
    for _ in range(2):
        started = time.perf_counter()
        model.predict(model.encode(speech), torch.zeros(0))
        took = time.perf_counter() - started
    return {"seconds": took, "parameters": parameters}


def rendering(seconds: float, size: int, every: int) -> dict[str, float]:
    """How long drawing takes, and the rest: coding's end and the sound. With `every` above 1, that
    part of the frames only is drawn."""
    os.environ |= {"PYOPENGL_PLATFORM": "egl", "PYGLET_HEADLESS": "1"}
    from imageio_ffmpeg import get_ffmpeg_exe, write_frames

    motion = TalkingHead.from_pretrained().animate(speech_of(seconds))
    frames = motion.vertices()[::every]
    with tempfile.TemporaryDirectory() as folder:
        silent, spoken = Path(folder) / "silent.mp4", Path(folder) / "spoken.mp4"
        _picture(motion.face, frames[0], size)  # what is imported and compiled once
        started = time.perf_counter()
        writer = write_frames(str(silent), (size, size), fps=FPS, codec="mpeg4")
        writer.send(None)
        for vertices in frames:
            writer.send(np.ascontiguousarray(_picture(motion.face, vertices, size)))
        drawn = time.perf_counter()
        writer.close()
        subprocess.run(
            [
                *(get_ffmpeg_exe(), "-v", "error", "-i", str(VOICE), "-i", str(silent)),
                *("-t", str(len(frames) / FPS), "-pix_fmt", "yuv420p", "-y", str(spoken)),
            ],
            check=True,
        )
        ended = time.perf_counter()
    return {"drawing": drawn - started, "rest": ended - drawn, "frames": len(frames)}


def _picture(face, vertices: np.ndarray, size: int) -> np.ndarray:
    """One frame (size, size, 3), everything made for it alone."""
    import pyrender
    import trimesh

    from jambatalk.render.camera import portrait_camera

    mesh = trimesh.Trimesh(vertices=vertices, faces=face.triangles)
    grey = pyrender.MetallicRoughnessMaterial(
        alphaMode="BLEND", baseColorFactor=GREY, metallicFactor=0.8, roughnessFactor=0.8
    )
    scene = pyrender.Scene(ambient_light=[0.2] * 3, bg_color=[0, 0, 0])
    scene.add(pyrender.Mesh.from_trimesh(mesh, material=grey, smooth=True))
    lens, pose = portrait_camera(face, 0.0)
    scene.add(lens, pose=pose)
    for around_x, around_y in np.multiply(TILTS, np.pi / 6):
        # only their places are turned, so that to directional lights they are one five times
        place = np.eye(4)
        place[:3, 3] = np.sin(around_y), -np.sin(around_x), np.cos(around_x + around_y)
        scene.add(pyrender.DirectionalLight(color=np.ones(3), intensity=2.0), pose=place)
    renderer = pyrender.OffscreenRenderer(viewport_width=size, viewport_height=size)
    color, _depth = renderer.render(scene, flags=pyrender.RenderFlags.SKIP_CULL_FACES)
    return color


def main() -> None:
    """Prints what one of the two parts took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("network", "rendering"))
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--every", type=int, default=1, help="draw only each so-manieth frame")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.part == "network":
        took = network(options.seconds)
    else:
        took = rendering(options.seconds, options.size, options.every)
    print(json.dumps(took) if options.json else took)


if __name__ == "__main__":
    main()
