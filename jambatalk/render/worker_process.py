"""A render worker: a process that owns an OpenGL context and draws what its parent requests.

Requests come pickled through standard input; each is answered on standard output by its result or
by the exception it raised. The process ends with its input.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from jambatalk.errors import RenderError
from jambatalk.render.opengl import open_context

if TYPE_CHECKING:
    from jambatalk.face.face import Face
    from jambatalk.render.renderer import ClipRenderer
    from jambatalk.render.view import View


class RenderServer:
    """The clips of this process; its public methods are the requests."""

    def __init__(self) -> None:
        self._context: object = None  # closed when it is garbage-collected
        self._clips: dict[int, tuple[ClipRenderer, np.ndarray]] = {}

    def start(self, backend: str) -> None:
        """Open OpenGL."""
        self._context = open_context(backend)
        from jambatalk.render import renderer  # noqa: F401  the first clip need not import it

    def open(self, clip: int, face: Face, view: View, file: str) -> None:
        """Prepare a clip whose frames, (n, size, size, 3) uint8, lie in `file`."""
        from jambatalk.render.renderer import ClipRenderer

        frames = np.memmap(file, np.uint8, "r+").reshape(-1, view.size, view.size, 3)
        self._clips[clip] = ClipRenderer(face, view), frames

    def draw(self, clip: int, vertices: np.ndarray, slot: int) -> None:
        """Draw a frame into one of the slots of the clip's file."""
        renderer, frames = self._clips[clip]
        frames[slot] = renderer.draw(vertices)

    def close(self, clip: int) -> None:
        """Free a clip."""
        if clip in self._clips:
            renderer, _frames = self._clips.pop(clip)
            renderer.release()


def main() -> None:
    """Serve requests until the input ends."""
    ignore_terminal()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # output of libraries must not get between the answers
    server = RenderServer()
    # The parent has closed the pipes, or is dead.
    with suppress(EOFError, BrokenPipeError, pickle.UnpicklingError):
        while True:
            method, arguments = pickle.load(sys.stdin.buffer)
            answer: object
            try:
                answer = getattr(server, method)(*arguments)
            except RenderError as error:
                answer = error
            except Exception as error:  # of a driver, for instance: it is the caller's to handle
                answer = RenderError(
                    f"A frame could not be drawn ({type(error).__name__}: {error})."
                )
            pickle.dump(answer, answers)
            answers.flush()
    os._exit(0)  # the interpreter's shutdown would close OpenGL's objects in any order


def ignore_terminal() -> None:
    """Leave Ctrl-C, and the end of the terminal, to the parent of this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "SIGHUP"):  # not Windows
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
