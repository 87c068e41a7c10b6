"""The pool of render workers: one process a core, started on first use and kept until the end.

Without a GPU, Mesa draws in software; two processes with one thread each use two cores, which one
process with two threads does not. They are plain programs: those of `multiprocessing` would run
the user's own script again.
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

from jambatalk.errors import RenderError, how_it_ended
from jambatalk.render.opengl import advice, backends
from jambatalk.render.watchdog import Watchdog

MAX_WORKERS = 4  # more would leave the video encoder without a core
REQUEST_SECONDS = 120.0  # for one request; a frame takes milliseconds, starting some seconds
STOP_SECONDS = 5.0  # to finish what was requested before the process is terminated
PROGRAM = (
    "import sys; sys.path[:] = sys.argv[1:]; "
    "from jambatalk.render.worker_process import main; main()"
)

_lock = Lock()
_workers: list[RenderWorker] = []
_max_workers = MAX_WORKERS


class RenderWorker:
    """One process that draws, and the thread of this one that talks to it."""

    def __init__(self, backend: str) -> None:
        self._requests = ThreadPoolExecutor(1, thread_name_prefix="render")
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, *sys.path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "LP_NUM_THREADS": "0"},  # Mesa draws in the calling thread
            )
        except OSError as error:
            raise RenderError(
                f"A render worker could not be started ({error.strerror}).",
                "Close other programs: memory, processes or open files have run out.",
            ) from error
        self._watchdog = Watchdog(self.process, REQUEST_SECONDS)
        self._started = self.submit("start", backend)

    def submit(self, method: str, *arguments: object) -> Future:
        """Call a method of :class:`jambatalk.render.worker_process.RenderServer`, after all calls
        submitted before.

        Raises:
            RenderError: the worker was closed, or the interpreter is ending.
        """
        try:
            return self._requests.submit(self._call, method, arguments)
        except RuntimeError as error:
            raise RenderError("A render worker has ended.", "Try again.") from error

    @property
    def works(self) -> bool:
        """Whether the process runs and, as far as it is known yet, has opened OpenGL."""
        failed = self._started.done() and self._started.exception() is not None
        return self.process.poll() is None and not failed

    def wait_started(self) -> None:
        """Wait until OpenGL is open.

        Raises:
            RenderError: it cannot be opened.
        """
        self._started.result()

    def close(self) -> None:
        """Let the process end once it has finished all that was submitted; do not wait for it."""
        pipe = self.process.stdin
        assert pipe is not None
        with suppress(OSError):  # it has ended already
            try:
                self._requests.submit(pipe.close)
            except RuntimeError:  # the interpreter is ending: nothing is submitted any more
                pipe.close()
        self._requests.shutdown(wait=False)

    def join(self) -> None:
        """Wait until the closed process has ended: terminate it, then kill it, if it does not."""
        for force in (self.process.terminate, self.process.kill):
            try:
                self.process.wait(STOP_SECONDS)
                break
            except subprocess.TimeoutExpired:
                force()
        self.process.wait()
        self._watchdog.close()

    def _call(self, method: str, arguments: tuple) -> object:
        requests, answers = self.process.stdin, self.process.stdout
        assert requests is not None
        assert answers is not None
        try:
            with self._watchdog:
                pickle.dump((method, arguments), requests, pickle.HIGHEST_PROTOCOL)
                requests.flush()
                answer = pickle.load(answers)
        except (OSError, EOFError, ValueError, pickle.UnpicklingError) as error:
            self.process.kill()  # a late answer would be taken for that to the next request
            status = self.process.wait()
            died = f"died ({how_it_ended(status)})"
            reason = "did not answer" if self._watchdog.expired else died
            raise RenderError(
                f"A render worker {reason}.",
                "Try again; if it happens again, there may be too little memory.",
            ) from error
        if isinstance(answer, Exception):
            raise answer
        return answer


def render_workers() -> list[RenderWorker]:
    """Return the working workers; replace those that failed.

    Raises:
        RenderError: there is no offscreen OpenGL.
    """
    with _lock:
        broken = [worker for worker in _workers if not worker.works]
        _workers[:] = [worker for worker in _workers if worker.works]
        _stop(broken)
        missing = min(available_cores(), _max_workers) - len(_workers)
        if missing > 0:
            _workers.extend(_start_workers(missing))
        return list(_workers)


def check_opengl() -> None:
    """Raise a RenderError if there is no offscreen OpenGL."""
    _stop(_start_workers(1))


def warm_up() -> None:
    """Start the workers in the background, so that the first clip need not wait for them.

    Errors are raised by that clip.
    """

    def start() -> None:
        with suppress(RenderError):
            render_workers()

    Thread(target=start, daemon=True).start()


def limit_workers(count: int) -> None:
    """Start at most `count` workers, in a process that shares the cores with others like it."""
    global _max_workers
    _max_workers = min(count, MAX_WORKERS)


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _start_workers(count: int) -> list[RenderWorker]:
    """Start workers with the first backend that works; each tries in its own process, since a
    driver may crash or hang, and a process cannot change its backend."""
    reasons = []
    for backend in backends():
        workers = [RenderWorker(backend) for _ in range(count)]
        try:
            workers[0].wait_started()
        except RenderError as error:
            _stop(workers)
            reasons.append(error.what)
        else:
            return workers
    raise RenderError(f"There is no offscreen OpenGL here. {' '.join(reasons)}", advice())


def _stop(workers: list[RenderWorker]) -> None:
    for worker in workers:  # all at once, then wait
        worker.close()
    for worker in workers:
        worker.join()


def _forget_workers() -> None:
    """Leave the workers to the parent of this forked process, which starts its own."""
    global _lock
    _lock = Lock()
    _workers.clear()


atexit.register(_stop, _workers)
if hasattr(os, "register_at_fork"):  # POSIX
    os.register_at_fork(after_in_child=_forget_workers)
