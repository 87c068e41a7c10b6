"""Nonverbal motion for speech as it arrives; a recording is a stream that has ended.

Every part follows the prosody by `AHEAD` values. So brows, beats and turns begin before the
syllable they go with, and a glance away begins where the pause does.
"""

from __future__ import annotations

import numpy as np

from jambatalk.errors import MotionError
from jambatalk.motion.nonverbal.blending import COLUMNS, GAZE, LIDS, POSE, UPPER_FACE
from jambatalk.motion.nonverbal.blinks import Blinks
from jambatalk.motion.nonverbal.curves import ease
from jambatalk.motion.nonverbal.gaze import Gaze
from jambatalk.motion.nonverbal.head_motion import HeadMotion
from jambatalk.motion.nonverbal.prosody import LOOK_AHEAD, Prosody, ProsodyStream
from jambatalk.motion.nonverbal.upper_face import UpperFace
from jambatalk.motion.nonverbal.voice_features import RATE
from jambatalk.speech import Speech

AHEAD = 24  # values of prosody that are known beyond a frame
START = 0.7  # seconds in which head and face leave their rest at first, and return to it at last
AT_ONCE = 10 * RATE  # values of prosody after which frames are evaluated


class NonverbalStream:
    """Blinks, brows, cheeks, gaze and head motion of one recording as it arrives.

    The same sound and seed give the same motion, whatever the pieces.

    Args:
        fps: frames a second.
        seed: another one gives another motion of the same kind.

    Raises:
        MotionError: the seed is no whole number from 0 on.
    """

    look_ahead = LOOK_AHEAD + AHEAD / RATE  # seconds of sound after a frame, at most

    def __init__(self, fps: float, seed: int = 0) -> None:
        check_seed(seed)
        self._fps = fps
        self._prosody = ProsodyStream()
        gaze, lids = (np.random.default_rng([seed, number]) for number in (1, 3))
        self._gaze, self._blinks = Gaze(gaze), Blinks(lids)
        self._upper, self._head = UpperFace(seed), HeadMotion(seed)
        self._known = 0  # values of prosody
        self._frames = 0  # evaluated
        self._end = np.inf, np.inf  # when head and face begin to return to rest, and are there

    def feed(self, samples: np.ndarray) -> np.ndarray:
        """Return the frames (n, COLUMNS), for :func:`blend`, that are certain after further samples
        (n,) at 16 kHz."""
        parts, evaluated = [], self._known
        for prosody in self._prosody.feed(samples):
            self._step(prosody)
            if self._known - evaluated >= AT_ONCE:
                parts.append(self._evaluate(self._certain()))
                evaluated = self._known
        return np.concatenate([*parts, self._evaluate(self._certain())])

    def finish(self, frames: int) -> np.ndarray:
        """Return the remaining frames (n, COLUMNS) of a motion of `frames` frames.

        Head and face return to rest, and no blink is cut off.
        """
        started, last = max(self._known - AHEAD, 0) / RATE, (frames - 1) / self._fps
        missing = int(np.ceil(last * RATE)) + AHEAD - self._known
        for prosody in self._prosody.finish(max(missing, 0)):
            self._step(prosody)
        self._end = max(started, last - START), last
        self._blinks.end(started, last)
        return self._evaluate(frames)

    def _certain(self) -> int:
        """Count the frames that prosody is known for."""
        return max(int(np.ceil((self._known - AHEAD) / RATE * self._fps - 1e-6)), 0)

    def _step(self, prosody: Prosody) -> None:
        earliest = (prosody.start - AHEAD) / RATE
        glances = self._gaze.step(prosody, AHEAD)
        self._blinks.step(prosody, AHEAD, glances)
        self._upper.step(prosody, earliest)
        self._head.step(prosody, earliest)
        self._known = prosody.end

    def _evaluate(self, end: int) -> np.ndarray:
        time = np.arange(self._frames, end) / self._fps
        values = np.zeros((len(time), COLUMNS))
        if not len(time):
            return values
        values[:, GAZE] = self._gaze.direction(time)
        values[:, LIDS] = self._blinks.closure(time)
        away = self._away(time)[:, None]
        values[:, UPPER_FACE] = away * self._upper.weights(time)
        values[:, POSE] = away * self._head.pose(time)
        self._frames = end
        for part in (self._gaze, self._upper, self._blinks, self._head):
            part.forget(end / self._fps)
        return values

    def _away(self, time: np.ndarray) -> np.ndarray:
        """Return how far (T,) head and face may be from their rest: 0 at both ends, 1 between."""
        start, end = self._end
        if np.isinf(end):
            return ease(time / START)
        return ease(time / START) * ease((end - time) / max(end - start, 1e-3))


def nonverbal_values(speech: Speech, fps: float, frames: int, seed: int = 0) -> np.ndarray:
    """Compute the nonverbal motion of a whole recording, (frames, COLUMNS)."""
    stream = NonverbalStream(fps, seed)
    return np.concatenate([stream.feed(speech.samples), stream.finish(frames)])[:frames]


def check_seed(seed: int) -> None:
    """Raise a MotionError unless the seed is a whole number from 0 on."""
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or seed < 0:
        raise MotionError(f"{seed} is not a seed.", "Give a whole number from 0 on.")
