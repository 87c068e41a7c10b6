"""Jobs in a Ray cluster: actors that take one after the other.

Recordings, results and checkpoint lie on a filesystem that all machines share, under the same path.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from jambatalk.batch.jobs import Job, Settings
from jambatalk.batch.work import Animator, Outcome
from jambatalk.errors import BatchError

LOCAL = "local"  # the address of a cluster of this machine alone, started for one run
STORE = 100 << 20  # bytes of shared memory there: jobs and outcomes are small
RETRIES = 2  # of a job whose actor died


def do_in_cluster(
    jobs: list[Job], settings: Settings, processes: int | None, address: str
) -> Iterator[Outcome]:
    """Does the jobs in a Ray cluster; yields what came of each as it is finished.

    Ray restarts an actor that dies, on another machine if its own is gone, and gives it its job
    again; files that were complete are kept. A job that has killed three actors has failed. Whoever
    stops iterating stops the actors.

    Args:
        processes: how many actors; by default one for each core of the cluster. Those for which
            there is no core yet begin when there is.
        address: "local", "auto" for the cluster of this machine, or HOST:PORT.

    Raises:
        BatchError: Ray is not installed, or there is no cluster at that address.
    """
    with _connected(address, processes) as ray:
        jobs, actors = list(jobs), []
        count = min(processes or int(ray.cluster_resources().get("CPU", 1)), len(jobs))
        gpus = 1 if settings.device.startswith("cuda") else 0
        remote = ray.remote(num_cpus=1, num_gpus=gpus, max_restarts=-1, max_task_retries=RETRIES)(
            Actor
        )
        try:
            actors = [remote.remote(settings) for _ in range(count)]
            # A job is given only to an actor that has started: another may never find a core.
            running = {actor.ready.remote(): (actor, None) for actor in actors}
            while jobs or any(job for _, job in running.values()):
                (answer,), _ = ray.wait(list(running))
                actor, job = running.pop(answer)
                outcome = _outcome(ray, answer, job)
                if jobs:
                    following = jobs.pop(0)
                    running[actor.do.remote(following)] = actor, following
                else:
                    ray.kill(actor)  # its core is free for one that must be restarted
                if outcome:
                    yield outcome
        finally:
            for actor in actors:
                ray.kill(actor)


class Actor(Animator):
    """An :class:`Animator` that says when it is there."""

    def ready(self) -> None:
        """Loads the network."""
        self.talking_head  # noqa: B018  loaded when first asked for


def _outcome(ray: ModuleType, answer: object, job: Job | None) -> Outcome | None:
    try:
        return ray.get(answer)
    except ray.exceptions.RayError as error:
        reason = str(error).strip().splitlines()[0]
        if job is None:
            raise BatchError(f"A worker could not start ({reason}).") from error
        return Outcome.of_failure(job, f"The actor that worked on it died again: {reason}")


@contextmanager
def _connected(address: str, processes: int | None) -> Iterator[ModuleType]:
    """Ray, connected; a connection that was there before is used and left open."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise BatchError("Ray is not installed.", "pip install 'jambatalk[ray]'") from error
    if ray.is_initialized():
        yield ray
        return
    own = {"num_cpus": processes, "object_store_memory": STORE, "include_dashboard": False}
    try:
        ray.init(
            address, log_to_driver=False, logging_level="ERROR", **own if address == LOCAL else {}
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise BatchError(
            f"There is no Ray cluster at '{address}' ({error}).",
            "'ray start --head' starts one; --ray local does without.",
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()
