"""Files of motion for other programs: the format is chosen by the suffix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jambatalk.errors import ExportError
from jambatalk.export.arkit import write_csv, write_json
from jambatalk.export.glb import to_glb
from jambatalk.export.vertices import write_npy, write_obj
from jambatalk.files.ffmpeg import convert_sound, ffmpeg_path
from jambatalk.files.unfinished import whole_file
from jambatalk.speech import DECODING_SECONDS, SAMPLE_RATE, Speech

if TYPE_CHECKING:
    from jambatalk.motion.motion import Motion

FORMATS: dict[str, Callable[[Motion, Path], object]] = {
    ".glb": lambda motion, path: path.write_bytes(to_glb(motion)),
    ".csv": write_csv,
    ".json": write_json,
    ".npz": lambda motion, path: motion.save(path),
    ".npy": write_npy,
    ".zip": write_obj,
}
WITH_SOUND = (".glb", ".csv", ".json")  # formats of animation programs, which play a .wav beside


def export_motion(
    motion: Motion,
    path: str | Path,
    *,
    fps: float | None = None,
    speech: Speech | str | Path | tuple[np.ndarray, float] | None = None,
) -> Path:
    """Write a motion for other programs, in the format of the path's suffix.

    .glb for Blender, Unreal, Unity and three.js; .csv as Live Link Face writes it; .json as
    Audio2Face does; .zip of one OBJ per frame; .npy of vertices; .npz for :meth:`Motion.load`.
    Files appear under their names only once they are complete.

    Args:
        motion: what to write.
        path: the file; its folder is created where it is missing.
        fps: frames per second of the file, by resampling; by default the motion's own.
        speech: the recording: a path, samples with their rate, or a speech. With .glb, .csv and
            .json its sound is written to a .wav of the same name, starting at the first frame. A
            recording that has this name itself is left as it is.

    Returns:
        The path.

    Raises:
        ExportError: another suffix, no frames, a motion that the format cannot hold, or a file that
            cannot be written. MotionError: a frame rate that is not positive.
        SpeechError: a recording that cannot be read.

    Example:
        >>> export_motion(motion, "head.glb", fps=24, speech="voice.m4a")  # and head.wav
    """
    path = Path(path)
    check_name(path)
    if not len(motion):
        raise ExportError("The motion has no frames.")
    if fps is not None:
        motion = motion.resampled(fps)
    suffix = path.suffix.lower()
    with whole_file(path, ExportError) as unfinished:
        FORMATS[suffix](motion, unfinished)
    if speech is not None and suffix in WITH_SOUND:
        recording, sound = Speech.of(speech), path.with_suffix(".wav")
        if not (recording.source and sound.exists() and sound.samefile(recording.source)):
            with whole_file(sound, ExportError) as unfinished:
                _write_wav(recording, unfinished)
    return path


def check_name(path: Path) -> None:
    """Raise an ExportError if no format has the path's suffix."""
    if path.suffix.lower() not in FORMATS:
        raise ExportError(
            f"'{path}' is not a name for a motion.", f"End it with {', '.join(FORMATS)}."
        )


def _write_wav(speech: Speech, path: Path) -> None:
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
    options += ["-y", ffmpeg_path(path)]
    timeout = speech.duration + DECODING_SECONDS
    _, failure = convert_sound(speech.source, *options, timeout=timeout, error=ExportError)
    if failure:
        raise ExportError(
            f"The sound of '{speech.source}' cannot be written ({failure}).",
            "Check that the recording is still there, and the disk's free space.",
        )
