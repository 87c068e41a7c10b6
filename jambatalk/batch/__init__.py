"""Many recordings at once: a list of jobs, a way to do one, and two ways to share them out."""

from __future__ import annotations

from collections.abc import Iterator

from jambatalk.batch.batch_report import Report
from jambatalk.batch.job_runner import Outcome
from jambatalk.batch.jobs import Job, Settings, plan

__all__ = ["Job", "Outcome", "Report", "Settings", "plan", "run"]


def run(
    jobs: list[Job], settings: Settings, processes: int | None = None, ray: str | None = None
) -> Iterator[Outcome]:
    """Does what :func:`plan` found; yields what came of each job, first of those that are complete.

    Args:
        processes: how many work at a time; one a core by default.
        ray: the address of a Ray cluster, see :mod:`jambatalk.batch.ray_jobs`; None for this
            machine alone.
    """
    todo = []
    for job in jobs:
        if job.missing():
            todo.append(job)
        else:
            yield Outcome(job.name, kept=tuple(output.path.name for output in job.outputs))
    # The largest first: none is left to one worker while the others have nothing to do.
    todo.sort(key=lambda job: job.size, reverse=True)
    if not todo:
        return
    if ray:
        from jambatalk.batch.ray_jobs import do_in_cluster

        yield from do_in_cluster(todo, settings, processes, ray)
    else:
        from jambatalk.batch.local_workers import do_locally

        yield from do_locally(todo, settings, processes)
