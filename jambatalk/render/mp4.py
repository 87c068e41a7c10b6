"""Frames and speech become one MP4, in one ffmpeg process."""

from __future__ import annotations

import fcntl
import subprocess
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from errno import EISDIR
from fractions import Fraction
from pathlib import Path
from uuid import uuid4

import numpy as np

from jambatalk.errors import VideoError
from jambatalk.progress import Progress, no_progress
from jambatalk.speech import INPUT_FORMATS, SAMPLE_RATE, Speech, ffmpeg_path

FRAMES_A_REPORT = 10
PIPE_BYTES = 1 << 20  # the most Linux gives anybody; by its 64 kB ffmpeg is woken all the time
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
    """Writes an MP4 that browsers play: H.264 in yuv420p, AAC, index at the front.

    The sound starts with the picture and is cut, or padded with silence, to its length. The same
    frames and speech give the same bytes. Until it is complete the file has another name; it is
    removed if anything fails.

    Args:
        path: ends in ".mp4"; missing folders are made.
        frames: (height, width, 3) uint8 RGB each, top row first.
        fps: frames a second.
        size: width and height in pixels, even.
        frame_count: how many frames there will be.
        speech: whose recording is heard, in its own quality; None for a silent video.
        progress: told "Rendering" and the part done.

    Returns:
        `path`.

    Raises:
        VideoError: the file cannot be written, the frames are not as announced, or ffmpeg failed.
        Stopped: by `progress`.
    """
    path = Path(path)
    if min(size) < 2 or size[0] % 2 or size[1] % 2:
        raise VideoError(f"A video cannot be {size[0]} by {size[1]}.", "Give two even numbers.")
    if frame_count < 1 or not 0 < fps < 1000:
        raise VideoError(f"A video cannot have {frame_count} frames at {fps:g} a second.")
    unfinished = _reserve(path)
    try:
        with tempfile.TemporaryDirectory(prefix="jambatalk-") as folder:
            sound = _sound(speech, Path(folder))
            command = _command(unfinished, sound, fps, size, frame_count)
            frames = _checked(frames, size, frame_count, progress)
            _run(command, frames, Path(folder) / "ffmpeg.log")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def _reserve(path: Path) -> Path:
    """An empty file beside `path`, which shows that the video can be written there."""
    if path.suffix.lower() != ".mp4":
        raise VideoError(f"'{path}' is not a name for a video.", "End it with .mp4.")
    unfinished = path.with_name(f".{uuid4().hex}.mp4")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(EISDIR, "there is a folder of that name")
        unfinished.touch(exist_ok=False)
    except OSError as error:
        raise VideoError(
            f"'{path}' cannot be written ({error.strerror}).",
            "Choose a name in a folder that you may write to.",
        ) from error
    return unfinished


def _sound(speech: Speech | None, folder: Path) -> Path | None:
    """The file whose sound goes into the video; written to `folder` if there is none yet."""
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
    from imageio_ffmpeg import get_ffmpeg_exe

    rate = Fraction(fps).limit_denominator(1001)  # 29.97 is 30000/1001
    command = [
        *(get_ffmpeg_exe(), "-y", "-v", "error", "-nostdin"),
        *("-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", f"{size[0]}x{size[1]}"),
        *("-framerate", str(rate), "-i", "pipe:0"),
    ]
    if sound is not None:
        command += [
            *(
                *INPUT_FORMATS,
                "-i",
                ffmpeg_path(sound),
                "-map",
                "0:v",
                "-map",
                "1:a:0",
                "-c:a",
                "aac",
                "-b:a",
                "160k",
            ),
            # From the first sample on whatever the recorder's clock said, as the model hears it;
            # then silence without end, which -t ends.
            *("-af", "asetpts=N/SR/TB,aformat=channel_layouts=mono|stereo,apad", "-ar", "48000"),
        ]
    return [
        *command,
        *("-t", str(float(frame_count / rate))),
        # The matrix that players assume, and the file says so too: else colours shift.
        *("-vf", f"scale=out_color_matrix=bt709:out_range=tv,{COLOR_TAGS}", "-pix_fmt", "yuv420p"),
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", "18"),
        *("-map_metadata", "-1", "-fflags", "+bitexact"),  # no dates: equal input, equal bytes
        *("-flags:v", "+bitexact", "-flags:a", "+bitexact"),
        *("-movflags", "+faststart", "-f", "mp4", ffmpeg_path(target)),
    ]


def _checked(
    frames: Iterable[np.ndarray], size: tuple[int, int], frame_count: int, progress: Progress
) -> Iterable[np.ndarray]:
    """The frames as announced, each told to `progress`."""
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
        if number % FRAMES_A_REPORT == 0 or number == frame_count:
            progress("Rendering", number / frame_count)
    if number != frame_count:
        known = "more" if number > frame_count else f"only {number}"
        raise VideoError(f"{frame_count} frames were announced, {known} came.")


def _run(command: list[str], frames: Iterable[np.ndarray], log: Path) -> None:
    """Pours the frames into ffmpeg. Its messages go to a file: a full pipe would stop it."""
    with (
        log.open("w+b") as messages,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=messages, bufsize=0
        ) as ffmpeg,
    ):
        with suppress(AttributeError, OSError):  # other systems; a user who has too many pipes
            fcntl.fcntl(ffmpeg.stdin, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        try:
            for frame in frames:
                rest = memoryview(frame).cast("B")
                while rest:
                    rest = rest[ffmpeg.stdin.write(rest) :]
        except BrokenPipeError:
            pass  # ffmpeg has given up; its messages say why
        except BaseException:
            ffmpeg.kill()
            raise
        ffmpeg.stdin.close()
        if ffmpeg.wait() == 0:
            return
        messages.seek(0)
        reason = messages.read().decode(errors="replace").strip().splitlines()
    raise VideoError(
        f"The video could not be written ({reason[-1] if reason else 'ffmpeg gave no reason'}).",
        "Check the disk's free space and the recording.",
    )
