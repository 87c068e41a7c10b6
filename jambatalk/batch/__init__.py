"""Batches: every recording of a folder animated on all cores, or in a Ray cluster."""

from __future__ import annotations

from collections.abc import Generator

from jambatalk.batch.batch_report import Report
from jambatalk.batch.job_runner import Outcome
from jambatalk.batch.jobs import Job, Settings, plan

__all__ = ["Job", "Outcome", "Report", "Settings", "plan", "run"]


def run(
    jobs: list[Job], settings: Settings, processes: int | None = None, ray: str | None = None
) -> Generator[Outcome]:
    """Run the jobs of :func:`plan`; yield the outcome of each, those already complete first.

    Args:
        processes: number of jobs at a time; see the functions below for the default.
        ray: address of a Ray cluster, see :func:`jambatalk.batch.ray_workers.run_in_cluster`; None
            for this machine, see :func:`jambatalk.batch.local_workers.run_locally`.
    """
    remaining = []
    for job in jobs:
        if job.fault:
            yield Outcome(job.name, failed={job.name: job.fault})
        elif job.missing():
            remaining.append(job)
        else:
            yield Outcome(job.name, kept=tuple(output.path.name for output in job.outputs))
    # The largest first, so that no worker is left with a long job while the others are idle.
    remaining.sort(key=lambda job: job.size, reverse=True)
    if not remaining:
        return
    if ray:
        from jambatalk.batch.ray_workers import run_in_cluster

        yield from run_in_cluster(remaining, settings, processes, ray)
    else:
        from jambatalk.batch.local_workers import run_locally

        yield from run_locally(remaining, settings, processes)
