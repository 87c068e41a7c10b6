"""Thumbnails of heads, for choosing one on the page."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from jambatalk.errors import RenderError
from jambatalk.face.face import Face
from jambatalk.render.frames import draw_frames
from jambatalk.render.view import View

log = logging.getLogger(__name__)

THUMBNAIL = 192  # pixels
CROP = (0.07, 0.05, 0.93, 0.91)  # left, top, right, bottom, of the picture
SMILE = {"mouthSmileLeft": 0.25, "mouthSmileRight": 0.25}


def draw_thumbnails(folder: Path, faces: Iterable[Face]) -> None:
    """Write NAME.png of each face; only log a warning if there is no offscreen OpenGL."""
    try:
        for face in faces:
            draw_thumbnail(folder / f"{face.name}.png", face)
    except RenderError as error:
        log.warning("The heads have no pictures: %s", error)


def draw_thumbnail(path: Path, face: Face) -> None:
    """Write a small picture of a head, with a slight smile if it has the blendshapes.

    Raises:
        RenderError: there is no offscreen OpenGL.
    """
    weights = np.array([SMILE.get(blendshape, 0.0) for blendshape in face.blendshapes])
    (picture,) = draw_frames(face, [face.vertices(weights)], View(size=4 * THUMBNAIL, yaw=12))
    close = Image.fromarray(picture).crop(np.multiply(CROP, 4 * THUMBNAIL).astype(int).tolist())
    small = close.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    small.quantize().save(path, optimize=True)
