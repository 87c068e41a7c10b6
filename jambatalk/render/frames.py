"""Clips: the frames of a face in motion, drawn by all render workers at once."""

from __future__ import annotations

import math
import tempfile
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jambatalk.errors import RenderError
from jambatalk.files.unfinished import ROOM, Unfinished
from jambatalk.render.view import View
from jambatalk.render.worker_pool import RenderWorker, render_workers

if TYPE_CHECKING:
    from jambatalk.face.face import Face

SLOTS_PER_WORKER = 4  # frames requested ahead: the encoder does not take them at a steady rate
BLOCK = bytes(1 << 20)  # zeros to fill a file with

_clip_numbers = count()


def draw_frames(
    face: Face, frames: Iterable[np.ndarray], view: View
) -> Generator[np.ndarray, None, None]:
    """Draw a clip, frame by frame, on all cores.

    Any number of clips may be drawn at the same time, from any threads.

    Args:
        face: its triangles, colours and rest pose are used.
        frames: vertices (V, 3) in metres of each frame; read a few frames ahead of the output.
        view: size, camera, background and shading.

    Yields:
        (size, size, 3) uint8 RGB, top row first.

    Raises:
        RenderError: there is no offscreen OpenGL, or a frame does not fit the face.
    """
    clip = _Clip(face, view)
    requested: deque[_Request] = deque()
    try:
        for vertices in frames:
            requested.append(clip.request(vertices))
            if len(requested) == clip.slots:
                yield clip.result(requested.popleft())
        while requested:
            yield clip.result(requested.popleft())
    finally:
        clip.close(requested)


class _Request(NamedTuple):
    """A frame that a worker draws into a slot of a clip."""

    opened: Future
    drawn: Future
    slot: int


class _Clip:
    """One call of :func:`draw_frames`.

    The workers return their pictures in slots of a memory-mapped temporary file, which is faster
    than a pipe, and unlike POSIX shared memory not limited to the 64 MB of a container.
    """

    def __init__(self, face: Face, view: View) -> None:
        self._workers = render_workers()
        self.slots = SLOTS_PER_WORKER * len(self._workers)
        self._number, self._view, self._requests = next(_clip_numbers), view, 0
        self._face = replace(face, blendshapes=(), deltas=face.deltas[:0])  # what drawing needs
        self._opened: dict[RenderWorker, Future] = {}
        shape = (self.slots, view.size, view.size, 3)
        self._file, self._pictures = _reserve(shape)

    def request(self, vertices: np.ndarray) -> _Request:
        """Let the next worker draw a frame into the next slot."""
        slot = self._requests % self.slots
        worker = self._workers[slot % len(self._workers)]
        self._requests += 1
        if worker not in self._opened:
            worker.wait_started()
            self._opened[worker] = worker.submit(
                "open", self._number, self._face, self._view, str(self._file.path)
            )
        drawn = worker.submit("draw", self._number, vertices, slot)
        return _Request(self._opened[worker], drawn, slot)

    def result(self, request: _Request) -> np.ndarray:
        """Wait for a picture; return a copy, since its slot is used again."""
        request.opened.result()
        request.drawn.result()
        assert self._pictures is not None
        return self._pictures[request.slot].copy()

    def close(self, pending: Iterable[_Request]) -> None:
        """Free everything; pending frames are not drawn."""
        for request in pending:
            request.drawn.cancel()
        self._pictures = None
        for worker in self._opened:
            with suppress(RenderError):  # it has ended
                worker.submit("close", self._number).add_done_callback(self._remove_file)
        self._remove_file()

    def _remove_file(self, _: Future | None = None) -> None:
        """Remove the file; Windows refuses until the last worker has unmapped it."""
        self._file.remove()


def _reserve(shape: tuple[int, ...]) -> tuple[Unfinished, np.memmap | None]:
    """Map a temporary file whose bytes are really there: writing to a memory-mapped file on a full
    disk kills a process."""
    folder, reserved, size = tempfile.gettempdir(), None, math.prod(shape)
    try:
        reserved = Unfinished(Path(folder), mode=0o600)
        for start in range(0, size, len(BLOCK)):
            reserved.file.write(BLOCK[: size - start])
        return reserved, np.memmap(reserved.path, np.uint8, "r", shape=shape)
    except OSError as error:
        if reserved is not None:
            reserved.remove()
        raise RenderError(
            f"There is no room for frames in {folder} ({error.strerror}).", ROOM
        ) from error
