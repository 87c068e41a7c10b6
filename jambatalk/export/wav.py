"""The sound of a motion as 16-bit PCM in a WAV file."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jambatalk.errors import ExportError
from jambatalk.speech import INPUT_FORMATS, SAMPLE_RATE, ffmpeg_path

if TYPE_CHECKING:
    from jambatalk.speech import Speech


def write_wav(speech: Speech, path: Path) -> None:
    """Write the first sound track of the recording at its own rate and channels.

    Speech from an array, or whose file is gone, is written as 16 kHz mono.

    Raises:
        ExportError: the recording cannot be read any more.
    """
    if speech.source is None or not speech.source.is_file():
        from scipy.io import wavfile

        samples = np.rint(speech.samples.clip(-1, 1) * 32767).astype(np.int16)
        wavfile.write(path, SAMPLE_RATE, samples)
        return
    from imageio_ffmpeg import get_ffmpeg_exe

    # fmt: off
    command = [
        get_ffmpeg_exe(), "-v", "error", "-nostdin",
        *INPUT_FORMATS, "-i", ffmpeg_path(speech.source), "-map", "0:a:0", "-map_metadata", "-1",
        "-c:a", "pcm_s16le", "-bitexact", "-f", "wav", "-y", ffmpeg_path(path),
    ]
    # fmt: on
    done = subprocess.run(command, capture_output=True)
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip().splitlines()
        raise ExportError(
            f"The sound of '{speech.source}' cannot be written "
            f"({reason[-1] if reason else 'no reason given'}).",
            "Check that the recording is still there, and the disk's free space.",
        )
