"""Jobs on this machine: processes that take one after the other."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.resource_tracker import ensure_running

from jambatalk.batch.job_runner import Animator, Outcome
from jambatalk.batch.jobs import VIDEO, Job, Settings
from jambatalk.errors import Stopped
from jambatalk.render.opengl import choose_backend
from jambatalk.render.worker_pool import available_cores

SPAWN = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
PATIENCE = 20  # seconds for a worker to end: it looks up every ten frames, and not while listening


def do_locally(jobs: list[Job], settings: Settings, processes: int | None) -> Iterator[Outcome]:
    """Does the jobs in several processes; yields what came of each as it is finished.

    A worker that dies, for want of memory say, costs the job it was at; another takes its place.
    Whoever stops iterating stops the workers, and what they had not finished is removed. Each
    starts as Python's `spawn` does: a script that calls this needs `if __name__ == "__main__"`.

    Args:
        processes: one a core by default, each of which draws in one process: the quickest, see
            docs/scaling.md.

    Raises:
        RenderError: videos are wanted, and there is no offscreen OpenGL.
    """
    if VIDEO in settings.formats:
        choose_backend()  # or every recording would fail for want of OpenGL
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # read by the workers' NumPy and torch
    jobs, there = list(jobs), available_cores()
    count = min(processes or there, len(jobs))
    drawers = max(1, there // max(1, count))
    workers = [_Worker(settings, drawers) for _ in range(count)]
    try:
        for worker in workers:
            worker.give(jobs.pop(0))
        while busy := {worker.pipe: worker for worker in workers if worker.job}:
            for pipe in wait(list(busy)):
                worker = busy[pipe]
                outcome = worker.take()
                if worker.is_dead:
                    workers.remove(worker)
                    if jobs:
                        workers.append(worker := _Worker(settings, drawers))
                if jobs:
                    worker.give(jobs.pop(0))
                yield outcome
    finally:
        for worker in workers:
            worker.pipe.close()
        for worker in workers:
            worker.end()


class _Worker:
    """A process that does jobs, and the one it is at."""

    def __init__(self, settings: Settings, drawers: int) -> None:
        self.job: Job | None = None
        self.is_dead = False
        self.pipe, theirs = SPAWN.Pipe()
        self._process = SPAWN.Process(target=_serve, args=(theirs, settings, drawers), daemon=True)
        # Ctrl-C is for us: it would also end their ffmpeg in the middle of a video.
        ensure_running()  # it would unblock the signal
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()

    def give(self, job: Job) -> None:
        """Has a job done."""
        self.job = job
        with suppress(OSError):  # it died while it waited: the pipe has an end, as `take` will see
            self.pipe.send(job)

    def take(self) -> Outcome:
        """What came of it, when the pipe is ready."""
        job, self.job = self.job, None
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            self.is_dead = True
            self._process.join()
            return Outcome.of_failure(
                job,
                f"The process that worked on it died ({_fate(self._process.exitcode)}). There may "
                "be too little memory: try fewer --processes.",
                f"{os.uname().nodename}:{self._process.pid}",
            )

    def end(self) -> None:
        """Waits for the process, whose pipe is closed."""
        self._process.join(PATIENCE)
        self._process.kill()
        self._process.join()


def _serve(pipe: Connection, settings: Settings, drawers: int) -> None:
    """A worker's life. It ends when the pipe is closed, even by the death of the other side."""

    def go_on(stage: str, done: float) -> None:
        if pipe.poll():  # nothing is sent while it works: the other side is gone
            raise Stopped("Stopped.")

    animator = Animator(settings, drawers)
    try:
        while True:
            pipe.send(animator.do(pipe.recv(), go_on))
    except (EOFError, OSError, Stopped):
        return


def _fate(exit_code: int) -> str:
    return signal.Signals(-exit_code).name if exit_code < 0 else f"status {exit_code}"
