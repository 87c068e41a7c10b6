"""Offscreen frames of a face in motion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from jambatalk.render import gl
from jambatalk.render.view import View

if TYPE_CHECKING:
    import numpy as np

    from jambatalk.face import Face
    from jambatalk.render.renderer import ClipRenderer

__all__ = ["View", "draw"]


def draw(face: Face, frames: Iterable[np.ndarray], view: View) -> Iterator[np.ndarray]:
    """Draws a clip, frame after frame.

    Any number of clips may be drawn at once, from any threads; they take turns.

    Args:
        face: whose triangles, colours and rest pose are used.
        frames: vertices (V, 3) in metres, one a picture; read one ahead of what is yielded.
        view: size, camera and look.

    Yields:
        (size, size, 3) uint8 RGB, top row first.

    Raises:
        RenderError: there is no offscreen OpenGL, or a frame does not fit the face.
    """
    renderer = gl.submit(_open, face, view).result()
    try:
        drawing = None
        for vertices in frames:
            # The next picture is drawn while the caller is busy with this one.
            drawn, drawing = drawing, gl.submit(renderer.draw, renderer.pack(vertices))
            if drawn is not None:
                yield drawn.result()
        if drawing is not None:
            yield drawing.result()
    finally:
        with suppress(RuntimeError):  # when the interpreter ends, the thread may be gone first
            gl.submit(renderer.release)


def _open(face: Face, view: View) -> ClipRenderer:
    from jambatalk.render.renderer import ClipRenderer  # imports pyrender

    return ClipRenderer(face, view)
