"""Loudness and pitch of sound, value by value as it arrives."""

from __future__ import annotations

import numpy as np

from jambatalk.speech import SAMPLE_RATE, SILENCE_RMS

RATE = 100  # values a second
BLOCK = 8  # values that are computed together
HOP = SAMPLE_RATE // RATE  # samples
# The rumble of a room or fan is flattened, since its loudness fluctuates as that of speech does;
# the loudness of voices stays about the same.
EMPHASIS = 0.7  # of the last sample, taken off each
FLOOR = 20 * np.log10(SILENCE_RMS)  # dB: nothing below it is speech

# The pitch is measured on every second sample, in windows of 40 ms, one for two values.
PITCH_RATE = SAMPLE_RATE // 2
WINDOW = 4 * HOP // 2
SHORTEST, LONGEST = PITCH_RATE // 400, PITCH_RATE // 70  # lags: voices lie between 70 and 400 Hz
VOICED = 0.5  # of the autocorrelation at no lag
SIZE = 512  # of the Fourier transform: at least WINDOW + LONGEST
TAPER = np.hanning(WINDOW).astype(np.float32)
TAPER_CORRELATION = np.fft.irfft(np.abs(np.fft.rfft(TAPER, SIZE)) ** 2)[: LONGEST + 1]


class VoiceFeatures:
    """Loudness and pitch of successive blocks. Value i is measured around i / RATE seconds."""

    def __init__(self) -> None:
        self._before = np.zeros(2 * HOP, np.float32)  # the last samples of earlier blocks

    def step(self, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Measure the next block.

        Args:
            samples: (BLOCK * HOP,) float32.

        Returns:
            Loudness (BLOCK,) in dB below full scale, in windows of 30 ms; and pitch (BLOCK,) in
            semitones, NaN where there is none.
        """
        sound = np.concatenate([self._before, samples])
        self._before = sound[-2 * HOP :]
        flat = sound - EMPHASIS * np.concatenate([sound[:1], sound[:-1]])
        power = np.square(flat, dtype=np.float64).reshape(-1, HOP).mean(1) / (1 - EMPHASIS)
        loudness = 10 * np.log10((power[:-2] + power[1:-1] + power[2:]) / 3 + 1e-10)
        if loudness.max() < FLOOR:
            return loudness, np.full(BLOCK, np.nan)
        return loudness, np.repeat(_pitch(sound.reshape(-1, 2).mean(1)), 2)


def _pitch(sound: np.ndarray) -> np.ndarray:
    """Measure pitch (BLOCK / 2,) by autocorrelation, after Boersma (1993)."""
    windows = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP]
    windows = (windows - windows.mean(1, keepdims=True)) * TAPER
    alike = np.fft.irfft(np.abs(np.fft.rfft(windows, SIZE)) ** 2)[:, : LONGEST + 1]
    alike = alike / TAPER_CORRELATION
    lag = SHORTEST + alike[:, SHORTEST:].argmax(1)
    best = alike[np.arange(len(lag)), lag]
    voiced = (best > VOICED * np.maximum(alike[:, 0], 1e-7)) & (lag > SHORTEST) & (lag < LONGEST)
    return np.where(voiced, -12 * np.log2(lag), np.nan)
