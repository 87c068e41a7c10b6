"""Prosody of speech as it arrives: pauses, loudness and accents.

Loudness and pitch are computed once; speech and accents are detected relative to the last seconds
of them. So cost is linear in the length of the sound, and memory is bounded. Blocks lie at fixed
times: the pieces in which sound arrives make no difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from jambatalk.motion.nonverbal.voice_features import BLOCK, FLOOR, HOP, RATE, VoiceFeatures

SETTLED = 34  # values that must follow a value until it is final
LOOK_AHEAD = (SETTLED + BLOCK) / RATE  # seconds, at most

MEMORY = 10 * RATE  # values to which others are compared
EXPECTED = -48.0  # dB: at first, speech is louder
FADING = 0.5  # dB a second by which this falls at most, so that noise in a pause stays below it
CONTRAST = 3.0  # dB by which speech is louder than the quietest values
PAUSE = 25  # values: shorter pauses are the closures of stops
BURST = 8  # values: shorter sounds between pauses are clicks
RECENT = 100  # values: earlier ones are not classified again

BOX = np.full(9, 1 / 9)
KERNEL = np.convolve(np.convolve(BOX, BOX), BOX)  # smooths loudness and pitch
SCORED = len(KERNEL) // 2  # values that must follow for that
SCORES = slice(-SCORED - BLOCK, -SCORED)  # those that are then scored
OCTAVE = 9  # semitones: further from the median are octave errors
AROUND = 250  # values of speech from which an accent stands out
FLAT_LOUDNESS, FLAT_PITCH = 3.0, 1.5  # dB and semitones: deviations of a monotonous voice
ACCENT, STRONG = 0.3, 1.8  # deviations above the usual, for strengths 0 and 1
FEWEST = 40  # values of speech needed to find accents
APART = 35  # values between accents


@dataclass(frozen=True, eq=False)
class Prosody:
    """Pauses, loudness and accents of a voice over a stretch of time.

    Attributes:
        start: number of the first value; value i is at i / RATE seconds.
        speaking: (n,) whether the voice speaks.
        loudness: (n,) 0 in pauses and at the threshold of speech, 1 where it is loudest.
        strengths: (n,) 0 to 1 where a syllable is stressed, NaN elsewhere.
        pitch: (n,) semitones, NaN where there is none.
    """

    start: int
    speaking: np.ndarray
    loudness: np.ndarray
    strengths: np.ndarray
    pitch: np.ndarray

    @property
    def end(self) -> int:
        """Number after that of the last value."""
        return self.start + len(self.speaking)

    def accents(self) -> list[tuple[float, float]]:
        """List times of accents, seconds, and their strengths."""
        at = np.flatnonzero(np.isfinite(self.strengths))
        return [((self.start + i) / RATE, float(self.strengths[i])) for i in at]


class ProsodyStream:
    """Prosody of one recording as it arrives."""

    def __init__(self) -> None:
        self._features = VoiceFeatures()
        self._samples = np.zeros(0, np.float32)  # of the next block
        self._count = 0  # values so far
        # The last of them:
        self._loudness = np.zeros(0)
        self._pitch = np.zeros(0)
        self._speaking = np.zeros(0, bool)
        self._scores = np.full(SETTLED + APART, -np.inf)
        self._last_accent = -APART
        # Loudness in dB above which sound is speech, and that of the loudest.
        self._threshold, self._loudest = EXPECTED, EXPECTED

    def feed(self, samples: np.ndarray) -> Iterator[Prosody]:
        """Yield what is settled after further samples (n,) at 16 kHz."""
        self._samples = np.concatenate([self._samples, samples.astype(np.float32, copy=False)])
        blocks = len(self._samples) // (BLOCK * HOP)
        whole, self._samples = np.split(self._samples, [blocks * BLOCK * HOP])
        for block in whole.reshape(blocks, BLOCK * HOP):
            yield from self._step(block)

    def finish(self, beyond: int = 0) -> Iterator[Prosody]:
        """Yield the rest, and at least `beyond` values of silence after the end."""
        end = self._count + -(-len(self._samples) // HOP) + beyond
        while self._count - SETTLED < end:
            block = np.zeros(BLOCK * HOP, np.float32)
            block[: len(self._samples)] = self._samples
            self._samples = self._samples[:0]
            yield from self._step(block, ended=True)

    def _step(self, samples: np.ndarray, ended: bool = False) -> Iterator[Prosody]:
        loudness, pitch = self._features.step(samples)
        self._count += BLOCK
        self._loudness = np.concatenate([self._loudness, loudness])[-MEMORY:]
        self._pitch = np.concatenate([self._pitch, pitch])[-MEMORY:]
        if not ended:  # the zeros after the end are not the room's silence
            faded = self._threshold - FADING * BLOCK / RATE
            threshold, self._loudest = _range(self._loudness)
            self._threshold = max(threshold, faded)
        recent = _speaking(self._loudness[-RECENT:] > self._threshold)
        kept = self._speaking[-(MEMORY - BLOCK) :][: len(self._loudness) - len(recent)]
        self._speaking = np.concatenate([kept, recent])
        self._scores = np.concatenate([self._scores[BLOCK:], self._score()])
        # Values before the first are dropped.
        start = self._count - BLOCK - SETTLED
        first = max(-start, 0)
        if first < BLOCK:
            settled = slice(-SETTLED - BLOCK + first, -SETTLED)
            span = max(self._loudest - self._threshold, CONTRAST)
            above = (self._loudness[settled] - self._threshold) / span
            speaking = self._speaking[settled]
            loudness = np.where(speaking, np.clip(above, 0.0, 1.0), 0.0)
            accents, pitch = self._accents(start)[first:], self._pitch[settled]
            yield Prosody(start + first, speaking, loudness, accents, pitch)

    def _score(self) -> np.ndarray:
        """Score the next values (BLOCK,) by how much they stand out, -inf in pauses."""
        spoken = np.flatnonzero(self._speaking)[-AROUND:]
        if len(spoken) < FEWEST or len(self._speaking) < spoken[0] + SCORED + BLOCK:
            return np.full(BLOCK, -np.inf)
        first = spoken[0]
        score = np.zeros(BLOCK)
        for values, flat in (
            (self._loudness[first:], FLAT_LOUDNESS),
            (_filled(self._pitch[first:]), FLAT_PITCH),
        ):
            padded = np.concatenate([values[:1].repeat(SCORED), values, values[-1:].repeat(SCORED)])
            smooth = np.convolve(padded, KERNEL, mode="valid")
            usual = smooth[spoken - first]
            score += (smooth[SCORES] - usual.mean()) / max(usual.std(), flat) / np.sqrt(2)
        return np.where(self._speaking[SCORES], score, -np.inf)

    def _accents(self, start: int) -> np.ndarray:
        """Choose the accents among the settled values (BLOCK,), of which `start` is the first."""
        accents = np.full(BLOCK, np.nan)
        first = len(self._scores) - (SETTLED - SCORED) - BLOCK
        for number in range(BLOCK):
            at = first + number
            score = self._scores[at]
            if score <= ACCENT or start + number - self._last_accent < APART:
                continue
            if score >= self._scores[at - BLOCK : at + SETTLED - SCORED + 1].max():
                self._last_accent = start + number
                accents[number] = min((score - ACCENT) / (STRONG - ACCENT), 1.0)
        return accents


def _range(loudness: np.ndarray) -> tuple[float, float]:
    """Return the loudness in dB above which sound is speech, clearly above the quietest values and
    not far below the loudest, and that of the loudest."""
    last = len(loudness) - 1
    ranks = round(0.05 * last), round(0.95 * last)
    quiet, loud = np.partition(loudness, ranks)[list(ranks)]
    threshold = max(quiet + max(0.4 * (loud - quiet), CONTRAST), loud - 30, FLOOR)
    return float(threshold), float(loud)


def _speaking(speaking: np.ndarray) -> np.ndarray:
    """Fill short gaps between loud values (n,) bool, then drop short bursts."""
    for state, shortest in ((False, PAUSE), (True, BURST)):
        edges = np.flatnonzero(np.diff(speaking)) + 1
        for start, end in pairwise(edges):
            if speaking[start] == state and end - start < shortest:
                speaking[start:end] = not state
    return speaking


def _filled(pitch: np.ndarray) -> np.ndarray:
    """Interpolate pitch (n,) where there is none, and remove octave errors."""
    voiced = np.isfinite(pitch)
    if not voiced.any():
        return np.zeros(len(pitch))
    middle = np.count_nonzero(voiced) // 2
    pitch = pitch - np.partition(pitch[voiced], middle)[middle]
    index = np.flatnonzero(np.abs(pitch) < OCTAVE)  # NaN is not
    return np.interp(np.arange(len(pitch)), index, pitch[index])
