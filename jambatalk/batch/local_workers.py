"""Running jobs on this machine, in several processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from multiprocessing.connection import Connection, wait

from jambatalk.batch.job_runner import JobRunner, Outcome
from jambatalk.batch.jobs import VIDEO, Job, Settings, alone_in
from jambatalk.errors import Stopped, how_it_ended
from jambatalk.render.worker_pool import available_cores, check_opengl
from jambatalk.render.worker_process import ignore_terminal

SPAWN = multiprocessing.get_context("spawn")  # PyTorch's threads do not survive a fork
STOP_SECONDS = 20  # for a worker to stop; it checks every ten frames, but not while it encodes
WORKERS_ON_GPU = 4  # each has a copy of the network


def run_locally(jobs: list[Job], settings: Settings, processes: int | None) -> Iterator[Outcome]:
    """Run jobs in several processes; yield their outcomes as they finish.

    A worker that dies, for lack of memory for instance, costs only its current job; another one
    replaces it. Closing the iterator stops the workers, and unfinished files are removed. A script
    that calls this needs `if __name__ == "__main__"`, as for all processes that Python spawns.

    Args:
        processes: by default one for each core, with one render worker each (docs/scaling.md); on
            a GPU at most four.

    Raises:
        BatchError: another batch is at work in the same folder of results.
        ModelError: the device is not available.
        RenderError: there is no offscreen OpenGL for the videos.
    """
    from jambatalk.model.device import choose_device

    settings = replace(settings, device=choose_device(settings.device))
    if VIDEO in settings.formats:
        check_opengl()  # fails here, once, instead of for every recording
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # read by NumPy and PyTorch in the workers
    jobs, cores = list(jobs), available_cores()
    default = cores if settings.device == "cpu" else min(cores, WORKERS_ON_GPU)
    count = min(processes or default, len(jobs))
    render_workers = max(1, cores // max(1, count))
    with ExitStack() as stack:
        stack.enter_context(alone_in(jobs[0].results))
        workers: list[_Worker] = []
        stack.callback(_stop, workers)
        workers += [_Worker(settings, render_workers) for _ in range(count)]
        for worker in workers:
            worker.assign(jobs.pop(0))
        while busy := {worker.pipe: worker for worker in workers if worker.job}:
            for pipe in wait(list(busy)):
                worker = busy[pipe]  # type: ignore[index]  # all are pipes
                outcome = worker.outcome()
                if worker.is_dead:
                    workers.remove(worker)
                    if jobs:
                        workers.append(worker := _Worker(settings, render_workers))
                if jobs:
                    worker.assign(jobs.pop(0))
                yield outcome


def _stop(workers: list[_Worker]) -> None:
    for worker in workers:  # all at once, then wait
        worker.pipe.close()
    for worker in workers:
        worker.join()


class _Worker:
    """A process that runs jobs, and its current one."""

    def __init__(self, settings: Settings, render_workers: int) -> None:
        self.job: Job | None = None
        self.is_dead = False
        self.pipe, remote = SPAWN.Pipe()
        arguments = (remote, settings, render_workers)
        self._process = SPAWN.Process(target=_serve, args=arguments, daemon=True)
        with _ctrl_c_blocked():
            self._process.start()
        remote.close()

    def assign(self, job: Job) -> None:
        """Start a job."""
        self.job = job
        with suppress(OSError):  # it has died; `outcome` finds out
            self.pipe.send(job)

    def outcome(self) -> Outcome:
        """Receive the outcome of the current job, when the pipe is ready."""
        job, self.job = self.job, None
        assert job is not None
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            self.is_dead = True
            self._process.join()
            how = how_it_ended(self._process.exitcode)
            return Outcome.of_failure(
                job,
                f"The process that worked on it died ({how}). There may be too little memory: try "
                "fewer --processes.",
                f"{socket.gethostname()}:{self._process.pid}",
            )

    def join(self) -> None:
        """Wait for the process, whose pipe is closed; kill it if it does not end."""
        self._process.join(STOP_SECONDS)
        self._process.kill()
        self._process.join()


def _serve(pipe: Connection, settings: Settings, render_workers: int) -> None:
    """Run jobs until the pipe is closed, also by the death of the parent."""
    ignore_terminal()

    def stop_if_closed(stage: str, done: float) -> None:
        if pipe.poll():  # nothing is sent during a job: the other end is closed
            raise Stopped("Stopped.")

    runner = JobRunner(settings, render_workers)
    with suppress(EOFError, OSError, Stopped):
        while True:
            pipe.send(runner.run(pipe.recv(), stop_if_closed))


@contextmanager
def _ctrl_c_blocked() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach, nor their ffmpeg: it is for the parent."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing.resource_tracker import ensure_running

    ensure_running()  # starting it unblocks the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
