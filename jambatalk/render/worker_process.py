"""A process that draws: it owns an OpenGL context and does what it is asked through its pipe.

Requests come pickled on standard input and are answered on standard output, one after the other,
by a value or the exception that was raised. When the input ends, so does the process.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from typing import TYPE_CHECKING

import numpy as np

from jambatalk.errors import RenderError
from jambatalk.render.opengl import open_context

if TYPE_CHECKING:
    from jambatalk.face.face import Face
    from jambatalk.render.renderer import ClipRenderer
    from jambatalk.render.view import View


class Easel:
    """The clips that are being drawn in this process; its methods are what may be asked."""

    def __init__(self) -> None:
        self._context: object = None  # collecting it would close it
        self._clips: dict[int, tuple[ClipRenderer, np.memmap]] = {}

    def start(self, backend: str, device: int) -> None:
        """Opens OpenGL."""
        self._context = open_context(backend, device)
        from jambatalk.render import renderer  # noqa: F401  while nobody waits for it

    def open(self, clip: int, face: Face, view: View, pictures: str) -> None:
        """Makes ready to draw a clip into the file `pictures`, (n, size, size, 3) uint8."""
        from jambatalk.render.renderer import ClipRenderer

        shape = (-1, view.size, view.size, 3)
        target = np.memmap(pictures, np.uint8, "r+").reshape(shape)
        self._clips[clip] = ClipRenderer(face, view), target

    def draw(self, clip: int, vertices: np.ndarray, place: int) -> None:
        """Draws a frame and leaves it at a place in the clip's file."""
        renderer, pictures = self._clips[clip]
        pictures[place] = renderer.draw(vertices)

    def close(self, clip: int) -> None:
        """Frees a clip."""
        if clip in self._clips:
            self._clips.pop(clip)[0].release()


def main() -> None:
    """Serves until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who asks
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not come between
    easel = Easel()
    while True:
        try:
            method, arguments = pickle.load(sys.stdin.buffer)
        except EOFError:
            break
        try:
            answer = getattr(easel, method)(*arguments)
        except RenderError as error:
            answer = error
        except Exception as error:  # a driver's, say: the one who asks shall be told
            answer = RenderError(f"A picture could not be drawn ({type(error).__name__}: {error}).")
        pickle.dump(answer, answers)
        answers.flush()
    # Without the end of an ordinary program, which closes what OpenGL still holds in any order.
    os._exit(0)
