"""Target and predicted motions side by side in one video."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jambatalk.errors import DataError
from jambatalk.evaluate import UNITS
from jambatalk.evaluate.mesh_motion import MeshMotion, align, check_template, cut
from jambatalk.face.face import Face
from jambatalk.face.mesh import read_mesh
from jambatalk.motion.motion import Motion
from jambatalk.progress import Progress, no_progress
from jambatalk.render.clip_grid import grid_size
from jambatalk.render.video import draw_video
from jambatalk.render.view import View
from jambatalk.speech import Speech

GREY = 160  # sRGB of a mesh without colours


def face_of_mesh(path: Path, unit: str = "m") -> Face:
    """Read a .ply or .obj as a face without blendshapes, for rendering.

    Raises:
        FaceError: not a mesh with triangles.
    """
    vertices, triangles = read_mesh(path)
    count = len(vertices)
    return Face(
        name=path.stem,
        template=vertices * np.float32(UNITS[unit]),
        triangles=triangles,
        colors=np.full((count, 3), GREY, np.uint8),
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
    """Render the target and one to eight predictions side by side into one captioned MP4.

    Args:
        motions: the target first; see :func:`jambatalk.evaluate.mesh_motion.align` for lengths and
            frame rates.
        captions: one for each motion.
        face: the triangles to draw; None for the heads of saved motions.
        speech: the soundtrack; None for a silent video.

    Returns:
        `path`.

    Raises:
        DataError: motions that do not belong together, or no triangles.
        RenderError: not 2 to 9 motions, or no offscreen OpenGL.
        VideoError: the video cannot be written.
    """
    grid_size(len(motions), 0)  # refuses other numbers before any work
    heads = [_on_face(motion, face) for motion in _align_all(motions, resample)]
    return draw_video(heads, speech, path, view, captions, progress)


def _align_all(motions: Sequence[MeshMotion], resample: bool) -> list[MeshMotion]:
    """Bring all motions to the slowest frame rate and the shortest length."""
    target, *predictions = motions
    for pred in predictions:  # first the target, to which then every prediction is aligned
        target = align(pred, target, resample)[1]
    aligned = [target, *(align(pred, target, resample)[0] for pred in predictions)]
    length = min(map(len, aligned))
    return [cut(motion, length) for motion in aligned]


def _on_face(motion: MeshMotion, face: Face | None) -> Motion:
    face = face or motion.face
    if face is None:
        raise DataError(
            f"'{motion.name}' contains no triangles.",
            "Give a mesh of its topology: --template FILE.ply or .obj.",
        )
    check_template(face.template, motion)
    return Motion.of_vertices(motion.vertices - face.template, motion.fps, face)
