"""Motions and phones of visitors' recordings: each recording is read and encoded once a session."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr

from jambatalk.app.lent_gpu import is_zero_gpu, lend_gpu
from jambatalk.app.recent import Recent
from jambatalk.app.settings import in_words
from jambatalk.app.spoken_moods import kept_moods
from jambatalk.app.video_request import VideoRequest
from jambatalk.errors import JambaTalkError, MotionError, SpeechError, TooLongError, brief
from jambatalk.model.encoder import count_frames
from jambatalk.motion.captured import beside
from jambatalk.motion.motion import Motion
from jambatalk.motion.nonverbal import Nonverbal
from jambatalk.progress import Progress, no_progress
from jambatalk.speech import SAMPLE_RATE, Speech
from jambatalk.talking_head import TalkingHead

if TYPE_CHECKING:
    from jambatalk.model.phones import TimedPhone
    from jambatalk.talking_head import Features

LONG = 20.0  # seconds of a recording, whose beginning of this length is predicted first
LONGEST = 300.0  # seconds of a recording whose features are kept: 42 MB with the bundled network
MOST_BYTES, MOST = 128 * 2**20, 1000  # of all results that are kept, and their number


class Predictions:
    """What is predicted of recordings, kept for the session that asked for it.

    Another style, strength, mood or head needs only the features that are there; a choice that was
    made before needs nothing.

    Args:
        max_seconds: the longest recording that is taken.
    """

    def __init__(self, talking_head: TalkingHead, max_seconds: float) -> None:
        self.recent = Recent(MOST_BYTES, MOST)
        self._talking_head, self._max_seconds = talking_head, max_seconds
        self._compare = lend_gpu(talking_head)

    def read(self, request: VideoRequest) -> Speech:
        """Read a recording, and warn its visitor of silence.

        Raises:
            SpeechError: it cannot be used.
        """
        speech = self._read(request)
        if speech.is_silent:
            gr.Warning("This recording is silent, so the face stays at rest. Check the microphone.")
        return speech

    def _read(self, request: VideoRequest) -> Speech:
        speech: Speech | None = self.recent.find(request.session, request.recording, "speech")
        if speech is None:
            try:
                speech = Speech.read(request.recording, self._max_seconds)
            except TooLongError as error:
                raise SpeechError(
                    f"This recording is too long; here {in_words(self._max_seconds)} are possible.",
                    "Cut it with the scissors under the voice.",
                ) from error
            self._keep(request, "speech", speech, speech.samples.nbytes)
        return speech

    def motions(self, request: VideoRequest, progress: Progress = no_progress) -> list[Motion]:
        """Predict the motion of each style; the captured one, if there is one, comes last.

        Raises:
            JambaTalkError: as :meth:`TalkingHead.compare`; the captured motion does not fit.
        """
        return self._motions(request, self.read(request), progress)

    def beginning(self, request: VideoRequest) -> tuple[list[Motion], int]:
        """Predict the first LONG seconds of a longer recording, within a second; else all of it.

        Beside a captured motion all of it is predicted, too: their lengths are compared.

        Returns:
            What `motions` returns, and the number of frames of the whole.

        Raises:
            JambaTalkError: as `motions`.
        """
        speech, talking_head = self.read(request), self._talking_head
        frames = count_frames(speech.duration, talking_head.fps)
        streamable = talking_head.model.config.streamable
        long = speech.duration > LONG and streamable and not request.truth
        if not long or None not in self._kept(request).values():
            return self._motions(request, speech, no_progress), frames
        begun = replace(speech, samples=speech.samples[: round(LONG * SAMPLE_RATE)])
        certain = int((LONG - talking_head.stream().look_ahead) * talking_head.fps)
        motions = self._predict(request, request.styles, begun, None, no_progress)
        return [motion.first(certain) for motion in motions], frames

    def phones(self, request: VideoRequest) -> list[TimedPhone]:
        """Recognise phones; none with some checkpoints.

        Raises:
            SpeechError: the recording cannot be used.
        """
        if not self._talking_head.model.config.phones:
            return []
        speech = self._read(request)
        return self._talking_head.phones(speech, self._features(request, speech))

    def _motions(self, request: VideoRequest, speech: Speech, progress: Progress) -> list[Motion]:
        kept = self._kept(request)
        motions = {style: motion for style, motion in kept.items() if motion}
        missing = [style for style in kept if style not in motions]
        if missing:
            features = self._features(request, speech)
            made = self._predict(request, missing, speech, features, progress)
            for style, motion in zip(missing, made, strict=True):
                arrays = (motion.weights, motion.offsets, motion.pose)
                size = sum(array.nbytes for array in arrays if array is not None)
                self._keep(request, request.motion(style), motion, size)
                motions[style] = motion
        predicted = [motions[style] for style in request.styles]
        return [*predicted, *self._captured(request, predicted[0])]

    def _captured(self, request: VideoRequest, predicted: Motion) -> list[Motion]:
        if not request.truth:
            return []
        try:
            captured = Motion.load(request.truth)
        except JambaTalkError as error:  # it quotes the path on this server
            raise MotionError(
                f"'{brief(Path(request.truth).name)}' is not a saved motion.",
                "Choose an .npz that JambaTalk has saved.",
            ) from error
        if captured.offsets is not None and predicted.offsets is None:
            raise MotionError(
                "The captured motion moves vertices, which the page does not show.",
                "Choose one of blendshapes.",
            )
        return [beside(captured, predicted)]

    def _kept(self, request: VideoRequest) -> dict[str, Motion | None]:
        find = self.recent.find
        return {
            style: find(request.session, request.recording, request.motion(style))
            for style in request.styles
        }

    def _features(self, request: VideoRequest, speech: Speech) -> Features | None:
        """Return a recording's features; None where it is encoded as it is predicted."""
        features: Features | None = None
        if request.session and speech.duration <= LONGEST and not is_zero_gpu():
            features = self.recent.find(request.session, request.recording, "features")
            if features is None:
                features = self._talking_head.encode(speech)
                size = sum(piece.nbytes for piece in features)
                self._keep(request, "features", features, size)
        return features

    def _keep(self, request: VideoRequest, key: Hashable, value: object, size: int) -> None:
        self.recent.keep(request.session, request.recording, key, value, size)

    def _predict(
        self,
        request: VideoRequest,
        styles: Sequence[str],
        speech: Speech,
        features: Features | None,
        progress: Progress,
    ) -> list[Motion]:
        return self._compare(
            speech,
            styles,
            request.strength,
            request.head,
            nonverbal=Nonverbal.of(request.nonverbal),
            seed=request.seed,
            progress=progress,
            mood=kept_moods(request.recording) or {request.mood: request.intensity},
            features=features,
        )
