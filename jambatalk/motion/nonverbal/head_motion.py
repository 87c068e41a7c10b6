"""Head motion: drift, a small turn with every phrase, and nods on stressed syllables."""

from __future__ import annotations

import numpy as np

from jambatalk.motion.nonverbal.curves import Bumps, Glide, Wander, ease
from jambatalk.motion.nonverbal.prosody import Prosody
from jambatalk.motion.nonverbal.voice_features import RATE

# Degrees of pitch, yaw and roll. Speakers move their heads continuously: widely when they begin
# after a pause, sharply on what is loud and stressed (Hadar, Steiner and Rose, Journal of
# Nonverbal Behavior 8, 1984), in time with pitch and loudness (Munhall et al., Psychological
# Science 15, 2004).
LIMITS = np.array([4.0, 5.0, 3.0])  # never reached
DRIFT = np.array([0.6, 0.9, 0.5])  # standard deviation while the voice speaks
CALM = 0.5  # part of it that remains in pauses
DRIFT_SPACING = 1.1  # seconds, see :class:`Wander`
AROUSAL_SECONDS = 1.2  # from calm to speech, and back
TURN = np.array([0.5, 1.5, 0.8])  # standard deviation from phrase to phrase
TURN_SECONDS, TURNS_APART, TURN_EARLY = 1.0, 1.6, 0.15  # seconds
NOD = 1.9  # degrees down, of an accent of strength 1
# A nod begins on the accent and is lowest after it (Kim, Cvejic and Davis, Speech Communication 57,
# 2014). Then the head rises above its level and sinks back, so that the average stays.
NOD_LATE, NOD_RISE, NOD_FALL = 0.08, 0.22, 0.50  # seconds
LIFT_LATE, LIFT_RISE, LIFT_FALL = 1.5, 1.3, 2.5
LIFT = -NOD * (NOD_RISE + NOD_FALL) / (LIFT_RISE + LIFT_FALL)
BREATH, BREATH_SECONDS = 0.15, 4.0  # degrees of pitch; 15 breaths a minute at rest
UNEVEN = 0.15  # sd of the breath's phase
START = 0.7  # seconds in which it begins and ends, with the face to the front


class HeadMotion:
    """The head's pose, see :class:`jambatalk.face.neck.Neck`."""

    def __init__(self, seed: int) -> None:
        nods, turns, drift, breath = (np.random.default_rng([seed, 4, k]) for k in range(4))
        self._rng, self._turn_rng = nods, turns
        self._nods = Bumps()
        self._turns = Glide(np.zeros(3))
        self._arousal = Glide(np.zeros(1))
        self._drift = Wander(3, DRIFT_SPACING, drift)
        self._breath = Wander(1, 2 * BREATH_SECONDS, breath)
        self._spoke = False
        self._turn(-TURN_EARLY)
        self._end: tuple[float, float] | None = None

    def step(self, prosody: Prosody, earliest: float) -> None:
        """Turn with a new phrase, and nod on accents, not before the time `earliest`."""
        for number, speaking in enumerate(prosody.speaking.tolist(), prosody.start):
            if speaking != self._spoke:
                self._spoke = speaking
                start = max(number / RATE - TURN_EARLY, earliest)
                self._arousal.move(start, AROUSAL_SECONDS, np.array([float(speaking)]))
                if speaking and start - self._turned >= TURNS_APART:
                    self._turn(start)
        for at, strength in prosody.accents():
            height, low = strength * self._rng.uniform(0.6, 1.0), at + NOD_LATE
            self._nods.add(low, NOD * height, NOD_RISE, 0.0, NOD_FALL)
            self._nods.add(low + LIFT_LATE, LIFT * height, LIFT_RISE, 0.0, LIFT_FALL)

    def _turn(self, start: float) -> None:
        self._turned = start
        self._turns.move(start, TURN_SECONDS, TURN * self._turn_rng.standard_normal(3))

    def end(self, started: float, last: float) -> None:
        """Return to the front from the time `started` to the time `last`."""
        self._end = max(started, last - START), last

    def pose(self, time: np.ndarray) -> np.ndarray:
        """Evaluate pitch, yaw and roll, (T, 3) radians; zero at the beginning and the end."""
        pose = DRIFT * self._drift.at(time) * (CALM + (1 - CALM) * self._arousal.at(time))
        pose += self._turns.at(time)
        breath = time / BREATH_SECONDS + UNEVEN * self._breath.at(time)[:, 0]
        pose[:, 0] += self._nods.at(time) + BREATH * np.sin(2 * np.pi * breath)
        pose = LIMITS * np.tanh(pose / LIMITS) * ease(time / START)[:, None]
        if self._end:
            start, end = self._end
            pose *= ease((end - time) / max(end - start, 1e-3))[:, None]
        return np.radians(pose)

    def forget(self, before: float) -> None:
        """Drop what is over."""
        for curve in (self._nods, self._turns, self._arousal, self._drift, self._breath):
            curve.forget(before)
