"""Motions and videos for the page, off the event loop; videos one at a time, and cancellable."""

from __future__ import annotations

import asyncio
import errno
import html
import logging
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from threading import Event, Lock

import gradio as gr
from gradio.utils import get_upload_folder

from jambatalk.app.controls import style_title
from jambatalk.app.folder import FULL
from jambatalk.app.lent_gpu import lend_gpu
from jambatalk.app.metrics import Metrics
from jambatalk.app.orders import FAILED, Sentence
from jambatalk.app.settings import Settings, in_words
from jambatalk.app.spoken_moods import kept_moods
from jambatalk.app.visitor import log_failure
from jambatalk.app.work import in_thread, stoppable
from jambatalk.errors import (
    NO_MEMORY,
    ExportError,
    JambaTalkError,
    SpeechError,
    Stopped,
    TooLongError,
    VideoError,
    lacks_memory,
)
from jambatalk.export import export_motion
from jambatalk.export.phones import export_phones
from jambatalk.model.encoder import count_frames
from jambatalk.motion.mood import MOODS
from jambatalk.motion.motion import Motion
from jambatalk.motion.nonverbal import PARTS, Nonverbal
from jambatalk.progress import Progress, no_progress
from jambatalk.render.view import View
from jambatalk.speech import SAMPLE_RATE, Speech
from jambatalk.talking_head import TalkingHead

log = logging.getLogger(__name__)

PHONES = ".TextGrid"  # suffix
LONG = 20.0  # seconds of a recording, whose beginning of this length is predicted first
SMALL = 2  # motions and files at a time, beside a video
SIZE = 512  # pixels, of the videos in which the operator counts


@dataclass(frozen=True)
class VideoRequest:
    """The inputs of one video, see :class:`jambatalk.View` for size to shading.

    A motion alone needs none of these six.
    """

    recording: str  # path of the audio file
    styles: Sequence[str]  # one style for a single head; 2 to 4 for heads side by side
    strength: float
    head: str
    size: int = View.size
    background: str = View.background
    yaw: float = View.yaw
    pitch: float = View.pitch
    zoom: float = View.zoom
    shading: str = View.shading
    nonverbal: Sequence[str] = PARTS  # names of the parts that move
    seed: int = 0  # of the nonverbal motion
    mood: str = MOODS[0]
    intensity: float = 1.0  # of the mood
    exports: Sequence[str] = ()  # suffixes of formats in which the first style's motion is written


def motion_request(
    recording: str,
    styles: str | Sequence[str],
    strength: float,
    head: str,
    nonverbal: Sequence[str],
    seed: int,
    mood: str,
    intensity: float,
) -> VideoRequest:
    """Return the request of a motion alone, in one style or several."""
    return VideoRequest(
        recording,
        [styles] if isinstance(styles, str) else styles,
        strength,
        head,
        nonverbal=nonverbal,
        seed=seed,
        mood=mood,
        intensity=intensity,
    )


class VideoService:
    """Animates the recordings of all clients with one loaded network, one video at a time.

    A video's request is known by its Gradio session hash while it is rendered, so that it is
    cancelled when its client leaves.
    """

    def __init__(self, talking_head: TalkingHead, settings: Settings) -> None:
        self.talking_head, self.settings = talking_head, settings
        self._compare = lend_gpu(talking_head)
        self.metrics = Metrics()
        self._cancelled: dict[str | None, Event] = {}
        self._lock = Lock()
        self._closed = False
        # Neither waits for the other; Live, the probe and voices have their own.
        self._videos = ThreadPoolExecutor(1, "videos")
        self._small = ThreadPoolExecutor(SMALL, "small")

    async def render(
        self, request: VideoRequest, progress: gr.Progress, session: str | None
    ) -> tuple[Path, list[Path | None]]:
        """Render a video and write the exports, in a new folder that Gradio serves and deletes.

        Returns:
            The video, and one path per export, then that of their sound (.wav); None for a format
            that cannot hold the motion.

        Raises:
            gr.Error: whatever went wrong, as a message for the user.
            asyncio.CancelledError: the user pressed Stop; the work has ended and left no file.
        """
        cancelled = self._cancelled[session] = Event()
        report = stoppable(progress, cancelled)
        work = in_thread(self._videos, partial(self._run_exclusively, request, report))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            # A thread cannot be cancelled, so wait until it has stopped: then the next may start.
            cancelled.set()
            await asyncio.wait([work])
            if not work.exception():  # it was finished already
                video, _ = work.result()
                shutil.rmtree(video.parent, ignore_errors=True)
            raise
        finally:
            self._cancelled.pop(session, None)

    async def predict(self, request: VideoRequest) -> list[Motion]:
        """Return the motion of each style, predicted beside whatever is being rendered.

        Raises:
            gr.Error: whatever went wrong, as a message for the user.
        """

        def predict() -> list[Motion]:
            with self._job("motion"):
                return self._predict(request, self._read(request.recording), no_progress)

        return await in_thread(self._small, predict)

    async def predict_beginning(self, request: VideoRequest) -> tuple[list[Motion], int]:
        """Return the beginning of what `predict` returns, and the number of all frames.

        It is predicted within a second, and says what a long recording says while the rest is
        predicted. Of a recording that is not long it is all.

        Raises:
            gr.Error: whatever went wrong, as a message for the user.
        """

        def predict() -> tuple[list[Motion], int]:
            with self._job("motion"):
                speech = self._read(request.recording)
                frames = count_frames(speech.duration, self.talking_head.fps)
                known = frames
                if speech.duration > LONG and self.talking_head.model.config.streamable:
                    speech = replace(speech, samples=speech.samples[: round(LONG * SAMPLE_RATE)])
                    known = int(
                        (LONG - self.talking_head.stream().look_ahead) * self.talking_head.fps
                    )
                motions = self._predict(request, speech, no_progress)
                return [motion.first(known) for motion in motions], frames

        return await in_thread(self._small, predict)

    async def recognise(self, recording: str) -> list[tuple[str, float, float]]:
        """Return the recognised phones: name, start and end in seconds; none of some checkpoints.

        Raises:
            gr.Error: whatever went wrong, as a message for the user.
        """

        def recognise() -> list[tuple[str, float, float]]:
            with self._job("phones"):
                if not self.talking_head.model.config.phones:
                    return []
                phones = self.talking_head.phones(Speech.read(recording, self.settings.max_seconds))
                return [(phone.name, phone.start, phone.end) for phone in phones]

        return await in_thread(self._small, recognise)

    async def export(self, request: VideoRequest) -> list[Path | None]:
        """Write the exports alone, among them PHONES, and return their paths as `render` does.

        Raises:
            gr.Error: whatever went wrong, as a message for the user.
        """

        def write() -> list[Path | None]:
            with self._job("files"):
                speech, path = self._read(request.recording), _new_path(request)
                if PHONES in request.exports and self.talking_head.model.config.phones:
                    export_phones(self.talking_head.phones(speech), path.with_suffix(PHONES))
                if suffixes := [suffix for suffix in request.exports if suffix != PHONES]:
                    motion = self._predict(request, speech, no_progress)[0]
                    _write_exports(motion, speech, path, suffixes)
                return _existing(path, request.exports)

        return await in_thread(self._small, write)

    @contextmanager
    def _job(self, kind: str) -> Iterator[None]:
        """Count the work in this context, and turn every exception into a message."""
        with messages(), self.metrics.job(kind):
            yield

    def _run_exclusively(
        self, request: VideoRequest, progress: Progress
    ) -> tuple[Path, list[Path | None]]:
        """Render under the lock and turn every exception into a message."""
        with self._lock, self._job("video"):
            if self._closed:
                raise Stopped("The page is being closed.")
            return self._render(request, progress)

    def _render(self, request: VideoRequest, progress: Progress) -> tuple[Path, list[Path | None]]:
        view = View(**{field.name: getattr(request, field.name) for field in fields(View)})
        speech = self._read(request.recording)
        self._check_work(speech.duration, len(request.styles), view.size)
        motions = self._predict(request, speech, progress)
        captions = [style_title(style).removeprefix("Captured: ") for style in request.styles]
        path = _new_path(request)
        try:
            self.talking_head.video(motions, speech, path, view, captions, progress)
            progress("Exporting", 1.0)
            _write_exports(motions[0], speech, path, request.exports)
        except BaseException:
            shutil.rmtree(path.parent)
            raise
        return path, _existing(path, request.exports)

    def _check_work(self, seconds: float, styles: int, size: int) -> None:
        most = self.settings.max_work
        work = styles * (size / SIZE) ** 2
        if seconds * work > most:
            raise VideoError(
                f"This video is {seconds * work / most:.1f} times as large as is possible here"
                f" ({seconds:.0f} s, styles: {styles}, pixels: {size}).",
                f"Choose at most {most / work:.0f} s of it, fewer styles, or a smaller size.",
            )

    def _read(self, recording: str) -> Speech:
        most = self.settings.max_seconds
        try:
            speech = Speech.read(recording, most)
        except TooLongError as error:
            raise SpeechError(
                f"This recording is too long; here {in_words(most)} are possible.",
                "Cut it with the scissors under the voice.",
            ) from error
        if speech.is_silent:
            gr.Warning("This recording is silent, so the face stays at rest. Check the microphone.")
        return speech

    def _predict(self, request: VideoRequest, speech: Speech, progress: Progress) -> list[Motion]:
        return self._compare(
            speech,
            request.styles,
            request.strength,
            request.head,
            nonverbal=Nonverbal.of(request.nonverbal),
            seed=request.seed,
            progress=progress,
            mood=kept_moods(request.recording) or {request.mood: request.intensity},
        )

    def cancel(self, session: str | None) -> None:
        """Cancel the video of a client that has left."""
        if cancelled := self._cancelled.get(session):
            cancelled.set()

    def close(self) -> None:
        """Cancel the work in progress, wait for its end, and refuse further requests."""
        self._closed = True
        for cancelled in list(self._cancelled.values()):
            cancelled.set()
        with self._lock:
            return


def _new_path(request: VideoRequest) -> Path:
    """Return the path of the video, in a new folder that Gradio serves and deletes."""
    name = "-".join(["jambatalk", request.head, *request.styles])
    return new_folder() / f"{name}.mp4"


def new_folder() -> Path:
    """Create a folder that Gradio serves and deletes."""
    served = Path(get_upload_folder())
    served.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=served))


def _write_exports(motion: Motion, speech: Speech, video: Path, suffixes: Sequence[str]) -> None:
    for suffix in suffixes:
        try:
            export_motion(motion, video.with_suffix(suffix), speech=speech)
        except ExportError as error:
            log.info("%s", error)


def _existing(video: Path, suffixes: Sequence[str]) -> list[Path | None]:
    paths = [video.with_suffix(suffix) for suffix in (*suffixes, ".wav")]
    return [path if path.exists() else None for path in paths]


def zip_files(files: Sequence[Path]) -> Path:
    """Write files to a .zip beside the first, and return it."""
    path = files[0].with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for file in files:
            archive.write(file, file.name)
    return path


@contextmanager
def messages() -> Iterator[None]:
    """Turn every exception into a message for the user."""
    try:
        yield
    except JambaTalkError as error:
        raise _message(str(error)) from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _message(FULL) from error
        if lacks_memory(error):
            raise _message(NO_MEMORY) from error
        log_failure(log, "The page could not animate a recording", error)
        raise _message(FAILED) from error


def _message(text: str) -> gr.Error:
    # Messages are shown as HTML, and may quote file names of the client.
    return Sentence(html.escape(text, quote=False))
