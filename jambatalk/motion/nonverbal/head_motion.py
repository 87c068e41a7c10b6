"""Head motion: it rises with the voice, turns and beats on stressed syllables, and drifts."""

from __future__ import annotations

import numpy as np

from jambatalk.motion.curves import Bumps, Glide, Wander
from jambatalk.motion.nonverbal.arousal import SETTLE, Arousal
from jambatalk.motion.nonverbal.prosody import Prosody
from jambatalk.motion.nonverbal.voice_features import RATE

# Degrees of pitch, yaw and roll, fitted to a fluent public speech (`benchmarks/head_motion.py`);
# what happens in a long silence was in no recording.
LIMITS = np.array([15.0, 17.0, 13.0])  # never reached
# The head rises with the loudness of the voice, and sinks in pauses; it moves in time with loudness
# in Munhall et al., Psychological Science 15, 2004, too.
RISE = 12.0  # degrees of pitch, up at loudness 1
USUAL = 0.34  # loudness at which it is level
VOICE_RISE, VOICE_FALL = 0.24, 0.5  # seconds over which loudness is taken
# It turns elsewhere with a new phrase, and on stressed syllables: speakers move widely when they
# begin after a pause, sharply on what is loud and stressed (Hadar, Steiner and Rose, Journal of
# Nonverbal Behavior 8, 1984).
TURN = np.array([1.0, 4.5, 4.4])  # standard deviation
KEPT = 0.15  # part of the last direction in the next
LEAN = -0.45  # correlation of yaw and roll
TURN_SECONDS, TURNS_APART, TURN_EARLY = 0.55, 0.45, 0.2  # seconds
# It is thrown up on a stressed syllable (down on some), and a little aside, and comes back.
BEAT = np.array([-1.0, 0.0, 0.0])  # degrees, of an accent of strength 1
BEAT_SPREAD = np.array([1.0, 2.4, 1.0])  # standard deviation
BEAT_LATE, BEAT_RISE, BEAT_FALL = 0.1, 0.26, 0.44  # seconds
DRIFT = np.array([2.3, 2.0, 1.8])  # standard deviation while the voice speaks
DRIFT_SPACING = 1.6  # seconds, see :class:`Wander`
CALM = 0.3  # part of the drift that remains at rest
BREATH, BREATH_SECONDS = 0.15, 4.0  # degrees of pitch; 15 breaths a minute at rest
UNEVEN_BREATH = 0.15  # sd of the breath's phase


class HeadMotion:
    """The head's pose, see :class:`jambatalk.face.neck.Neck`."""

    def __init__(self, seed: int) -> None:
        beats, turns, drift, breath = (np.random.default_rng([seed, 4, k]) for k in range(4))
        self._rng, self._turn_rng = beats, turns
        self._beats = [Bumps() for _ in LIMITS]
        self._turns = Glide(np.zeros(3))
        self._direction, self._turned = np.zeros(3), -np.inf
        self._voice = Bumps()
        self._tempo = 1.0
        self._arousal = Arousal()
        self._drift = Wander(3, DRIFT_SPACING, drift)
        self._breath = Wander(1, 2 * BREATH_SECONDS, breath)

    def step(self, prosody: Prosody, earliest: float, tempo: float = 1.0) -> None:
        """Follow phrases, pauses and accents, not before the time `earliest`.

        `tempo` is a factor of the speed of turns and beats.
        """
        self._tempo = tempo
        loudness = prosody.loudness.sum() / RATE / ((VOICE_RISE + VOICE_FALL) / 2)
        self._voice.add(earliest + VOICE_RISE, float(loudness), VOICE_RISE, 0.0, VOICE_FALL)
        begins, settles = self._arousal.step(prosody, earliest)
        for begin in begins:
            self._turn(max(begin - TURN_EARLY, earliest))
        if settles:
            self._direction = np.zeros(3)
            self._turns.move(earliest, SETTLE, self._direction)
        for at, strength in prosody.accents():
            self._beat(at + BEAT_LATE, strength)
            self._turn(max(at - TURN_EARLY, earliest))

    def _turn(self, start: float) -> None:
        pitch, yaw, own = self._turn_rng.standard_normal(3)
        roll = LEAN * yaw + np.sqrt(1 - LEAN**2) * own
        if start - self._turned < TURNS_APART / self._tempo:
            return
        new = TURN * (pitch, yaw, roll)
        self._turned = start
        self._direction = KEPT * self._direction + np.sqrt(1 - KEPT**2) * new
        self._turns.move(start, TURN_SECONDS / self._tempo, self._direction)

    def _beat(self, top: float, strength: float) -> None:
        heights = strength * (BEAT + BEAT_SPREAD * self._rng.standard_normal(3))
        for beats, height in zip(self._beats, heights.tolist(), strict=True):
            beats.add(top, height, BEAT_RISE, 0.0, BEAT_FALL / self._tempo)

    def pose(self, time: np.ndarray, reach: np.ndarray, held: np.ndarray) -> np.ndarray:
        """Evaluate pitch, yaw and roll, (T, 3) radians.

        Args:
            reach: (T,) factor of the motion.
            held: (T, 3) degrees, the pose about which the head moves.
        """
        arousal = self._arousal.at(time)
        pose = DRIFT * self._drift.at(time) * (CALM + (1 - CALM) * arousal[:, None])
        pose += self._turns.at(time) + np.stack([beats.at(time) for beats in self._beats], 1)
        breath = time / BREATH_SECONDS + UNEVEN_BREATH * self._breath.at(time)[:, 0]
        lift = RISE * (self._voice.at(time) - USUAL * arousal)
        pose[:, 0] += BREATH * np.sin(2 * np.pi * breath) - lift
        pose = reach[:, None] * pose + held
        return np.radians(LIMITS * np.tanh(pose / LIMITS))

    def forget(self, before: float) -> None:
        """Drop what is over."""
        for bumps in (*self._beats, self._voice):
            bumps.forget(before)
        for curve in (self._turns, self._arousal, self._drift, self._breath):
            curve.forget(before)
