"""Where a visitor's video is made: off the event loop, stoppable, its errors put into words."""

from __future__ import annotations

import asyncio
import html
import logging
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock
from typing import TypeVar

import gradio as gr
from gradio.utils import get_upload_folder

from jambatalk import Motion, Nonverbal, Speech, TalkingHead, View
from jambatalk.errors import ExportError, JambaTalkError, Stopped
from jambatalk.export import export_motion
from jambatalk.motion.nonverbal import PARTS
from jambatalk.progress import Progress

log = logging.getLogger(__name__)
Result = TypeVar("Result")

ONE_AT_A_TIME = {"concurrency_limit": 1, "concurrency_id": "studio"}  # whichever tab asks


@dataclass(frozen=True)
class Order:
    """What a visitor asks for.

    Attributes:
        recording: the file to speak from.
        styles: one for a single head; 2 to 4 stand side by side.
        strength: of the styles.
        head: its name.
        size, background, yaw, shading: see :class:`jambatalk.View`.
        nonverbal: names of the parts of :class:`jambatalk.Nonverbal` that move.
        seed: of how they do.
        exports: suffixes in which the first style's motion is wanted too.
    """

    recording: str
    styles: Sequence[str]
    strength: float
    head: str
    size: int
    background: str
    yaw: float
    shading: str
    nonverbal: Sequence[str] = PARTS
    seed: int = 0
    exports: Sequence[str] = ()

    @property
    def view(self) -> View:
        """How the head is looked at."""
        return View(self.size, self.background, self.yaw, self.shading)


class Studio:
    """Makes one video after the other with one loaded network.

    It keeps nothing of what visitors give: of those at work it knows the session alone, to stop
    for one who has left.
    """

    def __init__(self, talking_head: TalkingHead) -> None:
        self.talking_head = talking_head
        self._stops: dict[str | None, Event] = {}
        self._desk = Lock()
        self._closed = False

    async def make(
        self, order: Order, progress: gr.Progress, session: str | None
    ) -> tuple[Path, list[Path | None]]:
        """The video, and the exports; None for one whose format cannot hold the motion.

        They lie in a folder of their own, from where Gradio serves and in time deletes them.

        Raises:
            gr.Error: anything that went wrong, in words for the visitor.
            asyncio.CancelledError: Stop was pressed; the work has ended and left no file.
        """
        stop = self._stops[session] = Event()

        def report(stage: str, done: float) -> None:
            if stop.is_set():
                raise Stopped("Stopped.")
            progress(done, desc=stage)

        work = asyncio.create_task(
            asyncio.to_thread(self._at_desk, lambda: self._make(order, report))
        )
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            # A thread cannot be cancelled. The next visitor's turn comes when it has stopped.
            stop.set()
            await asyncio.wait([work])
            if not work.exception():  # it was done already
                video, _ = work.result()
                shutil.rmtree(video.parent, ignore_errors=True)
            raise
        finally:
            self._stops.pop(session, None)

    def _at_desk(self, work: Callable[[], Result]) -> Result:
        """Does the work, alone; whatever goes wrong becomes a message without a traceback."""
        try:
            with self._desk:
                if self._closed:
                    raise Stopped("The page is being closed.")
                return work()
        except JambaTalkError as error:
            raise _message(str(error)) from error
        except Exception as error:
            log.exception("The page could not make a video")
            raise _message(
                "Something went wrong here, and it is not your recording. Try again."
            ) from error

    def _make(self, order: Order, progress: Progress) -> tuple[Path, list[Path | None]]:
        view, nonverbal = order.view, Nonverbal.of(order.nonverbal)
        speech = Speech.read(order.recording)
        if speech.is_silent:
            gr.Warning(
                "Nothing is heard in this recording, so the face rests. Check the microphone."
            )
        motions = self.talking_head.compare(
            speech,
            order.styles,
            order.strength,
            order.head,
            nonverbal=nonverbal,
            seed=order.seed,
            progress=progress,
        )
        folder = Path(tempfile.mkdtemp(dir=_served_folder()))
        name = "-".join(["jambatalk", order.head, *order.styles])
        captions = order.styles if len(motions) > 1 else ()
        try:
            video = self.talking_head.video(
                motions, speech, folder / f"{name}.mp4", view, captions, progress
            )
            progress("Exporting", 1.0)
            exports = [_export(motions[0], video.with_suffix(suffix)) for suffix in order.exports]
        except BaseException:
            shutil.rmtree(folder)
            raise
        return video, exports

    def leave(self, request: gr.Request) -> None:
        """The visitor has closed the page: nobody waits for the video any more."""
        if stop := self._stops.get(request.session_hash):
            stop.set()

    def close(self) -> None:
        """Stops whatever is being made, waits for its end, and takes no more orders."""
        self._closed = True
        for stop in list(self._stops.values()):
            stop.set()
        with self._desk:
            return


def _export(motion: Motion, path: Path) -> Path | None:
    try:
        return export_motion(motion, path)
    except ExportError as error:
        log.info("%s", error)
        return None


def _served_folder() -> Path:
    folder = Path(get_upload_folder())
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _message(words: str) -> gr.Error:
    # Messages are shown as HTML, and file names are the visitor's.
    return gr.Error(html.escape(words, quote=False), print_exception=False)
