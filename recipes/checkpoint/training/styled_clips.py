"""Recordings with their motion in every style: captured, transferred, labelled or by rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d

from jambatalk.face.face import Face
from jambatalk.motion.resample import resample
from recipes.checkpoint.captured.clip import Clip
from recipes.checkpoint.captured.facegood import read_facegood
from recipes.checkpoint.captured.grid_corpus import read_grid
from recipes.checkpoint.captured.held_out import held_out_clips, is_held_out_take
from recipes.checkpoint.captured.lip_range import LipRange
from recipes.checkpoint.coarticulation import designed_styles as designed
from recipes.checkpoint.coarticulation.phone_tracks import UNKNOWN, contact_track, phone_track
from recipes.checkpoint.coarticulation.synthesis import articulate
from recipes.checkpoint.coarticulation.visemes import CHANNELS
from recipes.checkpoint.corpus.recording import Recording
from recipes.checkpoint.style_transfer import SpeakerStyle
from recipes.checkpoint.training.architecture import FPS
from recipes.checkpoint.training.recipe_config import LABELLED, PEOPLE

KIND = {"english-man": "grid", "mandarin-woman": "facegood"}  # of a captured style's clips
CONTACT_BLUR = 0.7  # frames: how softly labels turn into the rules' lip contact
TONGUE = ("tongueUp", "tongueOut")  # cameras do not see it


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
        phones: (T,) numbers of phones, see `coarticulation.phone_tracks`; `UNKNOWN` without phones.
        contact: (T, 2) lip contact, bilabial and labiodental; `UNKNOWN` without phones.
    """

    name: str
    kind: str
    samples: np.ndarray
    weights: np.ndarray
    style: int
    phones: np.ndarray
    contact: np.ndarray


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
    """Motion of one speaker in the styles of others, and of lip curves in those styles.

    The neutral style is the middle of the people: their mean covariance, and the medians of their
    ranges. The other designed styles are synthesised by rule where phones are known.

    Args:
        captured: clips of the captured styles.
        people: clips of other people, whose styles are not among the network's.
        styles: all styles, in the model's order.
    """

    def __init__(
        self, captured: Sequence[Clip], people: Sequence[Clip], styles: Sequence[str], face: Face
    ) -> None:
        self.face, self.styles = face, styles
        motions: dict[str, list[np.ndarray]] = {}
        for clip in (*captured, *people):
            motions.setdefault(clip.style, []).append(clip.weights)
        self.speakers = {
            style: SpeakerStyle.from_motions(face, found) for style, found in motions.items()
        }
        self.ranges = {
            style: LipRange.of(self.speakers[style].shapes(np.concatenate(found))[:, :2])
            for style, found in motions.items()
        }
        filmed = [style for style in motions if KIND.get(style) != "facegood"]
        self.speakers["neutral"] = SpeakerStyle(
            face,
            np.mean([self.speakers[style].covariance for style in filmed], 0),
            np.median([self.speakers[style].spread for style in filmed], 0),
        )
        self.ranges["neutral"] = LipRange.median([self.ranges[style] for style in filmed])
        self.tongue = [face.blendshapes.index(name) for name in TONGUE]

    def clips(
        self, clips: Iterable[Clip], recordings: Mapping[str, Recording]
    ) -> Iterator[StyledClip]:
        """Yield captured motion in all styles.

        Args:
            recordings: "SOURCE/NAME" → the clip's recording in the corpus, with phones.
        """
        for clip in clips:
            own = resample(clip.weights, clip.fps, FPS)
            motions = np.full((len(self.styles), *own.shape), np.nan, np.float32)
            for index, style in enumerate(self.styles):
                if style == clip.style:
                    motions[index] = own
                elif style in self.speakers:  # real lips are worth more than rules
                    motions[index] = self.speakers[style].transfer(own, self.speakers[clip.style])
            kind = KIND.get(clip.style, PEOPLE)
            recording = recordings.get(f"{kind}/{clip.name}")
            phones, contact = _unknown(len(own))
            if recording is not None:
                motions = self._add_rules(motions, recording)
                phones, contact = _tracks(recording, motions.shape[1])
            index = self.styles.index(clip.style) if clip.style in self.styles else 0
            yield StyledClip(clip.name, kind, clip.samples, motions, index, phones, contact)

    def labelled_clips(
        self, recordings: Iterable[Recording], lips: Mapping[str, np.ndarray]
    ) -> Iterator[StyledClip]:
        """Yield recordings of the corpus with pseudo-labelled motion.

        Args:
            lips: "SOURCE/NAME" → (T, 2) standardised lip aperture and mouth width.
        """
        for recording in recordings:
            name = f"{recording.source}/{recording.name}"
            motions = self.of_lips(lips[name])
            rules = recording.synthesise(self.face, FPS, [designed.NEUTRAL])[0]
            frames = min(motions.shape[1], len(rules))
            phones, contact = _tracks(recording, frames)
            share = gaussian_filter1d(contact.max(1), CONTACT_BLUR, axis=0, mode="nearest")
            share = np.maximum(share, contact.max(1))[:, None]  # (t, 1)
            motions = motions[:, :frames] + share * (rules[:frames] - motions[:, :frames])
            motions = self._add_rules(motions, recording)
            yield StyledClip(name, LABELLED, recording.samples, motions, 0, phones, contact)

    def of_lips(self, lips: np.ndarray) -> np.ndarray:
        """Return standardised lips (T, 2) as motion in all styles: (s, T, K), NaN for rules'."""
        motions = np.full(
            (len(self.styles), len(lips), len(self.face.blendshapes)), np.nan, np.float32
        )
        for index, style in enumerate(self.styles):
            if style in self.speakers:
                shape = self.ranges[style].restore(lips)
                shape[:, 0] = shape[:, 0].clip(0.0)
                motions[index] = self.speakers[style].likely_weights(shape)
        return motions

    def _add_rules(self, motions: np.ndarray, recording: Recording) -> np.ndarray:
        """Fill in the designed styles of motions (s, T, K), and the tongue of all."""
        rules = recording.synthesise(self.face, FPS, designed.STYLES.values())  # neutral first
        frames = min(motions.shape[1], rules.shape[1])
        motions = motions[:, :frames].astype(np.float32)
        motions[1 : len(rules)] = rules[1:, :frames]
        motions[..., self.tongue] = rules[0, :frames][..., self.tongue]
        return motions


def _tracks(recording: Recording, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Return phones (frames,) and contact (frames, 2) of a recording."""
    return (
        phone_track(recording.phones, frames, FPS),
        contact_track(recording.phones, frames, FPS),
    )


def _unknown(frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Return phones (frames,) and contact (frames, 2) of a recording without phones."""
    return np.full(frames, UNKNOWN), np.full((frames, 2), UNKNOWN, np.float32)
