"""One recording of the corpus: sound, what is said in it when, and where it comes from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jambatalk.errors import DataError
from jambatalk.face.face import Face
from jambatalk.speech import SAMPLE_RATE
from recipes.checkpoint.captured.clip import Clip
from recipes.checkpoint.coarticulation.designed_styles import NEUTRAL, DesignedStyle
from recipes.checkpoint.coarticulation.synthesis import RATE, Utterance, synthesise
from recipes.checkpoint.corpus.effort import measure_effort, measure_level
from recipes.checkpoint.corpus.phones import Phone, from_rows, to_rows


@dataclass(frozen=True, eq=False)
class Recording:
    """What one file of the corpus holds.

    Attributes:
        name: unique within its source.
        source: the collection it comes from, a key of `sources.SOURCES`.
        speaker: unique within the source; synthetic voices too.
        language: "en", "de", ...
        split: "train", "held_out" (speakers to test on while training) or "evaluation" (never to
            be trained or tuned on), or "captured" (its motion was captured; the training's own
            split says what is held out).
        samples: (n,) float32, 16 kHz mono.
        phones: from 0 to the end of the sound.
        text: what is said, "" where nobody wrote it down.
        timing: where the phone times come from: "text" (aligned with the text), "heard"
            (recognised, then aligned) or "told" (by a synthetic voice, or with the recording).
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

    def utterance(self) -> Utterance:
        """What the teacher needs."""
        frames = round(len(self.samples) / SAMPLE_RATE * RATE)
        level = measure_level(self.samples, RATE, frames)
        return Utterance(self.phones, measure_effort(self.samples, self.phones), level)

    def synthesise(self, face: Face, fps: float, styles: Iterable[DesignedStyle]) -> np.ndarray:
        """The teacher's motion in several styles: (s, T, K). Takes milliseconds, so that any style
        can be asked for when it is needed."""
        frames, utterance = round(len(self.samples) / SAMPLE_RATE * fps), self.utterance()
        return np.stack([synthesise(face, utterance, fps, frames, style) for style in styles])

    def clip(self, face: Face, fps: float, style: DesignedStyle = NEUTRAL) -> Clip:
        """A training example: the sound with the teacher's motion in a style."""
        (weights,) = self.synthesise(face, fps, [style])
        return Clip(f"{self.source}/{self.name}", self.samples, weights, fps, style.name)

    def save(self, folder: Path) -> Path:
        """Writes `folder/SOURCE/NAME.npz`, whole or not at all; returns the path."""
        path = recording_path(folder, self.source, self.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        names, rows = to_rows(self.phones)
        half_written = path.with_suffix(f".{os.getpid()}.part")  # two builds may meet
        with half_written.open("wb") as file:
            np.savez(
                file,
                samples=(self.samples.clip(-1, 1) * 32767).round().astype(np.int16),
                phones=np.array(names),
                times=np.array(rows, np.float32),
                **{key: np.array(getattr(self, key)) for key in _WORDS},
            )
        half_written.replace(path)
        return path

    @classmethod
    def load(cls, path: Path) -> Recording:
        """Reads what :meth:`save` wrote.

        Raises:
            DataError: it is no such file.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls(
                    samples=file["samples"].astype(np.float32) / 32767,
                    phones=from_rows(file["phones"].tolist(), file["times"].tolist()),
                    **{key: str(file[key]) for key in _WORDS},
                )
        except (OSError, KeyError, ValueError) as error:
            raise DataError(f"'{path}' is no recording of a corpus ({error}).") from error


_WORDS = ("name", "source", "speaker", "language", "split", "text", "timing")


def recording_path(folder: Path, source: str, name: str) -> Path:
    """Where a recording of the corpus lies."""
    return folder / source / f"{name}.npz"


def read_corpus(folder: Path, split: str = "train") -> Iterator[Recording]:
    """All recordings of one split, in the order of their paths.

    Raises:
        DataError: the folder holds none.
    """
    paths = sorted(folder.glob("*/*.npz"))
    if not paths:
        raise DataError(f"No recordings in {folder}.", "Run 'python -m recipes.checkpoint.corpus'.")
    for path in paths:
        recording = Recording.load(path)
        if recording.split == split:
            yield recording
