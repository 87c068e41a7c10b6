"""Gaze: fixations on the viewer's face, and glances away in pauses."""

from __future__ import annotations

import numpy as np

from jambatalk.motion.curves import Glide
from jambatalk.motion.nonverbal.prosody import Prosody
from jambatalk.motion.nonverbal.voice_features import RATE

# Degrees. Observers of a face fixate one feature after another; angles as small as these still
# count as eye contact.
FEATURES = np.array([0.9, 0.6])  # standard deviation of yaw and elevation
FIXATION, FIXATION_SPREAD = 0.9, 0.5  # seconds (median); of the logarithm
# Speakers look away in pauses, and back before they go on (Kendon, Acta Psychologica 26, 1967). In
# Lee, Badler and Badler's recordings (Eyes Alive, SIGGRAPH 2002) they did for 0.9 s, after 3.1 s;
# a talking head that speaks to a camera does so less often.
AWAY, AWAY_SPREAD = 0.8, 0.3  # seconds (median); of the logarithm
AWAY_IN_PAUSE = 0.5  # how often
PAUSE = 0.35  # seconds: the eyes stay on the viewer in shorter pauses
RESTING = 7.0  # seconds between looks away, on average, while the voice is silent
FAR = (4.5, 8.0)  # degrees
UP = 0.6  # of the distance that is up or down
# Duration of a saccade: 2.2 ms a degree and 21 ms (Carpenter, Movements of the Eyes, 1988).
SACCADE, SACCADE_PER_DEGREE = 0.021, 0.0022  # seconds
LEAVE = 0.1  # seconds after the end of a phrase


class Gaze:
    """The direction of gaze relative to the shoulders; 0, 0 is the viewer."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._curve = Glide(np.zeros(2))  # degrees
        self._target = np.zeros(2)
        self._tempo = self._often = 1.0
        self._until = self._fixation()  # the end of a fixation
        self._pause = 0.0  # start of the pause; infinity while the voice speaks
        self._decided = True  # whether to look away in this pause
        self._leave, self._back = self._rest(0.0), np.inf  # times of the next glance away and back

    def step(
        self, prosody: Prosody, delay: int, tempo: float = 1.0, away: float = 1.0
    ) -> list[float]:
        """Plan gaze `delay` values after the prosody.

        Args:
            tempo, away: factors of how often the eyes hop, and leave the viewer.

        Returns:
            Times at which the eyes leave the viewer or come back, seconds.
        """
        self._tempo, self._often = tempo, away
        glances: list[float] = []
        for number, speaking in enumerate(prosody.speaking.tolist(), prosody.start):
            known, now = number / RATE, (number - delay) / RATE
            self._plan(known, now, speaking)
            if now < 0:
                continue
            gone = np.isfinite(self._back)
            if now >= self._back if gone else now >= self._leave:
                self._turn(now, self._hop() if gone else self._away())
                self._back = np.inf if gone else now + self._away_for()
                self._leave = self._rest(now) if np.isfinite(self._leave) else self._leave
                self._until = now + self._fixation()
                glances.append(now)
            elif now >= self._until and not gone:
                self._turn(now, self._hop())
                self._until = now + self._fixation()
        return glances

    def _plan(self, known: float, now: float, speaking: bool) -> None:
        """Choose when to look away next: soon after the start of a pause, or later in it."""
        if speaking:
            self._pause, self._leave, self._decided = np.inf, np.inf, False
        elif np.isinf(self._pause):
            self._pause = known
        elif not self._decided and known - self._pause >= PAUSE:
            self._decided = True
            thinks = self._rng.uniform() < AWAY_IN_PAUSE * self._often
            self._leave = max(self._pause + LEAVE, now) if thinks else self._rest(now)

    def _turn(self, start: float, target: np.ndarray) -> None:
        degrees = float(np.linalg.norm(target - self._target))
        self._curve.move(start, SACCADE + SACCADE_PER_DEGREE * degrees, target)
        self._target = target

    def _hop(self) -> np.ndarray:
        return FEATURES * np.clip(self._rng.standard_normal(2), -2, 2)

    def _away(self) -> np.ndarray:
        """Choose a direction, degrees: anywhere, more sideways than up, and rather down."""
        angle = self._rng.uniform(0.0, 2 * np.pi)
        return np.array([np.cos(angle), UP * np.sin(angle) - 0.2]) * self._rng.uniform(*FAR)

    def _fixation(self) -> float:
        spread = np.exp(FIXATION_SPREAD * self._rng.standard_normal())
        return float(FIXATION * spread / self._tempo)

    def _away_for(self) -> float:
        return float(AWAY * np.exp(AWAY_SPREAD * self._rng.standard_normal()))

    def _rest(self, now: float) -> float:
        return now + 2.0 + float(self._rng.exponential(RESTING - 2.0)) / self._often

    def direction(self, time: np.ndarray, lift: np.ndarray) -> np.ndarray:
        """Evaluate yaw to the head's own left and elevation, (T, 2) radians.

        Args:
            lift: (T,) degrees, added to the elevation.
        """
        direction = self._curve.at(time)
        direction[:, 1] += lift
        return np.radians(direction)

    def forget(self, before: float) -> None:
        """Drop what is over."""
        self._curve.forget(before)
