"""MP4 files: H.264 frames and AAC sound, muxed by one ffmpeg process."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import IO

import numpy as np

from jambatalk.errors import VideoError, how_it_ended
from jambatalk.files.ffmpeg import (
    INPUT_LIMITS,
    INSTALL,
    MAX_ALLOC,
    explain,
    ffmpeg_path,
    ffmpeg_program,
)
from jambatalk.files.unfinished import scratch_folder, whole_file
from jambatalk.progress import Progress, no_progress
from jambatalk.render.watchdog import Watchdog
from jambatalk.speech import SAMPLE_RATE, Speech

FRAMES_PER_REPORT = 10
PIPE_BYTES = 1 << 20  # Linux's maximum; its default of 64 kB wakes ffmpeg far too often
STALL_SECONDS = 120.0  # in which ffmpeg must take a frame, or finish the file
MAX_MESSAGES = 1 << 20  # bytes of ffmpeg's that are read
COLOR_TAGS = "setparams=color_primaries=bt709:color_trc=bt709"


def write_video(
    path: str | Path,
    frames: Iterable[np.ndarray],
    *,
    fps: float,
    size: tuple[int, int],
    frame_count: int,
    speech: Speech | None,
    progress: Progress = no_progress,
) -> Path:
    """Write an MP4 that browsers play: H.264 in yuv420p, AAC, index at the front.

    The sound starts with the first frame and is cut, or padded with silence, to the length of the
    frames. The same frames and speech give the same bytes. The file is written under a temporary
    name, which is removed if anything fails.

    Args:
        path: ends in ".mp4"; missing folders are created.
        frames: (height, width, 3) uint8 RGB each, top row first.
        fps: frames a second.
        size: width and height in pixels, even.
        frame_count: number of frames.
        speech: its recording, in original quality, is the sound; None for a silent video.
        progress: called with "Rendering" and the part done.

    Returns:
        `path`.

    Raises:
        VideoError: the file cannot be written, the frames do not match the arguments, or ffmpeg
            failed.
        Stopped: raised by `progress`.
    """
    path = Path(path)
    if min(size) < 2 or size[0] % 2 or size[1] % 2:
        raise VideoError(f"A video cannot be {size[0]} by {size[1]}.", "Give two even numbers.")
    if frame_count < 1 or not 0 < fps < 1000:
        raise VideoError(f"A video cannot have {frame_count} frames at {fps:g} a second.")
    if path.suffix.lower() != ".mp4":
        raise VideoError(f"'{path}' is not a name for a video.", "End it with .mp4.")
    with whole_file(path, VideoError) as unfinished, scratch_folder(VideoError) as folder:
        sound = _sound_file(speech, folder)
        command = _command(unfinished, sound, fps, size, frame_count)
        frames = _validated(frames, size, frame_count, progress)
        _encode(command, frames, folder / "ffmpeg.log")
    return path


def _sound_file(speech: Speech | None, folder: Path) -> Path | None:
    """Return the file with the sound; write it to `folder` if the recording is gone."""
    if speech is None:
        return None
    if speech.source is not None and speech.source.is_file():
        return speech.source
    from scipy.io import wavfile

    path = folder / "speech.wav"
    wavfile.write(path, SAMPLE_RATE, speech.samples)
    return path


def _command(
    target: Path, sound: Path | None, fps: float, size: tuple[int, int], frame_count: int
) -> list[str]:
    rate = Fraction(fps).limit_denominator(1001)  # 29.97 is 30000/1001
    # fmt: off
    command = [
        ffmpeg_program(VideoError), "-y", "-v", "error", "-nostdin", *MAX_ALLOC,
        "-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", f"{size[0]}x{size[1]}",
        "-framerate", str(rate), "-i", "pipe:0",
    ]
    if sound is not None:
        command += [
            *INPUT_LIMITS, "-i", ffmpeg_path(sound),
            "-map", "0:v", "-map", "1:a:0", "-c:a", "aac", "-b:a", "160k", "-ar", "48000",
            # From the first sample, whatever the recorder's clock, as the encoder gets it; then
            # endless silence, which -t cuts.
            "-af", "asetpts=N/SR/TB,aformat=channel_layouts=mono|stereo,apad",
        ]
    return [
        *command,
        "-t", str(float(frame_count / rate)),
        # The matrix that players assume, and the tags that name it: else colours shift.
        "-vf", f"scale=out_color_matrix=bt709:out_range=tv,{COLOR_TAGS}", "-pix_fmt", "yuv420p",
        "-c:v", "libx264", "-preset", "veryfast", "-crf", "18",
        "-map_metadata", "-1", "-fflags", "+bitexact",  # no dates: equal input, equal bytes
        "-flags:v", "+bitexact", "-flags:a", "+bitexact",
        "-movflags", "+faststart", "-f", "mp4", ffmpeg_path(target),
    ]
    # fmt: on


def _validated(
    frames: Iterable[np.ndarray], size: tuple[int, int], frame_count: int, progress: Progress
) -> Iterable[np.ndarray]:
    """Check number, shape and type of the frames, and report progress."""
    number = 0
    for number, frame in enumerate(frames, 1):
        if number > frame_count:
            break
        if frame.shape != (size[1], size[0], 3) or frame.dtype != np.uint8:
            raise VideoError(
                f"Frame {number} is {frame.dtype} of shape {frame.shape}.",
                f"Give uint8 of shape {(size[1], size[0], 3)}.",
            )
        yield np.ascontiguousarray(frame)
        if number % FRAMES_PER_REPORT == 0 or number == frame_count:
            progress("Rendering", number / frame_count)
    if number != frame_count:
        given = "more" if number > frame_count else f"only {number}"
        raise VideoError(f"{frame_count} frames were announced, but {given} were given.")


def _encode(command: list[str], frames: Iterable[np.ndarray], log: Path) -> None:
    """Pipe the frames into ffmpeg. Its messages go to a file: a full pipe would block it."""
    with (
        log.open("w+b") as messages,
        _start(command, messages) as ffmpeg,
    ):
        pipe = ffmpeg.stdin
        assert pipe is not None
        _enlarge(pipe)
        watchdog = Watchdog(ffmpeg, STALL_SECONDS)
        try:
            for frame in frames:
                try:
                    with watchdog:
                        _write(pipe, frame)
                except OSError:  # ffmpeg has ended; its messages say why
                    break
            with watchdog:
                pipe.close()
                status = ffmpeg.wait()
        except BaseException:
            ffmpeg.kill()
            raise
        finally:
            watchdog.close()
        if status == 0:
            return
        messages.seek(0)
        reason = explain(messages.read(MAX_MESSAGES), "ffmpeg failed")
    if watchdog.expired:
        reason = f"ffmpeg did nothing for {STALL_SECONDS:g} s"
    elif status < 0:
        reason = f"ffmpeg ended by {how_it_ended(status)}"
    raise VideoError(
        f"The video could not be written ({reason}).",
        "Check the disk's free space and the recording.",
    )


def _start(command: list[str], messages: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=messages,
            bufsize=0,
            start_new_session=True,  # Ctrl-C is for us: we end ffmpeg and remove the file
        )
    except OSError as error:
        raise VideoError(f"ffmpeg could not be started ({error.strerror}).", INSTALL) from error


def _write(pipe: IO[bytes], frame: np.ndarray) -> None:
    rest = frame.data.cast("B")
    while rest:
        rest = rest[pipe.write(rest) :]


def _enlarge(pipe: IO[bytes]) -> None:
    """Give a pipe the largest buffer, where that is possible."""
    # not Linux; a user who has too many pipes
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
