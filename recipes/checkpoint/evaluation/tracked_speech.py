"""Recordings of people with their tracked lips, and a checkpoint's lips beside them.

Lips are (t, 2): lip aperture and mouth width over the distance of the outer eye corners.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jambatalk.errors import DataError
from jambatalk.evaluate.curve_metrics import at_times
from jambatalk.motion.motion import Motion
from jambatalk.motion.nonverbal import STILL
from jambatalk.speech import Speech
from jambatalk.talking_head import TalkingHead
from recipes.checkpoint.captured.landmark_fit import eye_distance
from recipes.checkpoint.captured.lip_clips import address_lips, grid_curves, person_of
from recipes.checkpoint.corpus.align import Aligner
from recipes.checkpoint.corpus.phone_times import read_grid_alignments
from recipes.checkpoint.corpus.phones import Phone
from recipes.checkpoint.corpus.recognise import Recogniser

APERTURE, WIDTH = 0, 1  # columns of lips
# the eyes among the usual 68 points of a face, from the left of the picture to the right
EYE, OTHER_EYE = slice(36, 42), slice(42, 48)


@dataclass(frozen=True, eq=False)
class TrackedSpeech:
    """A recording with its tracked lips.

    Attributes:
        person: whose lips these are.
        lips: (t, 2); NaN where unknown.
        fps: frames per second of the lips.
    """

    person: str
    speech: Speech
    lips: np.ndarray
    fps: float

    @property
    def name(self) -> str:
        """Name of the clip."""
        return Path(self.speech.name).stem


@dataclass(frozen=True, eq=False)
class LipPair:
    """Predicted and tracked lips of a recording.

    Attributes:
        person: whose lips were tracked.
        pred, target: (t, 2); the tracked ones are NaN where unknown.
        fps: frames per second of both.
        phones: of the speech; empty if they are not known.
    """

    person: str
    pred: np.ndarray
    target: np.ndarray
    fps: float
    phones: list[Phone]


def read_clips(folder: Path, names: list[str]) -> list[TrackedSpeech]:
    """Read clips of `grid_s1` or `grid_speakers`, whose names there are PERSON_CLIP."""
    return [
        TrackedSpeech(
            person=person_of(name),
            speech=Speech.read(folder / "audio" / f"{name}.opus"),
            lips=lips,
            fps=fps,
        )
        for name, (lips, fps) in grid_curves(folder, names).items()
    ]


def read_address(folder: Path) -> TrackedSpeech:
    """Read the fluent speech, whose lips are stored over the distance of the middles of the eyes.

    Raises:
        DataError: the folder has no tracked face.
    """
    lips, fps = address_lips(folder)
    try:
        with np.load(folder / "motion.npz", allow_pickle=False) as file:
            points = file["landmarks"].astype(np.float64)
        eyes = points[:, EYE], points[:, OTHER_EYE]
    except (KeyError, IndexError, ValueError) as error:
        raise DataError(f"No landmarks of the eyes in {folder} ({error}).") from error
    middles = np.linalg.norm(eyes[0].mean(1) - eyes[1].mean(1), axis=-1)
    corners = np.linalg.norm(eyes[0][:, 0] - eyes[1][:, 3], axis=-1)
    lips = lips * np.median(middles / corners)
    return TrackedSpeech("address", Speech.read(folder / "address.flac"), lips, fps)


def people_phones(folder: Path, clips: list[TrackedSpeech]) -> dict[str, list[Phone]]:
    """Align clips of `grid_speakers` with their text, unless they come aligned: name → phones.

    Raises:
        NotInstalledError: the aligner is missing.
        DataError: a text does not match its recording.
    """
    timed = read_grid_alignments(folder)
    phones = {clip.name: timed[clip.name].phones for clip in clips}
    if not all(phones.values()):
        aligner = Aligner()
        for clip in clips:
            phones[clip.name] = phones[clip.name] or aligner(
                clip.speech.samples, timed[clip.name].text
            )
    return phones


def recognised_phones(speech: Speech) -> list[Phone]:
    """Recognise and align the phones of speech without a text, the same for every checkpoint.

    Raises:
        NotInstalledError: the recogniser or the aligner is missing.
        DataError: no speech was recognised.
    """
    return Aligner().align_phones(speech.samples, Recogniser()(speech.samples))


def predict_pair(head: TalkingHead, clip: TrackedSpeech, phones: list[Phone]) -> LipPair:
    """Predict the lips of a recording in the neutral style."""
    return pair_lips(head.animate(clip.speech, nonverbal=STILL), clip, phones)


def pair_lips(motion: Motion, clip: TrackedSpeech, phones: list[Phone]) -> LipPair:
    """Measure the lips of a motion beside the tracked ones."""
    times = np.arange(len(clip.lips)) / clip.fps
    curves = (motion.lip_aperture(), motion.lip_width())
    pred = np.stack([at_times(curve, motion.fps, times) for curve in curves], 1)
    return LipPair(clip.person, pred / eye_distance(motion.face), clip.lips, clip.fps, phones)
