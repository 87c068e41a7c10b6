"""A recording of the corpus: samples, timed phones, and where they come from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from jambatalk.errors import DataError
from jambatalk.face.face import Face
from jambatalk.speech import SAMPLE_RATE
from recipes.checkpoint.coarticulation.synthesis import LOUDNESS, RATE, Utterance, synthesise
from recipes.checkpoint.corpus.effort import measure_effort, measure_level
from recipes.checkpoint.corpus.phones import Phone, from_rows, to_rows


@dataclass(frozen=True, eq=False)
class Recording:
    """The contents of one file of the corpus.

    Attributes:
        name: unique within its source.
        source: its collection, a key of `speech_sources.SOURCES`.
        speaker: unique within the source; also for synthetic voices.
        language: "en", "de", ...
        split: "train", "held_out" (speakers for validation), "evaluation" (never used for training
            or tuning), "captured" (its motion was captured, see `captured.held_out`), or "spliced"
            (its words are, under lips without sound, see `captured.spliced_pairs`).
        samples: (n,) float32, 16 kHz mono.
        phones: contiguous, from 0 to the end of the samples.
        text: the transcript, "" if there is none.
        timing: origin of the phone times: "text" (aligned with the transcript), "recognised"
            (recognised, then aligned) or "given" (by a synthetic voice, or with the recording).
    """

    name: str
    source: str
    speaker: str
    language: str
    split: str
    samples: np.ndarray
    phones: list[Phone]
    text: str
    timing: str

    @property
    def key(self) -> str:
        """Its name among all recordings."""
        return f"{self.source}/{self.name}"

    def utterance(self) -> Utterance:
        """Measure effort and loudness, for the coarticulation model."""
        frames = round(len(self.samples) / SAMPLE_RATE * RATE)
        level = measure_level(self.samples, RATE, frames)
        return Utterance(self.phones, measure_effort(self.samples, self.phones), level)

    def synthesise(self, face: Face, fps: float, loudness: float = LOUDNESS) -> np.ndarray:
        """Synthesise the motion by rule: (T, K).

        This takes milliseconds, so motion is synthesised when needed rather than stored.

        Args:
            loudness: see :func:`recipes.checkpoint.coarticulation.synthesis.synthesise`.
        """
        frames = round(len(self.samples) / SAMPLE_RATE * fps)
        return synthesise(face, self.utterance(), fps, frames, loudness)

    def save(self, folder: Path) -> Path:
        """Write `folder/SOURCE/NAME.npz` atomically and return its path."""
        path = recording_path(folder, self.source, self.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        names, rows = to_rows(self.phones)
        half_written = path.with_suffix(f".{os.getpid()}.part")  # several builds may run at once
        with half_written.open("wb") as file:
            np.savez(
                file,
                samples=(self.samples.clip(-1, 1) * 32767).round().astype(np.int16),
                phones=np.array(names),
                times=np.array(rows, np.float32),
                allow_pickle=False,
                **{key: np.array(getattr(self, key)) for key in _WORDS},
            )
        half_written.replace(path)
        return path

    @classmethod
    def load(cls, path: Path) -> Recording:
        """Read a file that :meth:`save` wrote.

        Raises:
            DataError: the file is damaged or not of this format.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls(
                    samples=file["samples"].astype(np.float32) / 32767,
                    phones=from_rows(file["phones"].tolist(), file["times"].tolist()),
                    **{key: str(file[key]) for key in _WORDS},
                )
        except (OSError, KeyError, ValueError, BadZipFile) as error:
            raise DataError(f"'{path}' is not a recording of the corpus ({error}).") from error


_WORDS = ("name", "source", "speaker", "language", "split", "text", "timing")


def recording_path(folder: Path, source: str, name: str) -> Path:
    """Return the path of a recording in the corpus."""
    return folder / source / f"{name}.npz"


def read_corpus(folder: Path, split: str = "train") -> Iterator[Recording]:
    """Read all recordings of a split, in order of their paths.

    Raises:
        DataError: the folder holds no recordings.
    """
    paths = sorted(folder.glob("*/*.npz"))
    if not paths:
        raise DataError(
            f"No recordings in {folder}.",
            "Build the corpus with 'python -m recipes.checkpoint.corpus'.",
        )
    for path in paths:
        recording = Recording.load(path)
        if recording.split == split:
            yield recording
