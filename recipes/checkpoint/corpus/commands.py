"""GRID's six-word commands, such as "bin blue at F two now", for the synthetic voices."""

from __future__ import annotations

import zlib

import numpy as np

VERBS = ("bin", "lay", "place", "set")
COLORS = ("blue", "green", "red", "white")
PREPOSITIONS = ("at", "by", "in", "with")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVXYZ"  # without W, as in GRID
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ADVERBS = ("again", "now", "please", "soon")


def commands(voice: str, count: int) -> list[str]:
    """Draw commands for a voice; 25 name every letter."""
    rng = np.random.default_rng(zlib.crc32(voice.encode()))
    letters = rng.permutation(max(count, len(LETTERS)))[:count] % len(LETTERS)
    return [
        " ".join(
            (
                *(str(rng.choice(words)) for words in (VERBS, COLORS, PREPOSITIONS)),
                LETTERS[letter],
                *(str(rng.choice(words)) for words in (DIGITS, ADVERBS)),
            )
        )
        + "."
        for letter in letters
    ]
