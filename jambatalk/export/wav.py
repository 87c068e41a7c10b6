"""The sound of a motion as 16-bit PCM in a WAV file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from jambatalk.errors import ExportError
from jambatalk.speech import SAMPLE_RATE, Speech, convert_sound, ffmpeg_path


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
    options = ["-map_metadata", "-1", "-c:a", "pcm_s16le", "-bitexact", "-f", "wav"]
    _, failure = convert_sound(speech.source, *options, "-y", ffmpeg_path(path))
    if failure:
        raise ExportError(
            f"The sound of '{speech.source}' cannot be written ({failure}).",
            "Check that the recording is still there, and the disk's free space.",
        )
