"""Motions to export: of blendshapes, of vertices, and with a moving head."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from jambatalk import Face, Motion, load_head
from jambatalk.face.face import PLAIN

FPS = 30.0
VOICE = Path(__file__).parent.parent / "assets" / "voices" / "pico_en.wav"


def chatter(frames: int, fps: float = FPS, head: str = "mara") -> Motion:
    """A motion of all blendshapes but tongueOut, of the jaw most."""
    face = load_head(head)
    time = np.arange(frames)[:, None] / fps
    rate = 0.5 + np.arange(len(face.blendshapes)) % 7
    weights = 0.1 * (1 - np.cos(2 * np.pi * rate * time))
    weights[:, face.blendshapes.index("jawOpen")] *= 2
    weights[:, face.blendshapes.index("tongueOut")] = 0
    return Motion(weights.astype(np.float32), fps, face)


def nodding(motion: Motion) -> Motion:
    """Add a head pose that turns about all three axes."""
    time = np.arange(len(motion))[:, None] / motion.fps
    pose = np.float32([0.2, 0.3, 0.15]) * np.sin(time * [3, 2, 5] + [0, 1, 2])
    return replace(motion, pose=pose.astype(np.float32))


def drawn(face: Face) -> np.ndarray:
    """The vertices of a .glb: those of each material, one material after the other."""
    if len(face.materials) == 1:
        return np.arange(len(face.template))
    number = face.material_index
    return np.concatenate([np.unique(face.triangles[number == k]) for k in np.unique(number)])


@cache
def mask_face() -> Face:
    """An open mesh without blendshapes, as in the published data sets."""
    face = load_head("kofi")
    triangles = face.triangles[(face.triangles < 4000).all(axis=1)]
    return replace(
        face,
        name="mask",
        template=face.template[:4000],
        triangles=triangles,
        colors=face.colors[:4000],
        gloss=face.gloss[:4000],
        blendshapes=(),
        deltas=np.zeros((0, 4000, 3), np.float32),
        regions={},
        landmarks={},
        materials=PLAIN,
        material_index=None,
        uv=None,
        occlusion=None,
        weld=None,
    )


def vertex_motion() -> Motion:
    """The first vertices of `chatter(50)`, as offsets without blendshapes."""
    motion = chatter(50)
    offsets = motion.vertices() - motion.face.template
    return Motion.of_vertices(offsets[:, :4000], FPS, mask_face())
