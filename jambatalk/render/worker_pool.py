"""The processes that draw: one a core, started when first needed, kept as long as this one lives.

Mesa draws in software where there is no GPU; two processes of one thread each keep two cores busy,
which one process of two threads does not. They are plain programs rather than multiprocessing's,
which would run the user's own script once more.
"""

from __future__ import annotations

import atexit
import os
import pickle
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from threading import Lock, Thread

from jambatalk.errors import RenderError
from jambatalk.render.opengl import choose

MOST = 4  # more would starve the encoder
PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from jambatalk.render.worker_process import main; main()"

_lock = Lock()
_workers: list[Worker] = []
_most = MOST


class Worker:
    """One process, and the thread of ours that talks to it."""

    def __init__(self, backend: str, device: int) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="drawing")
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "LP_NUM_THREADS": "0"},  # Mesa's: it draws in the thread that asks
        )
        self._ready = self.submit("start", backend, device)

    def submit(self, method: str, *arguments: object) -> Future:
        """Asks for a method of :class:`jambatalk.render.worker_process.Easel`; requests wait their turn."""
        return self._thread.submit(self._ask, method, arguments)

    @property
    def works(self) -> bool:
        """Whether it has not failed so far."""
        return self._process.poll() is None and not (self._ready.done() and self._ready.exception())

    def check(self) -> None:
        """Waits until OpenGL is open.

        Raises:
            RenderError: it cannot be opened.
        """
        self._ready.result()

    def stop(self) -> None:
        """Ends the process once it has done what it was asked."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._process.kill()
        self._process.wait()

    def _ask(self, method: str, arguments: tuple) -> object:
        try:
            pickle.dump((method, arguments), self._process.stdin, pickle.HIGHEST_PROTOCOL)
            self._process.stdin.flush()
            answer = pickle.load(self._process.stdout)
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            self._process.kill()  # what it would answer now belongs to no question
            self._process.wait()
            raise RenderError(
                f"The process that draws has died (status {self._process.returncode}).",
                "Try again; if it happens again, there may be too little memory.",
            ) from error
        if isinstance(answer, Exception):
            raise answer
        return answer


def workers() -> list[Worker]:
    """The processes that draw, started if need be.

    Raises:
        RenderError: there is no offscreen OpenGL.
    """
    with _lock:
        if not _workers or not all(worker.works for worker in _workers):
            _stop()
            backend, device = choose()
            _workers.extend(Worker(backend, device) for _ in range(min(cores(), _most)))
        return list(_workers)


def warm_up() -> None:
    """Opens OpenGL in the background, so that the first :func:`draw` need not wait for it.

    What goes wrong is told by that draw.
    """

    def start() -> None:
        with suppress(RenderError):
            workers()

    Thread(target=start, daemon=True).start()


def limit(count: int) -> None:
    """At most this many, for a process that shares its cores with others of its kind; to be said
    before the first picture."""
    global _most
    _most = min(count, MOST)


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _stop() -> None:
    while _workers:
        _workers.pop().stop()


def _forget() -> None:
    """In a forked child: the processes are its parent's, it starts its own."""
    global _lock
    _lock = Lock()
    _workers.clear()


atexit.register(_stop)
os.register_at_fork(after_in_child=_forget)
