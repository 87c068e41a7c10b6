"""Vocal effort and loudness: louder vowels have a larger lip aperture."""

from __future__ import annotations

from collections.abc import Sequence

import librosa
import numpy as np
from scipy.ndimage import gaussian_filter1d

from jambatalk.speech import SAMPLE_RATE
from recipes.checkpoint.corpus.closures import STEP, loudness
from recipes.checkpoint.corpus.phones import VOWELS, Phone

PER_DECIBEL = 0.012  # effort per decibel above the median vowel of the recording
STRESS = {1: 0.06, 2: 0.0, 0: -0.06}  # effort by lexical stress, where marked
BOUNDS = (0.72, 1.2)
HOP, WINDOW = 160, 400  # samples: 10 and 25 ms
BANDS, LOWEST = 8, 60.0  # mel bands, and the lowest frequency in Hz
RANGE = 60.0  # decibels below the loudest that map to a level above 0
BLUR = 3.0  # hops, standard deviation


def measure_effort(samples: np.ndarray, phones: Sequence[Phone]) -> np.ndarray:
    """Measure the vocal effort of each phone: (n,), 1 is average.

    The effort of a vowel follows its peak level relative to the median vowel of the recording, and
    its lexical stress if any is marked; that of consonants is 1. It does not depend on the level of
    the whole recording, since the distance of the microphone is unknown.
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
    """Measure the loudness of each frame: (frames,) in 0..1.

    This is the mean level of `BANDS` mel bands relative to the 95th percentile of the recording,
    mapped from `RANGE` decibels. Among equally simple measures it correlates best with the lip
    aperture (docs/corpus.md); fitted to either of two speakers, the bands get similar weights.
    """
    bands = librosa.feature.melspectrogram(
        y=samples, sr=SAMPLE_RATE, n_fft=WINDOW, hop_length=HOP, n_mels=BANDS, fmin=LOWEST
    )  # (bands, t)
    loudest = np.percentile(bands.sum(0), 95)
    decibels = 10 * np.log10((bands + 1e-9) / (loudest + 1e-9))
    level = gaussian_filter1d(np.clip(1.0 + decibels / RANGE, 0.0, 1.0).mean(0), BLUR)
    at = np.arange(frames) / fps * SAMPLE_RATE / HOP
    return np.interp(at, np.arange(len(level)), level)
