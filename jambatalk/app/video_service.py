"""Videos for the page: rendered one at a time, off the event loop, and cancellable."""

from __future__ import annotations

import asyncio
import html
import logging
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock

import gradio as gr
from gradio.utils import get_upload_folder

from jambatalk.app.controls import style_title
from jambatalk.errors import ExportError, JambaTalkError, Stopped
from jambatalk.export import export_motion
from jambatalk.motion.motion import Motion
from jambatalk.motion.nonverbal import PARTS, Nonverbal
from jambatalk.progress import Progress
from jambatalk.render.view import View
from jambatalk.speech import Speech
from jambatalk.talking_head import TalkingHead

log = logging.getLogger(__name__)

MAX_ECHO = 80  # characters of a quoted value in an error message


@dataclass(frozen=True)
class VideoRequest:
    """The inputs of one video, see :class:`jambatalk.View` for size to shading."""

    recording: str  # path of the audio file
    styles: Sequence[str]  # one style for a single head; 2 to 4 for heads side by side
    strength: float
    head: str
    size: int
    background: str
    yaw: float
    shading: str
    nonverbal: Sequence[str] = PARTS  # names of the parts that move
    seed: int = 0  # of the nonverbal motion
    exports: Sequence[str] = ()  # suffixes of formats in which the first style's motion is written


class VideoService:
    """Renders the videos of all clients with one loaded network, one at a time.

    A request is known by its Gradio session hash while it is rendered, so that it is cancelled when
    its client leaves.
    """

    def __init__(self, talking_head: TalkingHead) -> None:
        self.talking_head = talking_head
        self._cancelled: dict[str | None, Event] = {}
        self._lock = Lock()
        self._closed = False

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

        def report(stage: str, done: float) -> None:
            if cancelled.is_set():
                raise Stopped("Stopped.")
            progress(done, desc=stage)

        work = asyncio.create_task(asyncio.to_thread(self._run_exclusively, request, report))
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

    def _run_exclusively(
        self, request: VideoRequest, progress: Progress
    ) -> tuple[Path, list[Path | None]]:
        """Render under the lock and turn every exception into a message."""
        try:
            with self._lock:
                if self._closed:
                    raise Stopped("The page is being closed.")
                return self._render(request, progress)
        except JambaTalkError as error:
            raise _message(str(error)) from error
        except Exception as error:
            log.exception("The page could not render a video")
            raise _message(
                "Something went wrong on this server; your recording is not the cause. Try again."
            ) from error

    def _render(self, request: VideoRequest, progress: Progress) -> tuple[Path, list[Path | None]]:
        view = View(request.size, request.background, request.yaw, request.shading)
        nonverbal = Nonverbal.of(request.nonverbal)
        speech = Speech.read(request.recording)
        if speech.is_silent:
            gr.Warning("This recording is silent, so the face stays at rest. Check the microphone.")
        motions = self.talking_head.compare(
            speech,
            request.styles,
            request.strength,
            request.head,
            nonverbal=nonverbal,
            seed=request.seed,
            progress=progress,
        )
        captions = [style_title(style).removeprefix("Captured: ") for style in request.styles]
        served = Path(get_upload_folder())
        served.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=served))
        path = folder / f"{'-'.join(['jambatalk', request.head, *request.styles])}.mp4"
        try:
            self.talking_head.video(motions, speech, path, view, captions, progress)
            progress("Exporting", 1.0)
            exports = _write_exports(motions[0], speech, path, request.exports)
        except BaseException:
            shutil.rmtree(folder)
            raise
        return path, exports

    def cancel(self, request: gr.Request) -> None:
        """Cancel the work of a client that has closed the page."""
        if cancelled := self._cancelled.get(request.session_hash):
            cancelled.set()

    def close(self) -> None:
        """Cancel the work in progress, wait for its end, and refuse further requests."""
        self._closed = True
        for cancelled in list(self._cancelled.values()):
            cancelled.set()
        with self._lock:
            return


def _write_exports(
    motion: Motion, speech: Speech, video: Path, suffixes: Sequence[str]
) -> list[Path | None]:
    for suffix in suffixes:
        try:
            export_motion(motion, video.with_suffix(suffix), speech=speech)
        except ExportError as error:
            log.info("%s", error)
    paths = [video.with_suffix(suffix) for suffix in (*suffixes, ".wav")]
    return [path if path.exists() else None for path in paths]


def _message(text: str) -> gr.Error:
    short = re.sub(rf"'([^']{{{MAX_ECHO}}})[^']+'", r"'\1…'", text)
    # Messages are shown as HTML, and may quote file names of the client.
    return gr.Error(html.escape(short, quote=False), print_exception=False)
