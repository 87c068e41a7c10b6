"""Audio and video conversion by ffmpeg."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from jambatalk.errors import DataError
from jambatalk.speech import SAMPLE_RATE

CODECS = {
    ".flac": ("-ar", str(SAMPLE_RATE), "-c:a", "flac"),
    ".opus": ("-c:a", "libopus", "-b:a", "40k"),  # Opus decodes to 48 kHz whatever its input
}


def transcode(source: Path, target: Path) -> None:
    """Convert the audio of a file to mono .flac at 16 kHz or .opus; keep an existing target.

    Raises:
        DataError: ffmpeg cannot read the source.
    """
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".part-{target.name}")
    command = ["-y", "-i", str(source.resolve()), "-vn", "-ac", "1", *CODECS[target.suffix]]
    done = _ffmpeg([*command, str(part.resolve())])
    if done.returncode:
        raise DataError(f"ffmpeg cannot convert {source}: {done.stderr.decode().strip()[-200:]}")
    part.replace(target)


def read_frames(source: Path) -> Iterator[np.ndarray]:
    """Yield the frames of a video as (height, width, 3) uint8 RGB.

    Raises:
        DataError: ffmpeg cannot read the source.
    """
    try:
        frames = imageio_ffmpeg.read_frames(str(source.resolve()))
        width, height = next(frames)["size"]
        for frame in frames:
            yield np.frombuffer(frame, np.uint8).reshape(height, width, 3)
    except (OSError, RuntimeError, StopIteration) as error:
        raise DataError(f"ffmpeg cannot read the video {source}.") from error


def _ffmpeg(arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", *arguments]
    return subprocess.run(command, capture_output=True)
