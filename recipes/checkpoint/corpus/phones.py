"""Phones with times, in one inventory for all languages.

The inventory is ARPAbet with the schwa AX and the pause SIL, and ten more phones for other
languages. Sounds that differ audibly but not visibly (nasal vowels, tones) share a phone.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from jambatalk.errors import DataError


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


SILENCE = "SIL"
BILABIALS = _names("P B M")
LABIODENTALS = _names("F V")
STOPS = _names("P B T D K G CH JH")
DIPHTHONGS = {
    "AY": ("AA", "IH"),
    "AW": ("AA", "UH"),
    "EY": ("E", "IY"),
    "OW": ("O", "UW"),
    "OY": ("AO", "IH"),
}
# Beyond ARPAbet: A E O as in Spanish "a e o", UE and OE the rounded front vowels of "Tür" and
# "schön", BH the open b of "lobo", KH the sound of "Bach", RR an r without rounded lips.
VOWELS = _names("AA AE AH AO AX EH ER IH IY UH UW A E O UE OE") | frozenset(DIPHTHONGS)
CONSONANTS = _names("B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH DX BH KH RR")
INVENTORY = VOWELS | CONSONANTS | {SILENCE}

_IPA = {
    # vowels, from the front to the back
    "IY": "i",
    "IH": "ɪ",
    "E": "e",
    "EH": "ɛ",
    "AE": "æ",
    "A": "a ɐ",
    "AX": "ə ɘ ɨ ᵻ ᵊ",
    "AH": "ʌ ɜ ɞ",
    "ER": "ɝ ɚ",
    "UE": "y ʏ ɥ ʉ",
    "OE": "ø œ ɵ",
    "UW": "u ɯ",
    "UH": "ʊ",
    "O": "o ɤ",
    "AO": "ɔ ɒ",
    "AA": "ɑ",
    # diphthongs and affricates, also as the single letters some voices write
    "AY": "aɪ aɪ̯ I",
    "AW": "aʊ aʊ̯ W",
    "EY": "eɪ A",
    "OW": "oʊ əʊ O",
    "OY": "ɔɪ ɔʏ ɔø Y",
    "CH": "tʃ tɕ ʈʂ ʧ ʨ",
    "JH": "dʒ dʑ ɖʐ ʤ ʥ",
    # consonants
    "P": "p",
    "B": "b ɓ",
    "BH": "β ɸ",
    "M": "m",
    "F": "f",
    "V": "v ʋ ɱ",
    "TH": "θ",
    "DH": "ð",
    "T": "t ʈ",
    "D": "d ɖ",
    "DX": "ɾ T",
    "N": "n ɲ ɳ",
    "S": "s ʦ",
    "Z": "z ʣ",
    "L": "l ɫ ʎ ɭ ɬ",
    "SH": "ʃ ɕ ʂ",
    "ZH": "ʒ ʑ ʐ",
    "R": "ɹ ɻ",
    "RR": "r ʁ ʀ",
    "Y": "j ʝ",
    "W": "w ʍ",
    "K": "k q c",
    "G": "g ɡ ɟ",
    "NG": "ŋ",
    "KH": "x χ ç ɣ",
    "HH": "h ɦ ħ",
}
_FROM_IPA = {symbol: phone for phone, symbols in _IPA.items() for symbol in symbols.split()}
_LONGEST = max(map(len, _FROM_IPA))
_STRESS = {"ˈ": 1, "ˌ": 2}

# names of pauses and noises in other tools
_PAUSES = _names("SIL PAU SP SPN +SPN+ +NSN+ +BREATH+ <SIL> # H# BRTH")


@dataclass(frozen=True)
class Phone:
    """One sound of an utterance.

    Attributes:
        name: one of `INVENTORY`.
        start, end: seconds from the first sample.
        stress: of vowels: 1 primary, 2 secondary, 0 none or unknown.
        closure: (start, end) in seconds of the lip closure of a P, B or M, None if none was
            detected.
    """

    name: str
    start: float
    end: float
    stress: int = 0
    closure: tuple[float, float] | None = None

    @property
    def duration(self) -> float:
        """Duration in seconds."""
        return self.end - self.start

    @property
    def middle(self) -> float:
        """Midpoint in seconds."""
        return (self.start + self.end) / 2


def from_arpabet(symbol: str) -> tuple[str, int]:
    """Parse an ARPAbet symbol such as "AY1", "ax" or "pau": (phone, stress).

    Raises:
        DataError: the symbol is unknown.
    """
    name = symbol.strip().upper()
    if not name or name in _PAUSES:
        return SILENCE, 0
    stress = int(name[-1]) if name[-1].isdigit() else 0
    name = {"AXR": "ER", "IX": "AX", "EN": "N", "EM": "M", "EL": "L", "HV": "HH"}.get(
        name.rstrip("0123456789"), name.rstrip("0123456789")
    )
    if name == "AH" and symbol[-1:] == "0":
        name = "AX"
    if name not in INVENTORY:
        raise DataError(f"The phone '{symbol}' is unknown.", "Use ARPAbet, or from_ipa().")
    return name, stress


def from_ipa(text: str) -> list[tuple[str, int]]:
    """Parse a transcription in the International Phonetic Alphabet: [(phone, stress), ...].

    Diacritics, tones and unknown symbols are ignored; a stress mark applies to the next vowel.
    """
    plain = unicodedata.normalize("NFD", text.replace("ç", "x"))  # its cedilla is no diacritic
    letters = [c for c in plain if not unicodedata.combining(c)]
    phones, stress, at = [], 0, 0
    while at < len(letters):
        for length in range(_LONGEST, 0, -1):
            name = _FROM_IPA.get("".join(letters[at : at + length]))
            if name:
                break
        if name:
            phones.append((name, stress if name in VOWELS else 0))
            stress = 0 if name in VOWELS else stress
            at += length
        else:
            stress = _STRESS.get(letters[at], stress)
            at += 1
    return phones


def fill_silences(phones: Iterable[Phone]) -> list[Phone]:
    """Make phones contiguous from 0: fill gaps by silence, drop empty phones.

    Raises:
        DataError: two phones overlap.
    """
    whole: list[Phone] = []
    time = 0.0
    for phone in phones:
        if phone.end - phone.start < 1e-4:
            continue
        if phone.start < time - 1e-3:
            raise DataError(
                f"The phone {phone.name} at {phone.start:.3f} s overlaps the previous one."
            )
        if phone.start > time + 1e-3:
            whole.append(Phone(SILENCE, time, phone.start))
        if whole and whole[-1].name == phone.name == SILENCE:
            whole[-1] = replace(whole[-1], end=phone.end)
        else:
            whole.append(phone)
        time = phone.end
    return whole


def merge_short_silences(phones: Sequence[Phone], shortest: float) -> list[Phone]:
    """Merge silences shorter than `shortest` seconds within the utterance into their neighbours.

    Before a stop such a silence is the closure of the stop; elsewhere it extends the phone before.
    """
    kept: list[Phone] = []
    begins = None  # start of a silence that was merged into the next phone
    for i, phone in enumerate(phones):
        if begins is not None:
            phone, begins = replace(phone, start=begins), None
        inside = 0 < i < len(phones) - 1
        if phone.name == SILENCE and inside and phone.duration < shortest:
            if phones[i + 1].name in STOPS:
                begins = phone.start
            else:
                kept[-1] = replace(kept[-1], end=phone.end)
            continue
        kept.append(phone)
    return kept


def to_rows(phones: Sequence[Phone]) -> tuple[list[str], list[tuple[float, ...]]]:
    """Convert phones to names and rows (start, end, stress, closure start, closure end or -1)."""
    rows: list[tuple[float, ...]] = [
        (p.start, p.end, p.stress, *(p.closure or (-1.0, -1.0))) for p in phones
    ]
    return [p.name for p in phones], rows


def from_rows(names: Iterable[str], rows: Iterable[Sequence[float]]) -> list[Phone]:
    """Convert names and rows back to phones, the inverse of :func:`to_rows`."""
    return [
        Phone(
            str(name),
            float(start),
            float(end),
            int(stress),
            (float(a), float(b)) if a >= 0 else None,
        )
        for name, (start, end, stress, a, b) in zip(names, rows, strict=True)
    ]
