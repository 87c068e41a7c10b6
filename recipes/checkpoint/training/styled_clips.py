"""Recordings with their motion in every style: captured, transferred or synthesised."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from jambatalk.face.face import Face
from jambatalk.motion.resample import resample
from recipes.checkpoint.captured.clip import Clip
from recipes.checkpoint.captured.facegood import read_facegood
from recipes.checkpoint.captured.grid_corpus import read_grid
from recipes.checkpoint.captured.held_out import held_out_clips, is_held_out_take
from recipes.checkpoint.coarticulation import designed_styles as designed
from recipes.checkpoint.coarticulation.synthesis import articulate
from recipes.checkpoint.coarticulation.visemes import CHANNELS
from recipes.checkpoint.corpus.recording import Recording
from recipes.checkpoint.style_transfer import SpeakerStyle
from recipes.checkpoint.training.architecture import FPS
from recipes.checkpoint.training.recipe_config import SYNTHESISED

KIND = {"english-man": "grid", "mandarin-woman": "facegood"}  # of a captured style's clips
# The coarticulation model's parameters for other voices in a captured style. FACEGOOD's lips follow
# the loudness of the voice better than the phones recognised in it.
BASE_STYLE = {
    "english-man": designed.NEUTRAL,
    "mandarin-woman": replace(designed.NEUTRAL, loudness=0.7),
}


@dataclass(frozen=True, eq=False)
class StyledClip:
    """One recording with its motion in several styles.

    Attributes:
        name: unique.
        kind: one of :data:`recipes.checkpoint.training.recipe_config.KINDS`.
        samples: (n,) float32, 16 kHz.
        weights: (s, T, K) float32 at the model's frame rate, one motion for each style; NaN where
            there is none.
        style: index of the captured style, or 0.
    """

    name: str
    kind: str
    samples: np.ndarray
    weights: np.ndarray
    style: int


def read_captured(folder: Path, face: Face) -> tuple[list[Clip], list[Clip]]:
    """Read the captured clips of GRID and FACEGOOD: those to train on, and those held out."""
    train: list[Clip] = []
    held_out: list[Clip] = []
    names = held_out_clips(folder / "grid_s1")
    for clip in sorted(read_grid(folder / "grid_s1", face), key=lambda clip: clip.name):
        (held_out if clip.name in names else train).append(clip)
    for clip in read_facegood(folder / "facegood", face):
        (held_out if is_held_out_take(clip.name) else train).append(clip)
    return train, held_out


def resting_faces(face: Face, styles: Iterable[str]) -> np.ndarray:
    """Return the face of each style in silence, (s, K) float32: the posture of designed styles."""
    targets = np.zeros((1, len(CHANNELS)))
    faces = [
        articulate(face, targets, designed.STYLES[style])[0]
        if style in designed.STYLES
        else np.zeros(len(face.blendshapes))
        for style in styles
    ]
    return np.stack(faces).astype(np.float32)


class StyleTransfer:
    """Motion of one speaker in the styles of others, and synthesised motion in captured styles.

    Args:
        captured: clips of the captured speakers.
        corpus: some recordings, of whose synthesised motion the coarticulation model's own style
            is measured.
        styles: all styles, in the model's order.
    """

    def __init__(
        self,
        captured: Sequence[Clip],
        corpus: Sequence[Recording],
        styles: Sequence[str],
        face: Face,
    ) -> None:
        self.face, self.styles = face, styles
        captured_styles = [style for style in KIND if style in styles]
        self.targets = {
            style: SpeakerStyle.from_motions(
                face, [clip.weights for clip in captured if clip.style == style]
            )
            for style in captured_styles
        }
        bases = [designed.NEUTRAL, *(BASE_STYLE[style] for style in captured_styles)]
        synthesised = [recording.synthesise(face, FPS, bases) for recording in corpus]
        self.sources = {
            style: SpeakerStyle.from_motions(face, motions)
            for style, *motions in zip(("neutral", *captured_styles), *synthesised, strict=True)
        }
        self.targets["neutral"] = self.sources.pop("neutral")
        self.tongue = face.blendshapes.index("tongueUp")

    def captured_clips(
        self, clips: Iterable[Clip], recordings: Mapping[str, Recording]
    ) -> Iterator[StyledClip]:
        """Yield captured motion in all styles.

        It is transferred to the other captured speakers and to the neutral style; the other
        designed styles are synthesised where the clip has phones.

        Args:
            recordings: "SOURCE/NAME" → the clip's recording in the corpus, with phones.
        """
        for clip in clips:
            own = resample(clip.weights, clip.fps, FPS)
            motions = np.full((len(self.styles), *own.shape), np.nan, np.float32)
            for index, style in enumerate(self.styles):
                if style == clip.style:
                    motions[index] = own
                elif style in self.targets:  # real lips are worth more than rules
                    motions[index] = self.targets[style].transfer(own, self.targets[clip.style])
            kind = KIND[clip.style]
            recording = recordings.get(f"{kind}/{clip.name}")
            if recording is not None:
                synthesised = recording.synthesise(self.face, FPS, designed.STYLES.values())
                synthesised = synthesised[:, : len(own)]
                motions = motions[:, : synthesised.shape[1]]
                motions[1 : len(synthesised)] = synthesised[1:]
                motions[..., self.tongue] = synthesised[0, :, self.tongue]  # cameras do not see it
            index = self.styles.index(clip.style)
            yield StyledClip(clip.name, kind, clip.samples, motions, index)

    def synthesised_clips(self, recordings: Iterable[Recording]) -> Iterator[StyledClip]:
        """Yield synthesised motion in all styles, transferred to the captured ones."""
        bases = [*designed.STYLES.values(), *(BASE_STYLE[style] for style in self.sources)]
        for recording in recordings:
            motions = recording.synthesise(self.face, FPS, bases)
            for index, (style, source) in enumerate(self.sources.items(), len(designed.STYLES)):
                motions[index] = self.targets[style].transfer(motions[index], source)
            motions[..., self.tongue] = motions[0, :, self.tongue]  # not part of a lip style
            name = f"{recording.source}/{recording.name}"
            yield StyledClip(name, SYNTHESISED, recording.samples, motions, 0)
