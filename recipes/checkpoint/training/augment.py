"""Other voices, rooms and microphones out of one recording, so that no speaker is learned."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

from jambatalk.speech import SAMPLE_RATE

SPEED = (0.8, 1.25)  # slower is also deeper and from a larger head: no pitch is kept
CLEAR_PART = 0.4  # how often nothing but the speed: lips follow clear speech best
TILT = (-0.6, 0.6)  # dark to bright microphones
ROOM_PART, ROOM_SECONDS, ROOM_LEVEL = 0.3, (0.15, 0.6), (0.05, 0.35)  # how often, RT60, of direct
TELEPHONE_PART, TELEPHONE_BAND = 0.15, (300, 3400)  # how often, Hz
BABBLE_PART, BABBLE_VOICES = 0.5, 6
CODEC_PART, CODEC_BITS = 0.15, (6, 20)  # how often, kbit/s
NOISE_DB = (-2.0, 30.0)  # speech above noise
NOISE_COLOR = (0.0, 0.95)  # white to brown


def played(rows: np.ndarray, speed: float) -> np.ndarray:
    """Plays sound or motion (n, ...) `speed` times as fast, interpolated linearly: float32."""
    place = np.arange(0, len(rows) - 1, speed)
    before = place.astype(int)
    part = (place - before).astype(np.float32).reshape(-1, *[1] * (rows.ndim - 1))
    return (rows[before] * (1 - part) + rows[before + 1] * part).astype(np.float32)


def augment(
    samples: np.ndarray,
    speed: float,
    rng: np.random.Generator,
    others: Sequence[np.ndarray] = (),
) -> np.ndarray:
    """Changes the speed and mostly room, microphone and background of a recording (n,) at 16 kHz:
    float32, `1/speed` times as long. Its motion has to be :func:`played` at the same speed.

    Args:
        others: recordings of other voices, for people talking in the background.
    """
    samples = played(samples, speed)
    if rng.random() < CLEAR_PART:
        return samples
    if rng.random() < ROOM_PART:
        samples = in_a_room(samples, rng)
    background = _babble(len(samples), rng, others) if others else None
    if background is None or rng.random() > BABBLE_PART:
        background = colored_noise(len(samples), rng)
    level = np.sqrt(np.mean(samples**2)) * 10 ** (-rng.uniform(*NOISE_DB) / 20)
    samples = samples + background * (level / max(background.std(), 1e-9))
    samples = tilted(samples, rng.uniform(*TILT))
    if rng.random() < TELEPHONE_PART:
        band = butter(4, TELEPHONE_BAND, "bandpass", fs=SAMPLE_RATE, output="sos")
        samples = sosfilt(band, samples)
    if rng.random() < CODEC_PART:
        samples = _through_a_call(samples, rng)
    return samples.astype(np.float32)


def colored_noise(length: int, rng: np.random.Generator) -> np.ndarray:
    """Noise between white and brown, (length,)."""
    color = rng.uniform(*NOISE_COLOR)
    return lfilter([1.0], [1.0, -color], rng.standard_normal(length))


def tilted(samples: np.ndarray, tilt: float) -> np.ndarray:
    """Through a brighter (below 0) or darker microphone."""
    return samples + tilt * np.concatenate([[0.0], samples[:-1]])


def in_a_room(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """With the echo of a room: noise that dies away by 60 dB in its reverberation time."""
    seconds = rng.uniform(*ROOM_SECONDS)
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    echo = rng.standard_normal(len(time)) * 10 ** (-3 * time / seconds)
    echo *= rng.uniform(*ROOM_LEVEL) / np.linalg.norm(echo)
    return samples + fftconvolve(samples, echo)[: len(samples)]


def _through_a_call(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As Opus leaves it at a low rate."""
    ffmpeg, raw = get_ffmpeg_exe(), ("-f", "f32le", "-ar", str(SAMPLE_RATE), "-ac", "1")
    rate = f"{rng.uniform(*CODEC_BITS):.1f}k"
    samples = (samples / max(1.0, np.abs(samples).max())).astype(np.float32)
    sound = samples.tobytes()
    for read, write in (
        (raw, ("-c:a", "libopus", "-b:a", rate, "-application", "voip", "-f", "ogg")),
        (("-f", "ogg"), raw),
    ):
        command = [ffmpeg, "-v", "error", *read, "-i", "-", *write, "-"]
        sound = subprocess.run(command, input=sound, capture_output=True, check=True).stdout
    return np.resize(np.frombuffer(sound, np.float32), len(samples))


def _babble(length: int, rng: np.random.Generator, others: Sequence[np.ndarray]) -> np.ndarray:
    """Several people talking at once, (length,)."""
    voices = (others[i] for i in rng.choice(len(others), BABBLE_VOICES))
    return sum(
        np.resize(np.roll(voice, rng.integers(len(voice))), length) / max(voice.std(), 1e-9)
        for voice in voices
    )
