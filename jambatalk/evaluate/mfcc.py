"""Mel-frequency cepstral coefficients as SyncNet takes them."""

from __future__ import annotations

import numpy as np

from jambatalk.speech import SAMPLE_RATE

WINDOW, STEP, FOURIER = 400, 160, 512  # samples: 25 ms, 10 ms, and the transform's length
FILTERS, COEFFICIENTS = 26, 13
EMPHASIS = 0.97  # of high frequencies
LIFTER = 22  # raises the higher coefficients
FULL_SCALE = 32768.0  # of 16-bit samples, in which the network was trained


def mfcc(samples: np.ndarray) -> np.ndarray:
    """Compute the coefficients of speech (n,) at 16 kHz, whose full scale is 1: (13, t), 100 a s.

    The first one is the logarithm of the window's energy. Windows are rectangular, the last one is
    filled with zeros. Davis and Mermelstein, "Comparison of parametric representations for
    monosyllabic word recognition", 1980.
    """
    from scipy.fft import dct

    wave = samples.astype(np.float64) * FULL_SCALE
    wave = np.append(wave[:1], wave[1:] - EMPHASIS * wave[:-1])
    count = 1 + max(0, -(-(len(wave) - WINDOW) // STEP))
    wave = np.pad(wave, (0, max(0, (count - 1) * STEP + WINDOW - len(wave))))
    windows = np.lib.stride_tricks.sliding_window_view(wave, WINDOW)[::STEP][:count]
    power = np.abs(np.fft.rfft(windows, FOURIER)) ** 2 / FOURIER  # (t, 257)
    least = np.finfo(np.float64).eps
    bands = np.log(np.maximum(power @ mel_filters().T, least))
    found = dct(bands, norm="ortho")[:, :COEFFICIENTS]
    found *= 1 + LIFTER / 2 * np.sin(np.pi * np.arange(COEFFICIENTS) / LIFTER)
    found[:, 0] = np.log(np.maximum(power.sum(1), least))
    return found.T.astype(np.float32)


def mel_filters() -> np.ndarray:
    """Return triangles that are equally spaced in mel from 0 to 8 kHz, (26, 257)."""
    highest = 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700)
    hertz = 700 * (10 ** (np.linspace(0, highest, FILTERS + 2) / 2595) - 1)
    left, peak, right = (
        np.floor((FOURIER + 1) * hertz / SAMPLE_RATE)[i : i + FILTERS, None] for i in range(3)
    )
    bins = np.arange(FOURIER // 2 + 1)
    rising = (bins - left) / np.maximum(peak - left, 1)
    falling = (right - bins) / np.maximum(right - peak, 1)
    return np.where(bins < peak, rising, falling).clip(0, 1) * ((bins >= left) & (bins < right))
