"""What the page counts for its operator, and one log line a job; nothing of what visitors send."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.requests import Request
from starlette.responses import Response

from jambatalk.errors import JambaTalkError, Stopped

log = logging.getLogger(__name__)

BUCKETS = (0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000)  # seconds


class Metrics:
    """Counts jobs by kind ("video", "motion", "files", "phones", "live") and outcome.

    Outcomes: "made"; "refused", with a sentence for the visitor; "stopped" by the visitor; and
    "failed", a defect of the program or of the machine.
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)  # resident memory, processor time, open files
        self._jobs = Counter(
            "jambatalk_jobs", "Jobs that ended.", ["kind", "outcome"], registry=registry
        )
        self._running = Gauge(
            "jambatalk_jobs_running", "Jobs being worked on.", ["kind"], registry=registry
        )
        self._seconds = Histogram(
            "jambatalk_job_seconds",
            "Seconds of work on a job.",
            ["kind"],
            registry=registry,
            buckets=BUCKETS,
        )
        self._waiting = Gauge("jambatalk_queue_length", "Requests that wait.", registry=registry)
        self._unhealthy = Counter(
            "jambatalk_health_failures", "Probes that the engine did not answer.", registry=registry
        )

    def watch_queue(self, length: Callable[[], float]) -> None:
        """Report this length of the queue."""
        self._waiting.set_function(length)

    @contextmanager
    def job(self, kind: str) -> Iterator[None]:
        """Count and log the work in this context, whatever it raises."""
        started, outcome = time.monotonic(), "failed"
        try:
            with self._running.labels(kind).track_inprogress():
                yield
            outcome = "made"
        except Stopped:
            outcome = "stopped"
            raise
        except JambaTalkError:
            outcome = "refused"
            raise
        finally:
            seconds = time.monotonic() - started
            self._jobs.labels(kind, outcome).inc()
            self._seconds.labels(kind).observe(seconds)
            log.info("job=%s outcome=%s seconds=%.2f", kind, outcome, seconds)

    def unhealthy(self) -> None:
        """Count a probe that the engine did not answer."""
        self._unhealthy.inc()

    async def serve(self, _: Request) -> Response:
        """Answer in Prometheus' text format."""
        return Response(
            generate_latest(self.registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4}
        )
