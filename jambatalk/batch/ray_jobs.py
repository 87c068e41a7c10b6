"""Jobs in a Ray cluster: actors that take one after the other.

Recordings, results and checkpoint lie on a filesystem that all machines share, under the same path.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from jambatalk.batch.job_runner import Animator, Outcome
from jambatalk.batch.jobs import Job, Settings
from jambatalk.batch.ray_cluster import connected
from jambatalk.errors import BatchError

TRIES = 3  # of a job whose actor dies, and of starting an actor


def do_in_cluster(
    jobs: list[Job], settings: Settings, processes: int | None, address: str
) -> Iterator[Outcome]:
    """Does the jobs in a Ray cluster; yields what came of each as it is finished.

    When an actor dies, or its machine, another one starts wherever there is room, and its job is
    done again; files that were complete are kept. A job that has lost three actors has failed.
    Whoever stops iterating stops the actors.

    Args:
        processes: how many actors; by default one for each core of the cluster. Those for which
            there is no core yet begin when there is.
        address: see :func:`jambatalk.batch.ray_cluster.connected`.

    Raises:
        ClusterError: there is no cluster. BatchError: no actor can be started in it, or it has
            nothing to work on.
    """
    with connected(address, processes) as ray:
        jobs, tries = list(jobs), Counter()
        there = ray.cluster_resources()
        gpus = 1 if settings.device.startswith("cuda") else 0
        if there.get("CPU", 0) < 1 or there.get("GPU", 0) < gpus:
            what = "GPU" if gpus else "core"
            raise BatchError(f"The cluster has no {what} to work on.", "Add a machine that has.")
        count = min(processes or int(there["CPU"]), len(jobs))
        # Ray's own retries are used up in the seconds before it knows that a machine is gone.
        remote = ray.remote(num_cpus=1, num_gpus=gpus, max_restarts=0)(Actor)
        running = {}  # what is awaited → the actor, and its job

        def start_actor() -> None:
            actor = remote.remote(settings)
            # It is given a job when it has started: some may never find a core.
            running[actor.ready.remote()] = actor, None

        try:
            for _ in range(count):
                start_actor()
            while jobs or any(job for _, job in running.values()):
                (answer,), _ = ray.wait(list(running))
                actor, job = running.pop(answer)
                outcome, lives = None, True
                try:
                    outcome = ray.get(answer)
                except ray.exceptions.RayTaskError as error:  # it lives, and cannot do it
                    if job is None:
                        raise BatchError(f"No worker can start: {_reason(error)}") from error
                    outcome = Outcome.of_failure(job, _reason(error))
                except ray.exceptions.RayError as error:  # it died
                    lives = False
                    ray.kill(actor)
                    tries[job and job.name] += 1
                    if job is None and tries[None] == TRIES * count:
                        raise BatchError(f"Workers die as they start: {_reason(error)}") from error
                    if job and tries[job.name] == TRIES:
                        why = f"{TRIES} workers died over it, the last so: {_reason(error)}"
                        outcome = Outcome.of_failure(job, why)
                    elif job:
                        jobs.insert(0, job)
                    if jobs:
                        start_actor()
                if lives and jobs:
                    following = jobs.pop(0)
                    running[actor.do.remote(following)] = actor, following
                elif lives:
                    ray.kill(actor)  # its core is free for one that waits to start
                if outcome:
                    yield outcome
        finally:
            for actor, _ in running.values():
                ray.kill(actor)


class Actor(Animator):
    """An :class:`Animator` that says when it is there."""

    def ready(self) -> None:
        """Loads the network."""
        self.talking_head  # noqa: B018  loaded when first asked for


def _reason(error: Exception) -> str:
    """The last line of what Ray says, which is the error itself."""
    return str(error).strip().splitlines()[-1].strip()
