"""Where a voice pauses and what it stresses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jambatalk.motion.nonverbal.curves import smooth
from jambatalk.speech import SAMPLE_RATE, Speech

RATE = 100  # measurements a second
PITCH_RATE = 50  # of them for the pitch
PAUSE = 0.25  # seconds: shorter ones are the closures of stops
BURST = 0.08  # seconds: shorter sounds between pauses are clicks
LOWEST, HIGHEST = 70.0, 400.0  # Hz, of voices
VOICED = 0.5  # of the autocorrelation at no lag
SPREAD = 1.5  # semitones: a voice that varies less is monotonous, and stays so
AROUND = 1.0  # seconds: what is stressed stands out from what is this near
ACCENT, STRONG = 0.5, 1.8  # how far, in standard deviations, for strengths 0 and 1
APART = 0.35  # seconds between accents


@dataclass(frozen=True, eq=False)
class Prosody:
    """What the voice does beside words.

    Attributes:
        seconds: how long it is.
        pauses: (p, 2) start and end of the stretches in which nobody speaks, seconds; a recording
            may begin and end with one.
        accents: (a,) times of stressed syllables, seconds.
        strengths: (a,) how much they are stressed, 0 to 1.
    """

    seconds: float
    pauses: np.ndarray
    accents: np.ndarray
    strengths: np.ndarray

    @classmethod
    def of(cls, speech: Speech) -> Prosody:
        """Listens; all of a silent recording is a pause."""
        if speech.is_silent:
            nothing = np.zeros(0)
            return cls(speech.duration, np.array([[0.0, speech.duration]]), nothing, nothing)
        level = _level(speech.samples)
        speaking = _speaking(level)
        pauses = _stretches(~speaking) / RATE
        pauses[pauses[:, 1] >= len(speaking) / RATE, 1] = speech.duration
        accents, strengths = _accents(speech.samples, level, speaking)
        return cls(speech.duration, pauses, accents, strengths)

    @property
    def inner_pauses(self) -> np.ndarray:
        """(q, 2) those between two phrases."""
        inside = (self.pauses[:, 0] > 0) & (self.pauses[:, 1] < self.seconds)
        return self.pauses[inside]

    def speaking(self, time: np.ndarray) -> np.ndarray:
        """Whether somebody speaks, (T,) bool."""
        edges = self.pauses.ravel()
        return np.searchsorted(edges, time, side="right") % 2 == 0


def _level(samples: np.ndarray) -> np.ndarray:
    """Loudness (n,) in dB below full scale, in windows of 30 ms."""
    hop = SAMPLE_RATE // RATE
    if len(samples) < hop:  # one window at least
        samples = np.pad(samples, (0, hop - len(samples)))
    count = len(samples) // hop
    power = np.square(samples[: count * hop]).reshape(count, hop).mean(1, dtype=np.float64)
    padded = np.pad(power, 1, mode="edge")
    return 10 * np.log10((padded[:-2] + padded[1:-1] + padded[2:]) / 3 + 1e-10)


def _speaking(level: np.ndarray) -> np.ndarray:
    """(n,) bool: clearly louder than the quietest there is, and not far below the loudest."""
    quiet, loud = np.percentile(level, [5, 95])
    speaking = level > max(quiet + 0.4 * (loud - quiet), loud - 30)
    for state, shortest in ((False, PAUSE), (True, BURST)):
        for start, end in _stretches(speaking == state).astype(int):
            if end - start < shortest * RATE:
                speaking[start:end] = not state
    return speaking


def _stretches(true: np.ndarray) -> np.ndarray:
    """(m, 2) starts and ends of the runs in which it is true, as floats."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], true, [False]])))
    return edges.reshape(-1, 2).astype(float)


def _accents(
    samples: np.ndarray, level: np.ndarray, speaking: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Times and strengths of the syllables that are louder and higher than those around them."""
    nothing = np.zeros(0)
    if np.count_nonzero(speaking) < 2 * APART * RATE:
        return nothing, nothing
    loud = _standing_out(smooth(level, 4), speaking, floor=3.0)
    high = _standing_out(smooth(_pitch(samples, len(level)), 4), speaking, floor=SPREAD)
    score = np.where(speaking, (loud + high) / np.sqrt(2), -np.inf)
    tops = np.flatnonzero((score[1:-1] > score[:-2]) & (score[1:-1] >= score[2:])) + 1
    tops = tops[score[tops] > ACCENT]
    chosen: list[int] = []
    for top in tops:  # of two that are near the greater
        if not chosen or top - chosen[-1] >= APART * RATE:
            chosen.append(int(top))
        elif score[top] > score[chosen[-1]]:
            chosen[-1] = int(top)
    strengths = np.clip((score[chosen] - ACCENT) / (STRONG - ACCENT), 0.0, 1.0)
    return (np.array(chosen) + 0.5) / RATE, strengths


def _standing_out(values: np.ndarray, speaking: np.ndarray, floor: float) -> np.ndarray:
    """(n,) above what is usual in the speech around, in standard deviations of at least `floor`."""
    share = smooth(speaking.astype(float), AROUND * RATE)
    usual = smooth(np.where(speaking, values, 0.0), AROUND * RATE) / np.maximum(share, 1e-3)
    rest = values - usual
    return rest / max(rest[speaking].std(), floor)


def _pitch(samples: np.ndarray, count: int) -> np.ndarray:
    """Pitch (count,) in semitones about the voice's median, by autocorrelation; straight lines
    where there is none."""
    rate = SAMPLE_RATE // 2
    half = samples[: len(samples) // 2 * 2].reshape(-1, 2).mean(1)
    width, hop = round(0.04 * rate), rate // PITCH_RATE
    half = np.pad(half, (width // 2, width))
    windows = np.lib.stride_tricks.sliding_window_view(half, width)[::hop]
    shortest, longest = int(rate / HIGHEST), int(rate / LOWEST)
    taper = np.hanning(width).astype(np.float32)
    size = 512  # at least width + longest
    own = np.fft.irfft(np.abs(np.fft.rfft(taper, size)) ** 2)[: longest + 1]
    semitones = np.full(len(windows), np.nan)
    for start in range(0, len(windows), 1000):
        part = windows[start : start + 1000]
        part = (part - part.mean(1, keepdims=True)) * taper
        alike = np.fft.irfft(np.abs(np.fft.rfft(part, size)) ** 2)[:, : longest + 1]
        alike = alike / own / np.maximum(alike[:, :1] / own[0], 1e-7)
        lag = shortest + alike[:, shortest:].argmax(1)
        best = alike[np.arange(len(part)), lag]
        heard = (best > VOICED) & (lag > shortest) & (lag < longest)
        semitones[start : start + 1000][heard] = -12 * np.log2(lag[heard])
    voiced = np.isfinite(semitones)
    if not voiced.any():
        return np.zeros(count)
    semitones -= np.median(semitones[voiced])
    voiced &= np.abs(semitones) < 9  # beyond are octaves misheard
    time = np.arange(len(semitones)) / PITCH_RATE
    return np.interp((np.arange(count) + 0.5) / RATE, time[voiced], semitones[voiced])
