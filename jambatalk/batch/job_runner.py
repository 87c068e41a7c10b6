"""Doing one job: the same on this machine and in a cluster."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from jambatalk.batch.jobs import VIDEO, Job, Output, Settings
from jambatalk.errors import JambaTalkError, Stopped
from jambatalk.export import export_motion
from jambatalk.motion.motion import Motion
from jambatalk.progress import Progress, no_progress
from jambatalk.render.worker_pool import limit_workers
from jambatalk.speech import Speech
from jambatalk.talking_head import TalkingHead


@dataclass(frozen=True)
class Outcome:
    """What came of a job.

    Attributes:
        name: of the job.
        made: names of the files made now. kept: of those that were complete before.
        failed: name of a file → why it could not be made.
        speech_seconds: length of the recording, 0 if it was not read.
        seconds: how long it took.
        worker: the machine's name and the process's number.
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
        """The job could not be finished; what it had made before that is complete."""
        missing = job.missing()
        failed = {output.path.name: reason for output in missing}
        return cls(job.name, kept=_others(job, missing), failed=failed, worker=worker)


class Animator:
    """Does jobs one after the other with one network, which is loaded for the first of them.

    Args:
        drawers: how many processes draw for it.
    """

    def __init__(self, settings: Settings, drawers: int = 1) -> None:
        self.settings = settings
        limit_workers(drawers)

    @cached_property
    def talking_head(self) -> TalkingHead:
        """The network."""
        return TalkingHead.from_pretrained(self.settings.checkpoint, self.settings.device)

    def do(self, job: Job, progress: Progress = no_progress) -> Outcome:
        """Makes what is missing. Whatever is wrong with one recording or file is in the outcome.

        Raises:
            Stopped: by `progress`; the file under way is not there, those before it are.
        """
        started, missing = time.perf_counter(), job.missing()
        failed, seconds = {}, 0.0
        shutil.rmtree(job.workplace, ignore_errors=True)  # left by one that died
        try:
            with _noted(failed, missing):
                job.workplace.mkdir(parents=True)
                speech = Speech.read(job.recording, self.settings.max_seconds)
                seconds = speech.duration
                motions = self._motions(speech, missing, progress)
                for output in missing:
                    with _noted(failed, [output]):
                        self._make(output, motions[output.style], speech, job, progress)
        finally:
            shutil.rmtree(job.workplace, ignore_errors=True)
        return Outcome(
            job.name,
            tuple(output.path.name for output in missing if output.path.name not in failed),
            _others(job, missing),
            failed,
            seconds,
            time.perf_counter() - started,
            f"{socket.gethostname()}:{os.getpid()}",
        )

    def _motions(
        self, speech: Speech, missing: list[Output], progress: Progress
    ) -> dict[str, Motion]:
        """Style → motion."""
        styles, settings = list(dict.fromkeys(output.style for output in missing)), self.settings
        motions = self.talking_head.compare(
            speech,
            styles,
            settings.strength,
            settings.head,
            nonverbal=settings.nonverbal,
            seed=settings.seed,
            progress=progress,
        )
        return dict(zip(styles, motions, strict=True))

    def _make(
        self, output: Output, motion: Motion, speech: Speech, job: Job, progress: Progress
    ) -> None:
        unfinished = job.workplace / output.path.name
        if output.path.suffix == VIDEO:
            view = self.settings.view
            self.talking_head.video([motion], speech, unfinished, view, progress=progress)
        else:
            export_motion(motion, unfinished)
        output.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.replace(output.path)
        job.record(output)


def _others(job: Job, outputs: list[Output]) -> tuple[str, ...]:
    """Names of the job's files without these."""
    return tuple(output.path.name for output in job.outputs if output not in outputs)


@contextmanager
def _noted(failed: dict[str, str], outputs: list[Output]) -> Iterator[None]:
    """Whatever goes wrong within is noted as the reason why these are missing."""
    try:
        yield
    except Stopped:
        raise
    except Exception as error:
        known = isinstance(error, JambaTalkError)
        reason = str(error) if known else f"{type(error).__name__}: {error}"
        failed |= {output.path.name: reason for output in outputs}
