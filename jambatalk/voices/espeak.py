"""eSpeak NG: a small synthesiser of many languages, and transcriptions into phonetic letters.

Its library, which comes with the package espeakng-loader or with the system's eSpeak NG, runs in a
process of its own for every text (`espeak_process.py`): a defect in it cannot harm this process,
it has a time limit, and no text depends on the one before.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
from ctypes.util import find_library
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from jambatalk.errors import VoiceError
from jambatalk.progress import Progress
from jambatalk.voices.voice import INSTALL, Synthesiser, Voice

TIMEOUT = 60.0  # seconds; it speaks more than a hundred times faster than real time
SCRIPT = Path(__file__).with_name("espeak_process.py")

LANGUAGES = {  # eSpeak NG's name → BCP 47 tag, title
    "en-us": ("en-US", "English (US)"),
    "en": ("en-GB", "English (UK)"),
    "de": ("de", "German"),
    "es": ("es", "Spanish"),
    "fr": ("fr", "French"),
    "it": ("it", "Italian"),
    "pt-br": ("pt-BR", "Portuguese (Brazil)"),
    "hi": ("hi", "Hindi"),
    "cmn": ("zh", "Chinese (Mandarin)"),
    "nl": ("nl", "Dutch"),
    "sv": ("sv", "Swedish"),
    "da": ("da", "Danish"),
    "nb": ("nb", "Norwegian"),
    "fi": ("fi", "Finnish"),
    "pl": ("pl", "Polish"),
    "cs": ("cs", "Czech"),
    "hu": ("hu", "Hungarian"),
    "el": ("el", "Greek"),
    "ru": ("ru", "Russian"),
    "uk": ("uk", "Ukrainian"),
    "tr": ("tr", "Turkish"),
    "ar": ("ar", "Arabic"),
}


class Espeak(Synthesiser):
    """eSpeak NG, one voice a language."""

    def voices(self) -> list[Voice]:
        """List its voices."""
        return [
            Voice(f"espeak-{name}", tag, f"{title} · eSpeak NG", self)
            for name, (tag, title) in LANGUAGES.items()
        ]

    def missing(self) -> str:
        """Return which package must be installed for it."""
        return "" if _library() else "eSpeak NG"

    def speak(self, text: str, voice: Voice, progress: Progress) -> tuple[np.ndarray, int]:
        """Say a text."""
        import soundfile

        language = voice.name.removeprefix("espeak-")
        return soundfile.read(io.BytesIO(_request(text, language, "speak")), dtype="float32")


def transcribe(text: str, language: str) -> list[tuple[str, str]]:
    """Transcribe a text into the International Phonetic Alphabet.

    Args:
        language: one of :data:`LANGUAGES`.

    Returns:
        (letters, punctuation mark behind them) of each clause.

    Raises:
        VoiceError: eSpeak NG is not installed, or it failed.
    """
    return [(ipa, mark) for ipa, mark in json.loads(_request(text, language, "transcribe"))]


def _request(text: str, language: str, task: str) -> bytes:
    library = _library()
    if library is None:
        raise VoiceError("eSpeak NG is not installed.", INSTALL)
    request = {"library": library[0], "data": library[1], "language": language, "text": text}
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(SCRIPT), task],
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=TIMEOUT,
        )
    except subprocess.TimeoutExpired as error:
        raise VoiceError(
            f"eSpeak NG did not finish within {TIMEOUT:g} s.", "Try a shorter text."
        ) from error
    except OSError as error:
        raise VoiceError(
            f"eSpeak NG could not be started ({error.strerror}).",
            "Close other programs: memory, processes or open files have run out.",
        ) from error
    if done.returncode != 0 or not done.stdout:
        reason = done.stderr.decode(errors="replace").strip()[-200:] or "it gave no reason"
        raise VoiceError(f"eSpeak NG could not say this text ({reason}).", "Try another voice.")
    return done.stdout


@cache
def _library() -> tuple[str, str | None] | None:
    """Return the library's path, and the folder of its data where it does not know it itself."""
    if find_spec("espeakng_loader"):
        import espeakng_loader

        return espeakng_loader.get_library_path(), espeakng_loader.get_data_path()
    system = find_library("espeak-ng")
    return (system, None) if system else None
