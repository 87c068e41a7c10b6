"""The published pipeline from speech to video, reimplemented for comparison.

`python benchmarks/published_pipeline.py network` runs the paper's network, in VOCASET's layout at
full size with random weights, without its lip reader, which the published code runs too.
`python benchmarks/published_pipeline.py rendering` renders the same frames of the same head as
speech_to_video.py in the way of the published demo: for every frame a new mesh, a new scene under
five lights and a new renderer with its own OpenGL context; colour and depth are read back; an
MPEG-4 video without sound is written first and encoded once more with the sound. (The demo also
writes each frame as an OBJ; that is left out.)
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

from jambatalk import Face, TalkingHead

FPS = 30
GREY = (0.3, 0.3, 0.3, 1.0)
LIGHTS = ((0, 0), (1, 0), (-1, 0), (0, -1), (0, 1))  # rotation of their positions, in 30 degrees


def network(seconds: float) -> dict[str, float]:
    """Measure the second run of the paper's network."""
    import torch

    from jambatalk.model.jambatalk import JambaTalk
    from jambatalk.paper.layouts import LAYOUTS

    torch.manual_seed(0)
    model, speech = JambaTalk(LAYOUTS["vocaset"]).eval(), speech_of(seconds)
    parameters = sum(weight.numel() for weight in model.parameters())
    for _ in range(2):
        started = time.perf_counter()
        model.predict(model.encode(speech), model.style(model.config.styles[0]))
        elapsed = time.perf_counter() - started
    return {"seconds": elapsed, "parameters": parameters}


def rendering(seconds: float, size: int, every: int) -> dict[str, float]:
    """Measure rendering, and the rest: the end of encoding, and the sound.

    Args:
        every: render only every so-manieth frame.
    """
    os.environ |= {"PYOPENGL_PLATFORM": "egl", "PYGLET_HEADLESS": "1"}
    from imageio_ffmpeg import get_ffmpeg_exe, write_frames

    motion = TalkingHead.from_pretrained().animate(speech_of(seconds))
    frames = motion.vertices()[::every]
    with tempfile.TemporaryDirectory() as folder:
        silent, with_sound = Path(folder) / "silent.mp4", Path(folder) / "with_sound.mp4"
        _render(motion.face, frames[0], size)  # warm up
        started = time.perf_counter()
        writer = write_frames(str(silent), (size, size), fps=FPS, codec="mpeg4")
        writer.send(None)
        for vertices in frames:
            writer.send(np.ascontiguousarray(_render(motion.face, vertices, size)))
        rendered = time.perf_counter()
        writer.close()
        command = [get_ffmpeg_exe(), "-v", "error", "-i", str(VOICE), "-i", str(silent)]
        command += ["-t", str(len(frames) / FPS), "-pix_fmt", "yuv420p", "-y", str(with_sound)]
        subprocess.run(command, check=True)
        ended = time.perf_counter()
    return {"rendering": rendered - started, "rest": ended - rendered, "frames": len(frames)}


def _render(face: Face, vertices: np.ndarray, size: int) -> np.ndarray:
    """Render one frame (size, size, 3) with new objects throughout."""
    import pyrender
    import trimesh

    from jambatalk.render.camera import portrait_camera
    from jambatalk.render.view import View

    mesh = trimesh.Trimesh(vertices=vertices, faces=face.triangles)
    grey = pyrender.MetallicRoughnessMaterial(
        alphaMode="BLEND", baseColorFactor=GREY, metallicFactor=0.8, roughnessFactor=0.8
    )
    scene = pyrender.Scene(ambient_light=[0.2] * 3, bg_color=[0, 0, 0])
    scene.add(pyrender.Mesh.from_trimesh(mesh, material=grey, smooth=True))
    camera, camera_pose = portrait_camera(face, View())
    scene.add(camera, pose=camera_pose)
    for around_x, around_y in np.multiply(LIGHTS, np.pi / 6):
        # only positions are rotated, which directional lights ignore, as in the demo
        pose = np.eye(4)
        pose[:3, 3] = np.sin(around_y), -np.sin(around_x), np.cos(around_x + around_y)
        scene.add(pyrender.DirectionalLight(color=np.ones(3), intensity=2.0), pose=pose)
    renderer = pyrender.OffscreenRenderer(viewport_width=size, viewport_height=size)
    color, _depth = renderer.render(scene, flags=pyrender.RenderFlags.SKIP_CULL_FACES)
    return color


def main() -> None:
    """Measure one of the two parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("network", "rendering"))
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--every", type=int, default=1, help="render only every so-manieth frame")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.part == "network":
        results = network(options.seconds)
    else:
        results = rendering(options.seconds, options.size, options.every)
    print(json.dumps(results) if options.json else results)


if __name__ == "__main__":
    main()
