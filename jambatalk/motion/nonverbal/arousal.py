"""Whether the speaker is in speech or at rest, and where phrases begin."""

from __future__ import annotations

import numpy as np

from jambatalk.motion.curves import Glide
from jambatalk.motion.nonverbal.prosody import Prosody
from jambatalk.motion.nonverbal.voice_features import RATE

REST = 1.5  # seconds of pause after which the speaker rests
ROUSE, SETTLE = 0.6, 1.6  # seconds from rest to speech, and back


class Arousal:
    """A course from 0, at rest, to 1, in speech and short pauses."""

    def __init__(self) -> None:
        self._course = Glide(np.zeros(1))
        self._spoke, self._rests, self._paused = False, True, 0.0

    def step(self, prosody: Prosody, earliest: float) -> tuple[list[float], bool]:
        """Follow the voice, not before the time `earliest`.

        Returns:
            The times at which phrases begin, seconds, and whether the speaker comes to rest.
        """
        begins, settles = [], False
        for number, speaking in enumerate(prosody.speaking.tolist(), prosody.start):
            known = number / RATE
            if speaking != self._spoke:
                self._spoke, self._paused = speaking, known
                if speaking:
                    begins.append(known)
                    self._rests = False
                    self._course.move(earliest, ROUSE, np.ones(1))
            elif not speaking and not self._rests and known - self._paused >= REST:
                self._rests = settles = True
                self._course.move(earliest, SETTLE, np.zeros(1))
        return begins, settles

    def at(self, time: np.ndarray) -> np.ndarray:
        """Evaluate (T,)."""
        return self._course.at(time)[:, 0]

    def forget(self, before: float) -> None:
        """Drop what is over."""
        self._course.forget(before)
