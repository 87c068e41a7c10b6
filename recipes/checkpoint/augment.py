"""Augmentation of recordings: speed, rooms, microphones, calls, noise and babble."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

import numpy as np
import soxr
from imageio_ffmpeg import get_ffmpeg_exe
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

from jambatalk.speech import SAMPLE_RATE

SPEED = (0.8, 1.25)  # changes pitch and formants too, as a smaller or larger head would
CLEAN_SHARE = 0.4  # of recordings with nothing but another speed: lips follow clear speech best
TILT = (-0.6, 0.6)  # dark to bright microphones
ROOM_SHARE, ROOM_SECONDS, ROOM_LEVEL = 0.3, (0.15, 0.6), (0.05, 0.35)  # RT60; of the direct sound
TELEPHONE_SHARE, TELEPHONE_BAND = 0.15, (300, 3400)  # Hz
BABBLE_SHARE, BABBLE_VOICES = 0.5, 6
CODEC_SHARE, CODEC_BITS = 0.15, (6, 20)  # kbit/s
NOISE_DB = (-2.0, 30.0)  # signal-to-noise ratio
NOISE_COLOR = (0.0, 0.95)  # white to brown


def augment(
    samples: np.ndarray,
    speed: float,
    rng: np.random.Generator,
    voices: Sequence[np.ndarray] = (),
) -> np.ndarray:
    """Change the speed and, mostly, room, microphone and background of a recording.

    Args:
        samples: (n,) at 16 kHz.
        speed: the result is `1/speed` times as long.
        voices: recordings of other speakers, for babble.

    Returns:
        (m,) float32.
    """
    samples = change_speed(samples, speed)
    if rng.random() < CLEAN_SHARE:
        return samples
    if rng.random() < ROOM_SHARE:
        samples = add_reverberation(samples, rng)
    if voices and rng.random() < BABBLE_SHARE:
        background = make_babble(len(samples), voices, BABBLE_VOICES, rng)
    else:
        background = colored_noise(len(samples), rng)
    samples = mix(samples, background, rng.uniform(*NOISE_DB))
    samples = tilt_spectrum(samples, rng.uniform(*TILT))
    if rng.random() < TELEPHONE_SHARE:
        band = butter(4, TELEPHONE_BAND, "bandpass", fs=SAMPLE_RATE, output="sos")
        samples = sosfilt(band, samples)
    if rng.random() < CODEC_SHARE:
        samples = _code(samples, rng)
    return samples.astype(np.float32)


def change_speed(samples: np.ndarray, speed: float) -> np.ndarray:
    """Play samples (n,) `speed` times as fast, without aliasing: (n/speed,) float32."""
    return soxr.resample(samples.astype(np.float32), SAMPLE_RATE * speed, SAMPLE_RATE)


def make_babble(
    length: int, voices: Sequence[np.ndarray], count: int, rng: np.random.Generator
) -> np.ndarray:
    """Mix `count` voices, equally loud, from random positions on: (length,).

    Voices are drawn without replacement where there are enough; short ones are repeated.
    """
    babble = np.zeros(length)
    for number in rng.choice(len(voices), count, replace=count > len(voices)):
        voice = np.resize(voices[number], max(length, len(voices[number])))
        start = rng.integers(len(voice) - length + 1)
        voice = voice[start : start + length]
        babble += voice / max(_rms(voice), 1e-9)
    return babble


def add_babble(
    samples: np.ndarray, voices: Sequence[np.ndarray], decibels: float, rng: np.random.Generator
) -> np.ndarray:
    """Add babble of `BABBLE_VOICES` voices to samples (n,) at a signal-to-noise ratio."""
    return mix(samples, make_babble(len(samples), voices, BABBLE_VOICES, rng), decibels)


def mix(samples: np.ndarray, background: np.ndarray, decibels: float) -> np.ndarray:
    """Add a background (n,) to samples (n,) at a signal-to-noise ratio, by their RMS levels."""
    gain = _rms(samples) / max(_rms(background), 1e-9) * 10 ** (-decibels / 20)
    return (samples + background * gain).astype(np.float32)


def colored_noise(length: int, rng: np.random.Generator) -> np.ndarray:
    """Generate noise between white and brown: (length,)."""
    color = rng.uniform(*NOISE_COLOR)
    return lfilter([1.0], [1.0, -color], rng.standard_normal(length))


def tilt_spectrum(samples: np.ndarray, tilt: float) -> np.ndarray:
    """Filter by a brighter (tilt below 0) or darker microphone."""
    return samples + tilt * np.concatenate([[0.0], samples[:-1]])


def add_reverberation(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Convolve with a random room: noise that decays by 60 dB in its reverberation time."""
    seconds = rng.uniform(*ROOM_SECONDS)
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    echo = rng.standard_normal(len(time)) * 10 ** (-3 * time / seconds)
    echo *= rng.uniform(*ROOM_LEVEL) / np.linalg.norm(echo)
    return samples + fftconvolve(samples, echo)[: len(samples)]


def _rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples**2)))


def _code(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Encode and decode by Opus at a low rate, as a call does."""
    raw = ["-f", "f32le", "-ar", str(SAMPLE_RATE), "-ac", "1"]
    rate = f"{rng.uniform(*CODEC_BITS):.1f}k"
    opus = ["-c:a", "libopus", "-b:a", rate, "-application", "voip", "-f", "ogg"]
    sound = (samples / max(1.0, np.abs(samples).max())).astype(np.float32).tobytes()
    for source, target in ((raw, opus), (["-f", "ogg"], raw)):
        command = [get_ffmpeg_exe(), "-v", "error", *source, "-i", "-", *target, "-"]
        sound = subprocess.run(command, input=sound, capture_output=True, check=True).stdout
    return np.resize(np.frombuffer(sound, np.float32), len(samples))
