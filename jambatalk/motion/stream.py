"""Speech in as it arrives, motion out as soon as it is certain."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np

from jambatalk.errors import MotionError
from jambatalk.face.face import Face
from jambatalk.motion.mood import Mood, check_mood
from jambatalk.motion.motion import Motion
from jambatalk.motion.nonverbal import STILL, Nonverbal, NonverbalStream, blend
from jambatalk.motion.nonverbal.blending import COLUMNS

if TYPE_CHECKING:
    from jambatalk.model.speaking_style import SpeakingStyle, Style
    from jambatalk.model.streaming_decoder import StreamingDecoder

    Resolve = Callable[[Style | None, float, str | int], tuple[SpeakingStyle, Face]]

BLEND = 6  # frames from one style to the next


class MotionStream:
    """The motion of one recording as it arrives, see :meth:`TalkingHead.stream`.

    All pieces together are, to rounding, what :meth:`TalkingHead.animate` gives for the whole
    recording, whatever the pieces; only the mouth of a recording that is silent throughout rests
    there, and moves by a few percent here.

    Args:
        decoder: of one style.
        face: the head that moves.
        nonverbal: the parts of nonverbal motion to add; all by default.
        seed: of the nonverbal motion.
        resolve: returns the style and the face for :meth:`change`.
        mood: of the face, see :meth:`TalkingHead.animate`.
    """

    def __init__(
        self,
        decoder: StreamingDecoder,
        face: Face,
        nonverbal: Nonverbal | None = None,
        seed: int = 0,
        resolve: Resolve | None = None,
        mood: Mood | None = None,
    ) -> None:
        self.face = face
        self._decoder, self._resolve = decoder, resolve
        self._parts = Nonverbal.checked(nonverbal)
        self._nonverbal = NonverbalStream(self.fps, seed, mood)
        self._mouth_alone = self._parts == STILL and mood is None
        # Frames still waiting for their mouth or their nonverbal values
        self._predicted = np.zeros((0, decoder.model.config.outputs), np.float32)
        self._values = np.zeros((0, COLUMNS))
        self._frames = 0  # predicted
        self._last: np.ndarray | None = None  # predicted frame
        self._blended = BLEND  # frames since the style changed

    @property
    def fps(self) -> float:
        """Frames a second."""
        return self._decoder.model.config.fps

    @property
    def look_ahead(self) -> float:
        """Seconds of speech that must follow a frame until it is returned, at most."""
        nonverbal = 0.0 if self._mouth_alone else self._nonverbal.look_ahead
        return max(self._decoder.look_ahead, nonverbal)

    def feed(self, samples: np.ndarray) -> Motion:
        """Take further samples.

        Args:
            samples: (n,) float32 at 16 kHz; any n.

        Returns:
            The frames that are certain now, none or more, which follow those returned before.

        Raises:
            SpeechError: invalid samples, or the stream is finished.

        Example:
            >>> motion = stream.feed(np.zeros(1600, np.float32))
        """
        self._predict(self._decoder.feed(samples)[0])
        if not self._mouth_alone:
            self._values = np.concatenate(
                [self._values, self._nonverbal.feed(np.asarray(samples, np.float32))]
            )
        return self._release()

    def finish(self) -> Motion:
        """Return the remaining frames, after the last samples."""
        self._predict(self._decoder.finish()[0])
        if not self._mouth_alone:
            self._values = np.concatenate([self._values, self._nonverbal.finish(self._frames)])
        return self._release()

    def change(
        self,
        style: Style | None = None,
        strength: float = 1.0,
        head: str | int = 1,
        mood: Mood | None = None,
    ) -> None:
        """Go on in another style or on another head, within a few frames, or in another mood.

        Args:
            style, strength, head, mood: as for :meth:`TalkingHead.stream`; a curve of moods counts
                from now on.

        Raises:
            ModelError: an unknown style or strength. FaceError: an unknown head.
            MotionError: an invalid mood, or one for a stream of the mouth alone.
        """
        if self._resolve is None:
            raise TypeError("this stream was made without `resolve`")
        if self._mouth_alone and mood is not None:
            raise MotionError(
                "This stream moves the mouth alone.", "Start it in the mood 'neutral'."
            )
        check_mood(mood)
        speaking_style, self.face = self._resolve(style, strength, head)
        self._decoder.styles = [speaking_style]
        self._nonverbal.change(mood)
        self._blended = 0

    def _predict(self, frames: np.ndarray) -> None:
        """Add predicted frames (t, k); the first ones in another style move out of the last one."""
        if self._last is not None and self._blended < BLEND:
            frames = frames.copy()
            for frame in frames[: BLEND - self._blended]:
                self._blended += 1
                frame[:] = self._last + (frame - self._last) * self._blended / BLEND
                self._last = frame
        if len(frames):
            self._last = frames[-1]
        self._frames += len(frames)
        self._predicted = np.concatenate([self._predicted, frames])

    def _release(self) -> Motion:
        """Return the frames whose mouth and nonverbal motion are known."""
        if self._mouth_alone:
            ready, self._predicted = self._predicted, self._predicted[:0]
            return to_motion(ready, self._decoder.model.config, self.face)
        count = min(len(self._predicted), len(self._values))
        ready, self._predicted = np.split(self._predicted, [count])
        values, self._values = np.split(self._values, [count])
        motion = to_motion(ready, self._decoder.model.config, self.face)
        return blend(motion, values, self._parts)


class Outputs(Protocol):
    """What a network's configuration says of its outputs."""

    @property
    def fps(self) -> float:
        """Frames a second."""

    @property
    def vertices(self) -> int:
        """Vertices whose offsets are predicted, or 0."""

    @property
    def blendshapes(self) -> tuple[str, ...]:
        """Names of the predicted weights."""


def to_motion(predicted: np.ndarray, config: Outputs, face: Face) -> Motion:
    """Turn weights (t, k) or offsets (t, 3 V) from a network into the motion of a face.

    The face may have more blendshapes than the network moves. Lips that nearly close are closed.
    """
    if config.vertices:
        return Motion.of_vertices(predicted.reshape(len(predicted), -1, 3), config.fps, face)
    if config.blendshapes != face.blendshapes:
        weights = np.zeros((len(predicted), len(face.blendshapes)), np.float32)
        weights[:, [face.blendshapes.index(name) for name in config.blendshapes]] = predicted
        predicted = weights
    return Motion(predicted, config.fps, face).sealed()
