"""The one object that turns speech into a talking head."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jambatalk.errors import MotionError
from jambatalk.face.face import Face
from jambatalk.face.library import BUNDLED, HeadLibrary, checkpoint_heads
from jambatalk.files.bundled import DEFAULT_CHECKPOINT
from jambatalk.motion.motion import Motion
from jambatalk.motion.nonverbal import Nonverbal, add_nonverbal, check_seed
from jambatalk.motion.stream import MotionStream, to_motion
from jambatalk.progress import Progress, no_progress
from jambatalk.render.view import View
from jambatalk.speech import Speech

if TYPE_CHECKING:
    from torch import Tensor

    from jambatalk.model.jambatalk import JambaTalk, Style

PIECE = 480_000  # samples of a long recording that are heard at a time: half a minute


class TalkingHead:
    """Speech → motion → video, with one loaded network.

    It keeps nothing of what it is given, so that many may share one.
    """

    def __init__(self, model: JambaTalk, heads: HeadLibrary = BUNDLED) -> None:
        self.model = model
        self.heads = heads  # those that wear its motion

    @classmethod
    def from_pretrained(
        cls, source: str | Path = DEFAULT_CHECKPOINT, device: str = "auto"
    ) -> TalkingHead:
        """Loads a checkpoint: a folder, or a name on the Hugging Face hub.

        Args:
            device: "auto" for a GPU where PyTorch finds one and the CPU otherwise, "cpu" or "cuda".

        Raises:
            ModelError: no such checkpoint or device, or a damaged checkpoint.
        """
        from jambatalk.model.checkpoint import fetch_checkpoint  # torch takes seconds to import
        from jambatalk.model.device import choose_device
        from jambatalk.model.jambatalk import JambaTalk

        device = choose_device(device)
        folder = fetch_checkpoint(source)
        return cls(JambaTalk.from_pretrained(folder, device), checkpoint_heads(folder))

    @property
    def styles(self) -> tuple[str, ...]:
        """Names of the styles, the neutral one first."""
        return self.model.config.styles

    @property
    def style_notes(self) -> dict[str, str]:
        """Name of a style → where it comes from, one sentence."""
        return self.model.config.style_notes

    def animate(
        self,
        speech: Speech,
        style: Style | None = None,
        strength: float = 1.0,
        head: str | int = 1,
        nonverbal: Nonverbal | None = None,
        seed: int = 0,
        progress: Progress = no_progress,
    ) -> Motion:
        """What a head does while it says this.

        Args:
            style: a name, or names with their shares; None for the neutral one.
            strength: 0 is neutral, 1 the style as learned, up to about 1.5 exaggerates it.
            head: name or number of one of :attr:`heads`.
            nonverbal: what moves beside the mouth: blinks, brows, gaze and head; None for all.
            seed: of that; it is no matter to the mouth.

        Raises:
            ModelError: an unknown style. FaceError: an unknown head. MotionError: no such seed.
            Stopped: `progress` raised it.
        """
        styles = [style or self.styles[0]]
        return self.compare(speech, styles, strength, head, nonverbal, seed, progress)[0]

    def compare(
        self,
        speech: Speech,
        styles: Sequence[Style],
        strength: float = 1.0,
        head: str | int = 1,
        nonverbal: Nonverbal | None = None,
        seed: int = 0,
        progress: Progress = no_progress,
    ) -> list[Motion]:
        """One motion for each style; the speech is heard only once, and only the style differs."""
        check_seed(seed)
        face = self.heads.load(head)
        vectors = [self.model.style(style, strength) for style in styles]
        self._check(face)
        motions = []
        for predicted in self._predict(speech, vectors, progress):
            motion = to_motion(predicted, self.model.config, face)
            motions.append(add_nonverbal(motion, speech, seed, nonverbal))
        progress("Predicting motion", 1.0)
        return motions

    def _check(self, face: Face) -> None:
        config = self.model.config
        if config.vertices and len(face.template) != config.vertices:
            raise MotionError(
                f"Head '{face.name}' has {len(face.template)} vertices; this checkpoint moves "
                f"{config.vertices}."
            )
        if not config.vertices and face.blendshapes != config.blendshapes:
            raise MotionError(f"Head '{face.name}' does not have this checkpoint's blendshapes.")

    def _predict(
        self, speech: Speech, styles: Sequence[Tensor], progress: Progress
    ) -> Iterable[np.ndarray]:
        """What the network says of a recording in each style, (t, k) each: piece by piece, so that
        memory does not grow with length, where it can hear so."""
        import torch

        from jambatalk.model.encoder import count_frames
        from jambatalk.model.streaming_decoder import StreamingDecoder

        progress("Encoding speech", 0.0)
        if speech.is_silent:  # nobody speaks: the face rests
            frames = count_frames(speech.duration, self.fps)
            yield from np.zeros((len(styles), frames, self.model.config.outputs), np.float32)
            return
        if not self.model.config.streamable:
            features = self.model.encode(speech)
            for done, style in enumerate(styles):
                progress("Predicting motion", done / len(styles))
                yield self.model.predict(features, style).cpu().numpy()
            return
        prediction, parts = StreamingDecoder(self.model, torch.stack(list(styles))), []
        for start in range(0, len(speech.samples), PIECE):
            progress("Predicting motion", start / len(speech.samples))
            parts.append(prediction.feed(speech.samples[start : start + PIECE]))
        yield from np.concatenate([*parts, prediction.finish()], 1)

    def stream(
        self, style: Style | None = None, strength: float = 1.0, head: str | int = 1
    ) -> MotionStream:
        """Motion while it is spoken: feed it speech as it arrives.

        Args:
            style, strength, head: as in :meth:`animate`.

        Raises:
            ModelError: an unknown style, or a checkpoint that hears recordings whole. FaceError: an
                unknown head.
        """
        from jambatalk.model.streaming_decoder import StreamingDecoder

        face = self.heads.load(head)
        self._check(face)
        vector = self.model.style(style or self.styles[0], strength)
        return MotionStream(StreamingDecoder(self.model, vector[None]), face)

    @property
    def fps(self) -> float:
        """Frames a second of the motion."""
        return self.model.config.fps

    def video(
        self,
        motions: Sequence[Motion],
        speech: Speech | None,
        path: str | Path,
        view: View | None = None,
        captions: Sequence[str] = (),
        progress: Progress = no_progress,
    ) -> Path:
        """Writes motions of the same speech as one MP4, see :func:`draw_video`."""
        from jambatalk.render.video import draw_video

        return draw_video(motions, speech, path, view, captions, progress)
