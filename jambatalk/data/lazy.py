"""Sound and motion on disk: their lengths are known at once, their values read when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from jambatalk.errors import DataError, SpeechError
from jambatalk.files.arrays import open_array, unreadable
from jambatalk.speech import Speech


class Sound(Protocol):
    """Speech on disk."""

    path: Path
    seconds: float

    def read(self) -> np.ndarray:
        """(n,) float32 at 16 kHz, mono."""


class Motion(Protocol):
    """Motion on disk; `shape` is (frames, V) for vertices, (frames, K) for weights."""

    path: Path
    shape: tuple[int, int]

    def read(self, frames: slice) -> np.ndarray:
        """(T, V, 3) or (T, K), any kind of float."""


@dataclass(frozen=True)
class SoundFile:
    """A WAV or FLAC file of any rate."""

    path: Path

    @cached_property
    def seconds(self) -> float:
        """Its length, from its header."""
        import soundfile

        try:
            return soundfile.info(self.path).duration
        except (OSError, soundfile.SoundFileError) as error:
            raise unreadable(self.path, error) from error

    def read(self) -> np.ndarray:
        """(n,) float32 at 16 kHz, mono.

        Raises:
            DataError: it cannot be read or used.
        """
        import soundfile

        try:
            samples, rate = soundfile.read(self.path, dtype="float32")
        except (OSError, soundfile.SoundFileError) as error:
            raise unreadable(self.path, error) from error
        return _speech(samples, rate, self.path)


@dataclass(frozen=True)
class SoundArray:
    """Samples in an .npy file."""

    path: Path
    rate: int

    @cached_property
    def seconds(self) -> float:
        """Its length, from its header."""
        return len(open_array(self.path)) / self.rate

    def read(self) -> np.ndarray:
        """(n,) float32 at 16 kHz, mono.

        Raises:
            DataError: it cannot be used.
        """
        return _speech(np.array(open_array(self.path)), self.rate, self.path)


@dataclass(frozen=True)
class VertexFile:
    """Vertices of one recording in an .npy file, (T, 3 V) or (T, V, 3)."""

    path: Path

    @cached_property
    def shape(self) -> tuple[int, int]:
        """(T, V), from its header.

        Raises:
            DataError: unreadable, or of another shape.
        """
        shape = open_array(self.path).shape
        if len(shape) == 2 and shape[1] % 3 == 0:
            return shape[0], shape[1] // 3
        if len(shape) == 3 and shape[2] == 3:
            return shape[0], shape[1]
        raise DataError(
            f"{self.path} holds {shape}, which are no vertices.",
            "Save them as (frames, vertices, 3) or (frames, 3 x vertices).",
        )

    def read(self, frames: slice) -> np.ndarray:
        """(T, V, 3)."""
        return open_array(self.path)[frames].reshape(-1, self.shape[1], 3)


@dataclass(frozen=True)
class VertexRows:
    """Vertices of one recording among those of many, (N, V, 3): its frames are `rows`."""

    path: Path
    rows: tuple[int, ...]

    @cached_property
    def shape(self) -> tuple[int, int]:
        """(T, V)."""
        array = open_array(self.path)
        if self.rows and not 0 <= min(self.rows) <= max(self.rows) < len(array):
            raise DataError(
                f"{self.path} has {len(array)} frames, but frame {max(self.rows)} is asked for.",
                "Download it again together with subj_seq_to_idx.pkl.",
            )
        return len(self.rows), array.shape[1]

    def read(self, frames: slice) -> np.ndarray:
        """(T, V, 3)."""
        return open_array(self.path)[list(self.rows[frames])]


def _speech(samples: np.ndarray, rate: int, path: Path) -> np.ndarray:
    try:
        return Speech.from_array(samples, rate, path.stem).samples
    except SpeechError as error:
        raise DataError(f"{path}: {error.what}", error.cure) from error
