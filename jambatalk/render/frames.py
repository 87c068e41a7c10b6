"""Offscreen frames of a face in motion."""

from __future__ import annotations

import math
import os
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from jambatalk.errors import RenderError
from jambatalk.render.view import View
from jambatalk.render.worker_pool import Worker, workers

if TYPE_CHECKING:
    from jambatalk.face.face import Face

AHEAD = 4  # frames asked of each process at a time: the encoder takes them by fits and starts

_clips = count()


def draw_frames(face: Face, frames: Iterable[np.ndarray], view: View) -> Iterator[np.ndarray]:
    """Draws a clip, frame after frame, in as many processes as there are cores.

    Any number of clips may be drawn at once, from any threads; they take turns.

    Args:
        face: whose triangles, colours and rest pose are used.
        frames: vertices (V, 3) in metres, one a picture; a few are read ahead of what is yielded.
        view: size, camera and look.

    Yields:
        (size, size, 3) uint8 RGB, top row first.

    Raises:
        RenderError: there is no offscreen OpenGL, or a frame does not fit the face.
    """
    clip = _Clip(face, view)
    waiting: deque[_Asked] = deque()
    picture = before = None
    try:
        for vertices in frames:
            if before is not None and np.array_equal(before, vertices):
                waiting.append(_Asked(None))  # nothing moved: the picture before once more
            else:
                waiting.append(clip.ask(vertices))
            before = vertices
            if len(waiting) == clip.places:
                picture = waiting.popleft().picture(picture)
                yield picture
        while waiting:
            picture = waiting.popleft().picture(picture)
            yield picture
    finally:
        clip.close(asked.future for asked in waiting)


class _Clip:
    """What one call of :func:`draw` has with the processes.

    They leave their pictures in a file that all see, which is faster than a pipe; each has
    `AHEAD` places in it.
    """

    def __init__(self, face: Face, view: View) -> None:
        self._workers = workers()
        self.places = AHEAD * len(self._workers)
        self._number, self._view, self._asked = next(_clips), view, 0
        # Only what is needed to draw is sent: not the blendshapes.
        self._face = replace(face, blendshapes=(), deltas=face.deltas[:0])
        self._opened: dict[Worker, Future] = {}
        self._file = tempfile.NamedTemporaryFile(prefix="jambatalk-")  # noqa: SIM115 until close
        shape = (self.places, view.size, view.size, 3)
        try:
            os.posix_fallocate(self._file.fileno(), 0, math.prod(shape))
        except OSError as error:
            self._file.close()
            raise RenderError(
                f"There is no room for pictures in {tempfile.gettempdir()} ({error.strerror}).",
                "Free some, or let TMPDIR name another folder.",
            ) from error
        self._pictures = np.memmap(self._file.name, np.uint8, "r", shape=shape)

    def ask(self, vertices: np.ndarray) -> _Asked:
        """Has a frame drawn."""
        place = self._asked % self.places
        worker = self._workers[place % len(self._workers)]
        self._asked += 1
        if worker not in self._opened:
            worker.check()
            self._opened[worker] = worker.submit(
                "open", self._number, self._face, self._view, self._file.name
            )
        drawn = worker.submit("draw", self._number, vertices, place)
        return _Asked(drawn, self._opened[worker], self._pictures[place])

    def close(self, pending: Iterable[Future | None]) -> None:
        """Gives everything back; frames still pending are not drawn."""
        for future in pending:
            if future is not None:
                future.cancel()
        for worker in self._opened:
            with suppress(RuntimeError):  # when the interpreter ends, the thread may be gone first
                worker.submit("close", self._number)
        self._file.close()


@dataclass
class _Asked:
    """A picture that is on its way; with no future, that of the frame before."""

    future: Future | None
    opened: Future | None = None
    place: np.ndarray | None = None

    def picture(self, before: np.ndarray | None) -> np.ndarray:
        """Waits for it: a copy, since the place will be used again."""
        if self.future is None:
            return before
        self.opened.result()
        self.future.result()
        return self.place.copy()
