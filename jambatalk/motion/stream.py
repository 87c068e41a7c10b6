"""Speech in as it arrives, motion out as soon as it is certain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jambatalk.face.face import Face
from jambatalk.motion.motion import Motion

if TYPE_CHECKING:
    from jambatalk.model.config import JambaTalkConfig
    from jambatalk.model.streaming_decoder import StreamingDecoder


class MotionStream:
    """The motion of one recording while it is spoken, see :meth:`TalkingHead.stream`.

    It is the mouth's motion: :meth:`TalkingHead.animate` with nothing alive beside it gives the
    same for the whole recording, to rounding, whatever the pieces were.
    """

    def __init__(self, prediction: StreamingDecoder, face: Face) -> None:
        self._prediction, self.face = prediction, face

    @property
    def fps(self) -> float:
        """Frames a second."""
        return self._prediction.model.config.fps

    @property
    def look_ahead(self) -> float:
        """Seconds of speech that must have come after a frame's moment before it is given, at
        most."""
        return self._prediction.look_ahead

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

    def _motion(self, predicted: np.ndarray) -> Motion:
        return to_motion(predicted[0], self._prediction.model.config, self.face)


def to_motion(predicted: np.ndarray, config: JambaTalkConfig, face: Face) -> Motion:
    """What a network of this configuration predicts, weights (t, k) or coordinates (t, 3 V), as the
    motion of a face; lips that nearly close are closed."""
    if config.vertices:
        return Motion.of_vertices(predicted.reshape(len(predicted), -1, 3), config.fps, face)
    return Motion(predicted, config.fps, face).sealed()
