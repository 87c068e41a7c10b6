"""Running one job, on this machine as in a cluster."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from jambatalk.batch.jobs import VIDEO, Job, Output, Settings
from jambatalk.errors import NO_MEMORY, JambaTalkError, Stopped, lacks_memory
from jambatalk.export import export_motion
from jambatalk.motion.motion import Motion
from jambatalk.progress import Progress, no_progress
from jambatalk.render.worker_pool import limit_workers
from jambatalk.speech import Speech
from jambatalk.talking_head import TalkingHead

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """The result of a job.

    Attributes:
        name: of the job.
        made: names of the files written now. kept: of those that were complete before.
        failed: file name → why it could not be written.
        speech_seconds: length of the recording, 0 if it was not read.
        seconds: duration of the job.
        worker: HOST:PID of the process.
    """

    name: str
    made: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)
    speech_seconds: float = 0.0
    seconds: float = 0.0
    worker: str = ""

    @classmethod
    def of_failure(cls, job: Job, reason: str, worker: str = "") -> Outcome:
        """Describe a job that was aborted; the files that it completed before are kept."""
        missing = job.missing()
        failed = {output.path.name: reason for output in missing}
        return cls(job.name, kept=_others(job, missing), failed=failed, worker=worker)


class JobRunner:
    """Run one job after the other with one network, which is loaded for the first of them.

    Args:
        render_workers: how many processes draw at most.
    """

    def __init__(self, settings: Settings, render_workers: int = 1) -> None:
        self.settings = settings
        limit_workers(render_workers)

    @cached_property
    def talking_head(self) -> TalkingHead:
        """The network, with own styles, and its heads."""
        settings = self.settings
        talking_head = TalkingHead.from_pretrained(settings.checkpoint, settings.device)
        for path in settings.own_styles:
            talking_head.add_style(path)
        return talking_head

    def run(self, job: Job, progress: Progress = no_progress) -> Outcome:
        """Write the missing files of a job. Errors are part of the outcome.

        Raises:
            Stopped: raised by `progress`; the files completed before are kept.
        """
        started, missing = time.perf_counter(), job.missing()
        failed: dict[str, str] = {}
        seconds = 0.0
        with _errors_noted(failed, job, missing):
            speech = Speech.read(job.recording, self.settings.max_seconds)
            seconds = speech.duration
            motions = self._motions(speech, missing, progress)
            for output in missing:
                with _errors_noted(failed, job, [output]):
                    self._write(output, motions[output.style], speech, progress)
                    job.mark_complete(output)
        return Outcome(
            name=job.name,
            made=tuple(output.path.name for output in missing if output.path.name not in failed),
            kept=_others(job, missing),
            failed=failed,
            speech_seconds=seconds,
            seconds=time.perf_counter() - started,
            worker=f"{socket.gethostname()}:{os.getpid()}",
        )

    def _motions(
        self, speech: Speech, missing: list[Output], progress: Progress
    ) -> dict[str, Motion]:
        """Return style → motion."""
        styles, settings = list(dict.fromkeys(output.style for output in missing)), self.settings
        motions = self.talking_head.compare(
            speech,
            styles,
            settings.strength,
            settings.head,
            nonverbal=settings.nonverbal,
            seed=settings.seed,
            progress=progress,
            mood=settings.mood,
        )
        return dict(zip(styles, motions, strict=True))

    def _write(self, output: Output, motion: Motion, speech: Speech, progress: Progress) -> None:
        if output.path.suffix == VIDEO:
            view = self.settings.view
            self.talking_head.video(motion, speech, output.path, view, progress=progress)
        else:
            export_motion(motion, output.path, fps=self.settings.fps)


def _others(job: Job, outputs: list[Output]) -> tuple[str, ...]:
    """Return the names of the job's other files."""
    return tuple(output.path.name for output in job.outputs if output not in outputs)


@contextmanager
def _errors_noted(failed: dict[str, str], job: Job, outputs: list[Output]) -> Iterator[None]:
    """Note any error as the reason why the outputs are missing; log those that are not ours."""
    try:
        yield
    except Stopped:
        raise
    except Exception as error:
        if isinstance(error, JambaTalkError):
            reason = str(error)
        elif lacks_memory(error):
            reason = NO_MEMORY
        else:
            log.exception("'%s' failed unexpectedly.", job.name)
            reason = f"Unexpected error: {type(error).__name__}: {error}. The log says where."
        failed |= {output.path.name: reason for output in outputs}
