"""Nonverbal motion for speech as it arrives; a recording is a stream that has ended.

Every part follows the prosody by `AHEAD` values. So brows, beats and turns begin before the
syllable they go with, and a glance away begins where the pause does.
"""

from __future__ import annotations

import numpy as np

from jambatalk.errors import MotionError
from jambatalk.motion.curves import Wander, ease
from jambatalk.motion.mood.course import Mood, MoodCourse
from jambatalk.motion.mood.manner import Manner
from jambatalk.motion.nonverbal.blending import COLUMNS, GAZE, LIDS, MOOD, POSE, UPPER_FACE
from jambatalk.motion.nonverbal.blinks import Blinks
from jambatalk.motion.nonverbal.gaze import Gaze
from jambatalk.motion.nonverbal.head_motion import HeadMotion
from jambatalk.motion.nonverbal.prosody import LOOK_AHEAD, Prosody, ProsodyStream
from jambatalk.motion.nonverbal.upper_face import UpperFace
from jambatalk.motion.nonverbal.vocal_arousal import VocalArousal
from jambatalk.motion.nonverbal.voice_features import RATE
from jambatalk.speech import Speech

AHEAD = 24  # values of prosody that are known beyond a frame
START = 0.7  # seconds in which head and face leave their rest at first, and return to it at last
WAVER, WAVER_SPACING = 0.08, 1.4  # sd of a mood's intensity, as a part of it; seconds
AT_ONCE = 10 * RATE  # values of prosody after which frames are evaluated


class NonverbalStream:
    """Blinks, brows, cheeks, gaze, head motion and mood of one recording as it arrives.

    The same sound, seed and mood give the same motion, whatever the pieces.

    Args:
        fps: frames a second.
        seed: another one gives another motion of the same kind.
        mood: that it shows, see :class:`MoodCourse`; None for none.

    Raises:
        MotionError: the seed is no whole number from 0 on, or the mood is invalid.
    """

    look_ahead = LOOK_AHEAD + AHEAD / RATE  # seconds of sound after a frame, at most

    def __init__(self, fps: float, seed: int = 0, mood: Mood | None = None) -> None:
        check_seed(seed)
        self._fps = fps
        self._prosody = ProsodyStream()
        gaze, lids = (np.random.default_rng([seed, number]) for number in (1, 3))
        self._gaze, self._blinks = Gaze(gaze), Blinks(lids)
        self._upper, self._head = UpperFace(seed), HeadMotion(seed)
        self._mood, self._vocal = MoodCourse(mood), VocalArousal()
        self._waver = Wander(1, WAVER_SPACING, np.random.default_rng([seed, 5]))
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

    def change(self, mood: Mood | None) -> None:
        """Go over to another mood after the frames that were returned."""
        self._mood.change(mood, self._frames / self._fps)

    def _certain(self) -> int:
        """Count the frames that prosody is known for."""
        return max(int(np.ceil((self._known - AHEAD) / RATE * self._fps - 1e-6)), 0)

    def _step(self, prosody: Prosody) -> None:
        earliest = (prosody.start - AHEAD) / RATE
        self._vocal.step(prosody, earliest)
        manner = Manner.of(self._shares(np.array([earliest])))
        tempo = float(manner.tempo[0])
        glances = self._gaze.step(prosody, AHEAD, tempo, float(manner.away[0]))
        self._blinks.step(prosody, AHEAD, glances, tempo, float(manner.blinks[0]))
        self._upper.step(prosody, earliest, tempo)
        self._head.step(prosody, earliest, tempo)
        self._known = prosody.end

    def _evaluate(self, end: int) -> np.ndarray:
        time = np.arange(self._frames, end) / self._fps
        values = np.zeros((len(time), COLUMNS))
        if not len(time):
            return values
        away = self._away(time)[:, None]
        shares = self._shares(time)
        manner = Manner.of(away * shares)
        values[:, MOOD] = away * shares * np.maximum(1.0 + WAVER * self._waver.at(time), 0.0)
        values[:, GAZE] = self._gaze.direction(time, manner.lift)
        values[:, LIDS] = self._blinks.closure(time)
        values[:, UPPER_FACE] = away * self._upper.weights(time, manner.brows)
        values[:, POSE] = away * self._head.pose(time, manner.head, manner.pose)
        self._frames = end
        moving = (self._gaze, self._upper, self._blinks, self._head)
        for part in (*moving, self._mood, self._vocal, self._waver):
            part.forget(end / self._fps)
        return values

    def _shares(self, time: np.ndarray) -> np.ndarray:
        """Return the shares of the postures, (T, n)."""
        return self._mood.at(time, self._vocal.at(time))

    def _away(self, time: np.ndarray) -> np.ndarray:
        """Return how far (T,) head and face may be from their rest: 0 at both ends, 1 between."""
        start, end = self._end
        if np.isinf(end):
            return ease(time / START)
        return ease(time / START) * ease((end - time) / max(end - start, 1e-3))


def nonverbal_values(
    speech: Speech, fps: float, frames: int, seed: int = 0, mood: Mood | None = None
) -> np.ndarray:
    """Compute the nonverbal motion of a whole recording, (frames, COLUMNS)."""
    stream = NonverbalStream(fps, seed, mood)
    return np.concatenate([stream.feed(speech.samples), stream.finish(frames)])[:frames]


def check_seed(seed: int) -> None:
    """Raise a MotionError unless the seed is a whole number from 0 on."""
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or seed < 0:
        raise MotionError(f"{seed} is not a seed.", "Give a whole number from 0 on.")
