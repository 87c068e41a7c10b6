"""Recordings with their motion in every style: captured, or made of captured or labelled lips."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d

from jambatalk.face.face import Face
from jambatalk.face.lips import aperture, close
from jambatalk.motion.resample import resample
from recipes.checkpoint.captured.clip import Clip
from recipes.checkpoint.captured.facegood import STYLE as MANDARIN_WOMAN
from recipes.checkpoint.captured.facegood import read_facegood
from recipes.checkpoint.captured.grid_corpus import STYLE as ENGLISH_MAN
from recipes.checkpoint.captured.grid_corpus import read_grid
from recipes.checkpoint.captured.held_out import held_out_clips, is_held_out_take
from recipes.checkpoint.captured.lip_range import LipRange
from recipes.checkpoint.coarticulation.phone_tracks import UNKNOWN, contact_track, phone_track
from recipes.checkpoint.corpus.recording import Recording
from recipes.checkpoint.lip_styles.lip_style import LipPrior, posture_weights
from recipes.checkpoint.lip_styles.speakers import lip_styles
from recipes.checkpoint.training.architecture import FPS
from recipes.checkpoint.training.recipe_config import LABELLED, PEOPLE

KIND = {ENGLISH_MAN: "grid", MANDARIN_WOMAN: "facegood"}  # of a captured style's clips
CONTACT_BLUR = 0.7  # frames: how softly labels turn into the rules' lip contact
TONGUE = ("tongueUp", "tongueOut")  # cameras do not see it


@dataclass(frozen=True, eq=False)
class StyledClip:
    """One recording with its motion in several styles.

    Attributes:
        name: unique.
        kind: one of :data:`recipes.checkpoint.training.recipe_config.KINDS`.
        samples: (n,) float32, 16 kHz.
        weights: (s, T, K) float32 at the model's frame rate, one motion for each style.
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


class StyledMotion:
    """Motion of captured speakers, and of lip curves, in every style.

    Args:
        captured: clips of the captured styles.
        people: clips of other people, whose styles are not among the network's.
    """

    def __init__(self, captured: Sequence[Clip], people: Sequence[Clip], face: Face) -> None:
        motions: dict[str, list[np.ndarray]] = {}
        for clip in (*captured, *people):
            motions.setdefault(clip.style, []).append(clip.weights)
        self.face = face
        self.prior = LipPrior(
            face, [np.concatenate(m) for style, m in motions.items() if style != MANDARIN_WOMAN]
        )
        shapes = {
            style: [self.prior.shape(weights) for weights in found]
            for style, found in motions.items()
        }
        self.ranges = {
            style: LipRange.of(np.concatenate(found)[:, :2]) for style, found in shapes.items()
        }
        self.styles = lip_styles(shapes[MANDARIN_WOMAN])
        self.postures = np.stack(
            [posture_weights(face, style.posture) for style in self.styles.values()]
        ).astype(np.float32)
        self.tongue = [face.blendshapes.index(name) for name in TONGUE]

    def resting_faces(self) -> np.ndarray:
        """Return the face of each style in silence, (s, K) float32: its posture, lips closed."""
        return close(self.face, self.postures, aperture(self.face, self.postures))

    def clips(
        self, clips: Iterable[Clip], recordings: Mapping[str, Recording]
    ) -> Iterator[StyledClip]:
        """Yield captured motion in all styles.

        Args:
            recordings: "SOURCE/NAME" → the clip's recording in the corpus, with phones.
        """
        names = list(self.styles)
        for clip in clips:
            own = resample(clip.weights, clip.fps, FPS)
            lips = self.ranges[clip.style].standardise(self.prior.shape(own)[:, :2])
            motions = self.of_lips(lips)
            index = names.index(clip.style) if clip.style in names else 0
            if index:
                motions[index] = own
            kind = KIND.get(clip.style, PEOPLE)
            recording = recordings.get(f"{kind}/{clip.name}")
            phones, contact = _unknown(len(own))
            if recording is not None:
                rules = recording.synthesise(self.face, FPS)
                frames = min(len(own), len(rules))
                motions = motions[:, :frames]
                motions[..., self.tongue] = rules[:frames, self.tongue]
                phones, contact = _tracks(recording, frames)
            yield StyledClip(clip.name, kind, clip.samples, motions, index, phones, contact)

    def labelled_clips(
        self, recordings: Iterable[Recording], lips: Mapping[str, np.ndarray]
    ) -> Iterator[StyledClip]:
        """Yield recordings of the corpus with pseudo-labelled motion.

        Around P, B, M and F, V the rules replace the labels, in the posture of the style.

        Args:
            lips: "SOURCE/NAME" → (T, 2) standardised lip aperture and mouth width.
        """
        for recording in recordings:
            name = recording.key
            rules = recording.synthesise(self.face, FPS)
            frames = min(len(lips[name]), len(rules))
            motions, rules = self.of_lips(lips[name][:frames]), rules[:frames]
            phones, contact = _tracks(recording, frames)
            share = gaussian_filter1d(contact.max(1), CONTACT_BLUR, axis=0, mode="nearest")
            share = np.maximum(share, contact.max(1))[:, None]  # (t, 1)
            postured = (rules + self.postures[:, None]).clip(0.0, 1.0)  # (s, t, K)
            excess = aperture(self.face, postured) - aperture(self.face, rules)
            motions += share * (close(self.face, postured, excess) - motions)
            motions[..., self.tongue] = rules[:, self.tongue]
            yield StyledClip(name, LABELLED, recording.samples, motions, 0, phones, contact)

    def of_lips(self, lips: np.ndarray) -> np.ndarray:
        """Return standardised lips (T, 2) as motion in all styles: (s, T, K) float32."""
        return np.stack(
            [
                self.prior.likely_weights(style.shape(lips, FPS), style.posture)
                for style in self.styles.values()
            ]
        )


def _tracks(recording: Recording, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Return phones (frames,) and contact (frames, 2) of a recording."""
    return (
        phone_track(recording.phones, frames, FPS),
        contact_track(recording.phones, frames, FPS),
    )


def _unknown(frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Return phones (frames,) and contact (frames, 2) of a recording without phones."""
    return np.full(frames, UNKNOWN), np.full((frames, 2), UNKNOWN, np.float32)
