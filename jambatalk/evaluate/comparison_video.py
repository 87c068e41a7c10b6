"""True and predicted motions beside each other in one video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from jambatalk.errors import DataError
from jambatalk.evaluate import UNITS
from jambatalk.evaluate.mesh_motion import MeshMotion, aligned, check_template
from jambatalk.face.face import Face
from jambatalk.face.user_face import read_mesh
from jambatalk.motion.motion import Motion
from jambatalk.progress import Progress, no_progress
from jambatalk.render.clip_grid import grid_size
from jambatalk.render.video import draw_video
from jambatalk.render.view import View
from jambatalk.speech import Speech

CLAY = 160  # sRGB of a mesh without colours


def face_of_mesh(path: Path, unit: str = "m") -> Face:
    """A face that can be drawn and has no blendshapes, from a .ply or .obj.

    Raises:
        FaceError: not a mesh with triangles.
    """
    vertices, triangles = read_mesh(path)
    count = len(vertices)
    return Face(
        name=path.stem,
        template=vertices * np.float32(UNITS[unit]),
        triangles=triangles,
        colors=np.full((count, 3), CLAY, np.uint8),
        gloss=np.full(count, 0.25, np.float32),
        blendshapes=(),
        deltas=np.zeros((0, count, 3), np.float32),
        regions={},
        landmarks={},
    )


def compare_video(
    motions: Sequence[MeshMotion],
    captions: Sequence[str],
    face: Face | None,
    speech: Speech | None,
    path: Path,
    view: View | None = None,
    resample: bool = False,
    progress: Progress = no_progress,
) -> Path:
    """Draws the truth and one to three predictions of it into one captioned MP4.

    Args:
        motions: the truth first; lengths and frame rates as :func:`aligned` takes them.
        captions: one each.
        face: whose triangles are drawn; None for the heads that saved motions name.
        speech: whose sound is heard; None for a silent video.

    Returns:
        `path`.

    Raises:
        DataError: motions that do not belong together, or no triangles.
        RenderError: not 2 to 4 motions, or no offscreen OpenGL. VideoError: the file.
    """
    grid_size(len(motions), 0)  # refuses other numbers before any work is done
    shown = [_worn(motion, face) for motion in _together(motions, resample)]
    return draw_video(shown, speech, path, view, captions, progress)


def _together(motions: Sequence[MeshMotion], resample: bool) -> list[MeshMotion]:
    """All at the slowest frame rate and the shortest length."""
    truth, *others = motions
    for other in others:  # once to slow the truth and shorten it, then for the others
        truth, _ = aligned(truth, other, resample)
    shown = [truth, *(aligned(truth, other, resample)[1] for other in others)]
    length = min(map(len, shown))
    return [replace(motion, vertices=motion.vertices[:length]) for motion in shown]


def _worn(motion: MeshMotion, face: Face | None) -> Motion:
    face = face or motion.face
    if face is None:
        raise DataError(
            f"'{motion.name}' does not say its triangles.",
            "Give a mesh of its topology: --template FILE.ply or .obj.",
        )
    check_template(face.template, motion)
    return Motion.of_vertices(motion.vertices - face.template, motion.fps, face)
