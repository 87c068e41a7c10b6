"""How loud it was said: louder vowels open the mouth further."""

from __future__ import annotations

from collections.abc import Sequence

import librosa
import numpy as np
from scipy.ndimage import gaussian_filter1d

from jambatalk.speech import SAMPLE_RATE
from recipes.checkpoint.corpus.closures import STEP, loudness
from recipes.checkpoint.corpus.phones import VOWELS, Phone

PER_DECIBEL = 0.012  # opening gained with each decibel above the speaker's usual vowel
STRESS = {1: 0.06, 2: 0.0, 0: -0.06}  # opening gained by stress, where it is written
BOUNDS = (0.72, 1.2)
HOP, WINDOW = 160, 400  # samples: 10 and 25 ms
BANDS, LOWEST = 8, 60.0  # on the mel scale, from so many Hz on
RANGE = 60.0  # decibels below the loudest in which a band is heard
BLUR = 3.0  # hops, standard deviation


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


def measure_level(samples: np.ndarray, fps: float, frames: int) -> np.ndarray:
    """How loud each frame is, 0 to 1: (frames,).

    The mean level of `BANDS` bands, in parts of the `RANGE` decibels below the loudest twentieth of
    the recording: of all that is so simple it says most about how far lips are apart
    (`benchmarks/coarticulation.py`), and fitted to either of two people, the bands count about alike.
    """
    bands = librosa.feature.melspectrogram(
        y=samples, sr=SAMPLE_RATE, n_fft=WINDOW, hop_length=HOP, n_mels=BANDS, fmin=LOWEST
    )  # (bands, t)
    loudest = np.percentile(bands.sum(0), 95)
    decibels = 10 * np.log10((bands + 1e-9) / (loudest + 1e-9))
    level = gaussian_filter1d(np.clip(1.0 + decibels / RANGE, 0.0, 1.0).mean(0), BLUR)
    at = np.arange(frames) / fps * SAMPLE_RATE / HOP
    return np.interp(at, np.arange(len(level)), level)
