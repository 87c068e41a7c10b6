"""How much effort each phone was said with, heard: louder vowels open the mouth further."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jambatalk.corpus.closures import STEP, loudness
from jambatalk.corpus.phones import VOWELS, Phone

PER_DECIBEL = 0.012  # opening gained with each decibel above the speaker's usual vowel
STRESS = {1: 0.06, 2: 0.0, 0: -0.06}  # opening gained by stress, where it is written
BOUNDS = (0.72, 1.2)


def measure_effort(samples: np.ndarray, phones: Sequence[Phone]) -> np.ndarray:
    """Effort of each phone, 1 is usual: (n,).

    A vowel's is its loudest moment against the median vowel of the recording, and its stress if
    any stress is marked; a consonant's is 1. How loud the whole recording is does not matter:
    nobody knows how far away the microphone stood.
    """
    effort = np.ones(len(phones))
    vowels = [i for i, phone in enumerate(phones) if phone.name in VOWELS]
    if not vowels:
        return effort
    level = loudness(samples)
    spans = [(int(phones[i].start / STEP), int(phones[i].end / STEP) + 1) for i in vowels]
    loudest = np.array([level[start:end].max(initial=level.min()) for start, end in spans])
    gain = PER_DECIBEL * (loudest - np.median(loudest))
    if any(phone.stress for phone in phones):
        gain += [STRESS[phones[i].stress] for i in vowels]
    effort[vowels] = np.clip(1.0 + gain, *BOUNDS)
    return effort
