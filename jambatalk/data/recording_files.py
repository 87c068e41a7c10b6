"""Sounds and motions on disk, read when needed: opening one reads its header only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from jambatalk.errors import DataError, SpeechError
from jambatalk.files.arrays import open_array
from jambatalk.files.regular import check_file, damaged
from jambatalk.speech import MAX_SECONDS, Speech

SOUND = "a sound file"
MAX_CHANNELS = 64


class SoundSource(Protocol):
    """Speech on disk."""

    @property
    def path(self) -> Path:
        """The file, for messages."""

    @property
    def seconds(self) -> float:
        """Its duration."""

    def read(self) -> np.ndarray:
        """Read (n,) float32 at 16 kHz, mono."""


class MotionSource(Protocol):
    """Motion on disk."""

    @property
    def path(self) -> Path:
        """The file, for messages."""

    @property
    def shape(self) -> tuple[int, int]:
        """(T, V) for vertices, (T, K) for weights."""

    def read(self, frames: slice) -> np.ndarray:
        """Read (t, V, 3) or (t, K), any kind of float."""


@dataclass(frozen=True)
class SoundFile:
    """A WAV or FLAC file of any rate."""

    path: Path

    @cached_property
    def seconds(self) -> float:
        """The duration, from the header; raises DataError."""
        import soundfile

        check_file(self.path, kind=SOUND)
        try:
            header = soundfile.info(self.path)
        except (OSError, soundfile.SoundFileError) as error:
            raise _not_a_sound(self.path, error) from error
        if header.channels > MAX_CHANNELS or not 0 < header.duration <= MAX_SECONDS:
            reason = f"{header.duration:g} s of {header.channels} channels"
            raise damaged(self.path, reason, kind=SOUND, cure="Cut it into shorter parts.")
        return header.duration

    def read(self) -> np.ndarray:
        """Read (n,) float32 at 16 kHz, mono; raises DataError."""
        import soundfile

        _ = self.seconds  # what is too long is not read
        try:
            samples, rate = soundfile.read(self.path, dtype="float32")
        except (OSError, soundfile.SoundFileError) as error:
            raise _not_a_sound(self.path, error) from error
        return to_speech(samples, rate, self.path)


@dataclass(frozen=True)
class VertexFile:
    """Vertices of one recording in an .npy file, (T, 3 V) or (T, V, 3)."""

    path: Path

    @cached_property
    def shape(self) -> tuple[int, int]:
        """(T, V), from the header; raises DataError."""
        shape = open_array(self.path).shape
        if len(shape) == 2 and shape[1] % 3 == 0:
            return shape[0], shape[1] // 3
        if len(shape) == 3 and shape[2] == 3:
            return shape[0], shape[1]
        raise DataError(
            f"{self.path} has the shape {shape}, which is not one of vertices.",
            "Save them as (frames, vertices, 3) or (frames, 3 x vertices).",
        )

    def read(self, frames: slice) -> np.ndarray:
        """Read (t, V, 3)."""
        return open_array(self.path)[frames].reshape(-1, self.shape[1], 3)


def _not_a_sound(path: Path, error: Exception) -> DataError:
    reason = getattr(error, "error_string", error)  # without the path
    return damaged(path, reason, DataError, SOUND)


def to_speech(samples: np.ndarray, rate: int, path: Path) -> np.ndarray:
    """Convert samples of any rate to (n,) float32 at 16 kHz; raises DataError naming `path`."""
    try:
        return Speech.from_array(samples, rate, path.stem).samples
    except SpeechError as error:
        raise DataError(f"{path}: {error.what}", error.cure) from error
