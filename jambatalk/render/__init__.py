"""Offscreen frames of a face in motion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING

from jambatalk.errors import RenderError
from jambatalk.render import gl
from jambatalk.render.view import View

if TYPE_CHECKING:
    import numpy as np

    from jambatalk.face import Face
    from jambatalk.render.renderer import ClipRenderer

__all__ = ["View", "draw", "warm_up"]


def draw(face: Face, frames: Iterable[np.ndarray], view: View) -> Iterator[np.ndarray]:
    """Draws a clip, frame after frame.

    Any number of clips may be drawn at once, from any threads; they take turns.

    Args:
        face: whose triangles, colours and rest pose are used.
        frames: vertices (V, 3) in metres, one a picture; read two ahead of what is yielded.
        view: size, camera and look.

    Yields:
        (size, size, 3) uint8 RGB, top row first.

    Raises:
        RenderError: there is no offscreen OpenGL, or a frame does not fit the face.
    """
    renderer = gl.submit(_open, face, view).result()
    try:
        begun = drawn = None
        for vertices in frames:
            # One picture is begun while the one before is filled in and the caller is busy with
            # the one before that.
            before, begun = begun, gl.submit(renderer.begin, renderer.pack(vertices))
            if before is not None:
                ready, drawn = drawn, gl.submit(renderer.finish, before.result())
                if ready is not None:
                    yield ready.result()
        if drawn is not None:
            yield drawn.result()
        if begun is not None:
            yield gl.submit(renderer.finish, begun.result()).result()
    finally:
        with suppress(RuntimeError):  # when the interpreter ends, the thread may be gone first
            gl.submit(renderer.release)


def warm_up() -> None:
    """Opens OpenGL in the background, so that the first :func:`draw` need not wait for it.

    What goes wrong is told by that draw.
    """

    def start() -> None:
        with suppress(RenderError):
            gl.submit(import_module, "jambatalk.render.renderer")  # imports pyrender

    Thread(target=start, daemon=True).start()


def _open(face: Face, view: View) -> ClipRenderer:
    from jambatalk.render.renderer import ClipRenderer  # imports pyrender

    return ClipRenderer(face, view)
