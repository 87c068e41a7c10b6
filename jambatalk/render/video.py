"""Motions of a face as an MP4 with the sound in it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from jambatalk.errors import VideoError
from jambatalk.motion.motion import Motion
from jambatalk.progress import Progress, no_progress
from jambatalk.render.clip_grid import grid_size, side_by_side
from jambatalk.render.frames import draw_frames
from jambatalk.render.mp4 import write_video
from jambatalk.render.view import View
from jambatalk.speech import Speech


def draw_video(
    motions: Sequence[Motion],
    speech: Speech | None,
    path: str | Path,
    view: View | None = None,
    captions: Sequence[str] = (),
    progress: Progress = no_progress,
) -> Path:
    """Draw one to four motions of the same speech into one MP4 with its sound; return its path.

    Several motions, of equal length, are shown side by side at the frame rate of the first.

    Args:
        speech: provides the sound; None for a silent video.
        captions: one for each of several motions.

    Raises:
        RenderError: no offscreen OpenGL. VideoError: the file cannot be written.
        Stopped: raised by `progress`; no file is left behind.
    """
    if not motions:
        raise VideoError("There is no motion to draw.", "Give one to four motions.")
    view = view or View()
    progress("Rendering", 0.0)
    motions = [_at_rate_of(motions[0], motion) for motion in motions]
    with ExitStack() as stack:  # frees the clips at once, also after an error
        streams = [
            stack.enter_context(closing(draw_frames(motion.face, motion.frames(), view)))
            for motion in motions
        ]
        alone = len(streams) == 1
        return write_video(
            path,
            streams[0] if alone else side_by_side(streams, captions or [""] * len(streams)),
            fps=motions[0].fps,
            size=(view.size, view.size) if alone else grid_size(len(streams), view.size),
            frame_count=len(motions[0]),
            speech=speech,
            progress=progress,
        )


def _at_rate_of(first: Motion, motion: Motion) -> Motion:
    """Resample to the frame rate of the first motion, and to its length if they differ by less than
    a frame."""
    if motion.fps == first.fps:
        return motion
    alike = abs(motion.duration - first.duration) <= 1 / min(motion.fps, first.fps)
    return motion.resampled(first.fps, len(first) if alike else None)
