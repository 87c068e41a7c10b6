"""Running jobs in a Ray cluster.

Recordings, results and checkpoint lie on a filesystem that all machines share, under the same path.
"""

from __future__ import annotations

import logging
import math
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from socket import create_connection
from threading import current_thread, main_thread
from typing import Any

from jambatalk.batch.job_runner import JobRunner, Outcome
from jambatalk.batch.jobs import Job, Settings, alone_in
from jambatalk.errors import BatchError, ClusterError

log = logging.getLogger(__name__)

MAX_TRIES = 3  # of a job whose actor dies, and of starting an actor
GPU_SHARE = 0.25  # of a GPU for each actor
START_SECONDS = 1800  # for the first actor: a cluster that grows takes minutes
SLOWNESS = 60  # seconds of work on a second of speech, for each file: drawing is the slowest
ANSWER_SECONDS = 60  # for a result that is there
CHECK_SECONDS = 10  # between looks at the clock
LOCAL_STORE = 100 << 20  # bytes of shared memory of a local cluster: messages are small


def run_in_cluster(
    jobs: list[Job], settings: Settings, processes: int | None, address: str
) -> Iterator[Outcome]:
    """Run jobs in a Ray cluster; yield their outcomes as they finish.

    When an actor dies, or its machine, another one starts wherever there is room, and repeats its
    job; completed files are kept. A job fails when three actors have died running it; one that
    takes longer than any recording can counts as dead. Closing the iterator stops the actors.

    Args:
        processes: number of actors, by default one for each core of the cluster. Those without a
            core wait until there is one.
        address: HOST:PORT; "auto" for the cluster that this machine belongs to; "local" for a
            cluster of this machine alone, which ends with the batch.

    Raises:
        ClusterError: Ray is not installed, or there is no cluster at that address.
        BatchError: the cluster lacks a core or GPU; no actor can start, or does in half an hour; or
            another batch is at work in the same folder of results.
    """
    with _connection(address, processes) as ray, alone_in(jobs[0].results):
        jobs, tries = list(jobs), Counter[str | None]()
        resources = ray.cluster_resources()
        cores, gpus = resources.get("CPU", 0), resources.get("GPU", 0)
        if cores < 1:
            raise BatchError("The cluster has no core to work on.", "Add a machine that has.")
        if settings.device.startswith("cuda") and not gpus:
            raise BatchError("The cluster has no GPU to work on.", "Add a machine that has.")
        use_gpu = gpus and settings.device != "cpu"
        default = min(cores, gpus / GPU_SHARE) if use_gpu else cores
        count = min(processes or int(default), len(jobs))
        # Ray's own retries are used up in the seconds before it knows that a machine is gone.
        share = GPU_SHARE if use_gpu else 0
        remote = ray.remote(num_cpus=1, num_gpus=share, max_restarts=0)(Actor)
        # awaited result → actor, job, and the time by which it must be there
        running: dict[Any, tuple[Any, Job | None, float]] = {}
        heard = time.monotonic()  # from any actor

        def start_actor() -> None:
            actor = remote.remote(settings)
            # It gets a job once it has started: some may never find a core.
            running[actor.load.remote()] = actor, None, math.inf

        try:
            for _ in range(count):
                start_actor()
            while jobs or any(job for _, job, _ in running.values()):
                ready, _ = ray.wait(list(running), timeout=CHECK_SECONDS)
                now = time.monotonic()
                is_working = any(job for _, job, _ in running.values())
                if not ready and not is_working and now > heard + START_SECONDS:
                    raise BatchError(
                        f"No worker has started in {START_SECONDS // 60} minutes.",
                        "See what keeps the cluster busy: 'ray status'.",
                    )
                due = ready or [result for result, (_, _, by) in running.items() if by < now]
                if not due:
                    continue
                heard, result = now, due[0]
                actor, job, _ = running.pop(result)
                outcome, is_alive = None, True
                try:
                    # That of a late actor is not there, which is as if it were dead.
                    outcome = ray.get(result, timeout=ANSWER_SECONDS if ready else 0)
                except ray.exceptions.RayTaskError as error:  # the actor lives on
                    if job is None:
                        raise BatchError(f"No worker can start: {_reason(error)}") from error
                    log.error("'%s' failed unexpectedly.", job.name, exc_info=error)
                    outcome = Outcome.of_failure(job, _reason(error))
                except ray.exceptions.RayError as error:  # the actor died
                    is_alive = False
                    ray.kill(actor)
                    tries[job.name if job else None] += 1
                    if job is None and tries[None] == MAX_TRIES * count:
                        raise BatchError(f"Workers die as they start: {_reason(error)}") from error
                    if job and tries[job.name] == MAX_TRIES:
                        reason = f"{MAX_TRIES} workers died running it, the last: {_reason(error)}"
                        outcome = Outcome.of_failure(job, reason)
                    elif job:
                        jobs.insert(0, job)
                    if jobs:
                        start_actor()
                if is_alive and jobs:
                    following = jobs.pop(0)
                    by = now + START_SECONDS + _longest(following, settings)
                    running[actor.run.remote(following)] = actor, following, by
                elif is_alive:
                    ray.kill(actor)  # its core is free for one that waits to start
                if outcome:
                    yield outcome
        finally:
            for actor, *_ in running.values():
                ray.kill(actor)


class Actor(JobRunner):
    """A :class:`JobRunner` that shows when it has started."""

    def load(self) -> None:
        """Load the network."""
        self.talking_head  # noqa: B018  loaded on first use


def _longest(job: Job, settings: Settings) -> float:
    """Return seconds in which any job of this kind is done."""
    return SLOWNESS * settings.max_seconds * len(job.outputs)


@contextmanager
def _connection(address: str, cores: int | None) -> Iterator[Any]:
    """Connect to Ray; an earlier connection is used and left open. `cores` is for a local one."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if not find_spec("ray"):
        raise ClusterError("Ray is not installed.", "Install it: pip install 'jambatalk[ray]'.")
    import ray

    if ray.is_initialized():
        yield ray
        return
    local = {"num_cpus": cores, "object_store_memory": LOCAL_STORE, "include_dashboard": False}
    options: dict[str, Any] = local if address == "local" else {}
    host, _, port = address.rpartition(":")
    on_sigterm = signal.getsignal(signal.SIGTERM)
    try:
        if port.isdigit() and "/" not in host:
            create_connection((host, int(port)), timeout=5).close()  # Ray waits for two minutes
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **options)
    except (OSError, ValueError, RuntimeError) as error:
        raise ClusterError(
            f"There is no Ray cluster at '{address}' ({str(error).splitlines()[0]}).",
            "Start one with 'ray start --head', or use 'local'.",
        ) from error
    if current_thread() is main_thread():
        signal.signal(signal.SIGTERM, on_sigterm)  # Ray's own leaves no time to clean up
    try:
        yield ray
    finally:
        ray.shutdown()


def _reason(error: Exception) -> str:
    """Return the last line of Ray's message, which is the error itself."""
    return str(error).strip().splitlines()[-1].strip()
