"""Jobs in a Ray cluster: actors that take one after the other.

Recordings, results and checkpoint lie on a filesystem that all machines share, under the same path.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from jambatalk.batch.jobs import Job, Settings
from jambatalk.batch.work import Animator, Outcome
from jambatalk.cluster import connected
from jambatalk.errors import BatchError

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
        address: see :func:`jambatalk.cluster.connected`.

    Raises:
        ClusterError: there is no cluster. BatchError: no actor can be started in it.
    """
    with connected(address, processes) as ray:
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
