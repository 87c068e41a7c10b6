"""Speech in as it arrives, motion out as soon as it is certain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jambatalk.face import Face
from jambatalk.motion import Motion

if TYPE_CHECKING:
    from jambatalk.model.prediction import Prediction


class MotionStream:
    """The motion of one recording while it is spoken, see :meth:`TalkingHead.stream`.

    It is the mouth's motion: :meth:`TalkingHead.animate` with nothing alive beside it gives the
    same for the whole recording, to rounding, whatever the pieces were.
    """

    def __init__(self, prediction: Prediction, face: Face, fps: float) -> None:
        self._prediction, self.face, self.fps = prediction, face, fps

    @property
    def look_ahead(self) -> float:
        """Seconds of speech that must have come after a frame's moment before it is given, at
        most."""
        return self._prediction.hearing.look_ahead

    def feed(self, samples: np.ndarray) -> Motion:
        """Takes on samples (n,) float32 at 16 kHz; the frames that are certain now, none or more,
        which follow those given before.

        Raises:
            SpeechError: these are no samples, or the stream is finished.
        """
        return self._motion(self._prediction.feed(samples))

    def finish(self) -> Motion:
        """Nothing more is said: the frames that were left."""
        return self._motion(self._prediction.finish())

    def _motion(self, weights: np.ndarray) -> Motion:
        return Motion(weights[0], self.fps, self.face).sealed()
