"""Sounds made for the evaluation, the same in every run: backgrounds, and other manners of speech.

Nobody recorded them, so they stand for what they imitate only as far as their formula says. All
samples are (n,) at 16 kHz.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import solve_toeplitz
from scipy.signal import butter, lfilter, sosfilt

from jambatalk.speech import SAMPLE_RATE
from recipes.checkpoint.augment import TELEPHONE_BAND

SEED = 0
# four chords of three notes and a bass note, MIDI numbers: C, A minor, F, G
CHORDS = ((60, 64, 67, 36), (57, 60, 64, 33), (53, 57, 60, 41), (55, 59, 62, 43))
BEAT = 0.5  # seconds; a chord lasts four beats
HARMONICS = 8
HUM = 50.0  # Hz
EMPHASIS = 0.95  # zero of a filter that rises by 6 dB an octave above about 130 Hz
LPC_ORDER, LPC_FRAME, LPC_HOP = 18, 400, 100  # samples
OVERDRIVE = 3.0  # peaks over full scale of the microphone


def music(length: int) -> np.ndarray:
    """Synthesise chords with a bass, a bass drum on each beat and cymbals on each half beat."""
    time = np.arange(length) / SAMPLE_RATE
    mixed = np.zeros(length)
    bar = (time / (4 * BEAT)).astype(int) % len(CHORDS)
    for voice in zip(*CHORDS, strict=True):
        pitch = 440 * 2 ** ((np.array(voice)[bar] - 69) / 12)
        phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
        mixed += sum(np.sin(k * phase) / k for k in range(1, HARMONICS + 1))
    in_beat, in_half = time % BEAT, time % (BEAT / 2)
    mixed += 6 * np.sin(2 * np.pi * 8 * (1 - np.exp(-in_beat * 15))) * np.exp(-in_beat * 12)
    cymbal = np.diff(np.random.default_rng(SEED).standard_normal(length), prepend=0)
    mixed += 0.8 * cymbal * np.exp(-in_half * 40)
    return mixed


def white_noise(length: int) -> np.ndarray:
    """Generate noise with as much power in each hertz."""
    return np.random.default_rng(SEED).standard_normal(length)


def pink_noise(length: int) -> np.ndarray:
    """Generate noise with as much power in each octave."""
    spectrum = np.fft.rfft(white_noise(length))
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), length)


def hum(length: int) -> np.ndarray:
    """Generate the hum of mains: 50 Hz and its first harmonics."""
    phase = 2 * np.pi * HUM * np.arange(length) / SAMPLE_RATE
    return np.sum([np.sin(k * phase) / k for k in range(1, HARMONICS + 1)], 0)


def telephone(samples: np.ndarray) -> np.ndarray:
    """Keep what a telephone transmits, 300 to 3400 Hz."""
    band = butter(8, TELEPHONE_BAND, "bandpass", fs=SAMPLE_RATE, output="sos")
    return sosfilt(band, samples).astype(np.float32)


def whisper(samples: np.ndarray) -> np.ndarray:
    """Replace the voice by noise: linear prediction, excited by white noise.

    Each frame keeps its spectral envelope and its level after emphasis, since the breath of a
    whisper lacks the fall of 6 dB an octave that a voice has beside it.
    """
    emphasised = _emphasise(samples)
    noise = white_noise(len(samples))
    window = np.hanning(LPC_FRAME + 1)[:-1]
    result = np.zeros(len(samples))
    for start in range(0, len(samples) - LPC_FRAME + 1, LPC_HOP):
        frame = slice(start, start + LPC_FRAME)
        windowed = emphasised[frame] * window
        correlation = np.correlate(windowed, windowed, "full")[LPC_FRAME - 1 :][: LPC_ORDER + 1]
        correlation[0] = correlation[0] * (1 + 1e-4) + 1e-9
        predictor = solve_toeplitz(correlation[:-1], correlation[1:])
        breath = lfilter([1.0], np.concatenate([[1.0], -predictor]), noise[frame]) * window
        level = np.sqrt(np.sum(windowed**2) / max(np.sum(breath**2), 1e-12))
        result[frame] += breath * level
    return (result / 2).astype(np.float32)  # four windows of mean 1/2 overlap


def shout(samples: np.ndarray) -> np.ndarray:
    """Imitate the spectrum of a shout in an overdriven microphone.

    The spectrum rises by 6 dB an octave against speech, and peaks are cut. Pitch, formants and
    tempo, which a shout changes too, stay.
    """
    bright = _emphasise(samples)
    return np.tanh(OVERDRIVE * bright / max(np.abs(bright).max(), 1e-9)).astype(np.float32)


def _emphasise(samples: np.ndarray) -> np.ndarray:
    return samples - EMPHASIS * np.concatenate([[0.0], samples[:-1]])
