"""Motions and videos for the page, off the event loop; videos one at a time, and cancellable."""

from __future__ import annotations

import asyncio
import errno
import html
import logging
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Event, Lock

import gradio as gr
from gradio.utils import get_upload_folder

from jambatalk.app.controls import style_title
from jambatalk.app.folder import FULL
from jambatalk.app.languages import translate
from jambatalk.app.metrics import Metrics
from jambatalk.app.orders import FAILED, Sentence
from jambatalk.app.predictions import Predictions
from jambatalk.app.settings import Settings
from jambatalk.app.video_request import VideoRequest
from jambatalk.app.visitor import log_failure
from jambatalk.app.work import in_thread, stoppable
from jambatalk.errors import (
    NO_MEMORY,
    ExportError,
    JambaTalkError,
    Stopped,
    VideoError,
    lacks_memory,
)
from jambatalk.export import export_motion
from jambatalk.export.phones import export_phones
from jambatalk.motion.motion import Motion
from jambatalk.progress import Progress
from jambatalk.render.clip_grid import can_write
from jambatalk.speech import Speech
from jambatalk.talking_head import TalkingHead

log = logging.getLogger(__name__)

PHONES = ".TextGrid"  # suffix
SMALL = 2  # motions and files at a time, beside a video
SIZE = 512  # pixels, of the videos in which the operator counts


class VideoService:
    """Animates the recordings of all clients with one loaded network, one video at a time.

    A video's request is known by its Gradio session hash while it is rendered, so that it is
    cancelled when its client leaves.
    """

    def __init__(self, talking_head: TalkingHead, settings: Settings) -> None:
        self.talking_head, self.settings = talking_head, settings
        self.predictions = Predictions(talking_head, settings.max_seconds)
        self.metrics = Metrics()
        self._cancelled: dict[str | None, Event] = {}
        self._lock = Lock()
        self._closed = False
        # Neither waits for the other; Live, the probe and voices have their own.
        self._videos = ThreadPoolExecutor(1, "videos")
        self._small = ThreadPoolExecutor(SMALL, "small")

    async def render(
        self, request: VideoRequest, progress: gr.Progress
    ) -> tuple[Path, list[Path | None]]:
        """Render a video and write the exports, in a new folder that Gradio serves and deletes.

        The same request of the same session gives the same files, as long as they are kept.

        Returns:
            The video, and one path per export, then that of their sound (.wav); None for a format
            that cannot hold the motion.

        Raises:
            gr.Error: whatever went wrong, as a message for the user.
            asyncio.CancelledError: the user pressed Stop; the work has ended and left no file.
        """
        if made := self._made(request):
            with self._job("video"):
                return made
        cancelled = self._cancelled[request.session] = Event()
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
            self._cancelled.pop(request.session, None)

    async def predict(self, request: VideoRequest) -> list[Motion]:
        """Return the motion of each head, predicted beside whatever is being rendered.

        Raises:
            gr.Error: whatever went wrong, as a message for the user.
        """

        def predict() -> list[Motion]:
            with self._job("motion"):
                return self.predictions.motions(request)

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
                return self.predictions.beginning(request)

        return await in_thread(self._small, predict)

    async def recognise(self, request: VideoRequest) -> list[tuple[str, float, float]]:
        """Return the recognised phones: name, start and end in seconds; none of some checkpoints.

        Raises:
            gr.Error: whatever went wrong, as a message for the user.
        """

        def recognise() -> list[tuple[str, float, float]]:
            with self._job("phones"):
                phones = self.predictions.phones(request)
                return [(phone.name, phone.start, phone.end) for phone in phones]

        return await in_thread(self._small, recognise)

    async def export(self, request: VideoRequest) -> list[Path | None]:
        """Write the exports alone, among them PHONES, and return their paths as `render` does.

        Raises:
            gr.Error: whatever went wrong, as a message for the user.
        """

        def write() -> list[Path | None]:
            with self._job("files"):
                speech, path = self.predictions.read(request), _new_path(request)
                if PHONES in request.exports and (phones := self.predictions.phones(request)):
                    export_phones(phones, path.with_suffix(PHONES))
                if suffixes := [suffix for suffix in request.exports if suffix != PHONES]:
                    motion = self.predictions.motions(request)[0]
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
        view, speech = request.view, self.predictions.read(request)
        self._check_work(speech.duration, len(request.heads), view.size)
        motions = self.predictions.motions(request, progress)
        captions = [caption(style, request.language) for style in request.heads]
        path = _new_path(request)
        try:
            self.talking_head.video(motions, speech, path, view, captions, progress)
            progress("Exporting", 1.0)
            _write_exports(motions[0], speech, path, request.exports)
        except BaseException:
            shutil.rmtree(path.parent)
            raise
        made = path, _existing(path, request.exports)
        self.predictions.recent.keep(request.session, request.recording, request.video(), made, 0)
        return made

    def _made(self, request: VideoRequest) -> tuple[Path, list[Path | None]] | None:
        """Return what was rendered before, if it is still there; it is kept as long again."""
        recent = self.predictions.recent
        made = recent.find(request.session, request.recording, request.video())
        try:
            if made:
                os.utime(made[0])
        except FileNotFoundError:
            return None
        return made

    def _check_work(self, seconds: float, styles: int, size: int) -> None:
        most = self.settings.max_work
        work = styles * (size / SIZE) ** 2
        if seconds * work > most:
            raise VideoError(
                f"This video is {seconds * work / most:.1f} times as large as is possible here"
                f" ({seconds:.0f} s, styles: {styles}, pixels: {size}).",
                f"Choose at most {most / work:.0f} s of it, fewer styles, or a smaller size.",
            )

    def cancel(self, session: str | None) -> None:
        """Cancel the video of a client that has left."""
        if cancelled := self._cancelled.get(session):
            cancelled.set()

    def forget(self, session: str | None) -> None:
        """Cancel the video of a session that has ended, and drop what was kept for it."""
        self.cancel(session)
        self.predictions.recent.forget(session)

    def close(self) -> None:
        """Cancel the work in progress, wait for its end, and refuse further requests."""
        self._closed = True
        for cancelled in list(self._cancelled.values()):
            cancelled.set()
        with self._lock:
            return


def caption(style: str, language: str) -> str:
    """Return a style's title in a language; in English where there is no font for it."""
    title = style_title(style)
    translated = translate(title, language)
    return translated if can_write(translated) else title


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
