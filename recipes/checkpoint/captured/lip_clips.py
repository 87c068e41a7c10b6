"""Tracked lips of real people with the encoder's features of their speech.

Lip aperture and mouth width are standardised for each person (mean 0, standard deviation 1): people
differ more in the size of their mouth and of its movement than in what it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from jambatalk.motion.resample import resample
from jambatalk.speech import Speech
from recipes.checkpoint.captured.grid_corpus import TrackedLips, clip_names, read_tracked_lips
from recipes.checkpoint.captured.held_out import held_out_clips
from recipes.checkpoint.captured.lip_range import LipRange
from recipes.checkpoint.captured.people import HELD_OUT

Encode = Callable[[str, np.ndarray], Tensor]  # a unique name, samples (n,) → features (t, m, c)


@dataclass(frozen=True, eq=False)
class LipClip:
    """Lips of one recording.

    Attributes:
        name: unique.
        person: whose lips these are.
        features: (t, m, c) of the speech at the network's frame rate.
        lips: (t, 2) float32, standardised lip aperture and mouth width; NaN where unknown.
    """

    name: str
    person: str
    features: Tensor
    lips: np.ndarray


def read_grid_lips(
    folder: Path, encode: Encode, fps: float, only: Sequence[str] | None = None
) -> Iterator[LipClip]:
    """Read clips of `grid_s1` or `grid_speakers`, whose names there are PERSON_CLIP.

    Args:
        only: names of clips; None for all.
    """
    tracked = read_tracked_lips(folder, only)
    person = {name: name.split("_")[0] if "_" in name else "s1" for name in tracked}
    by_person: dict[str, list[np.ndarray]] = {}
    for name, lips in tracked.items():
        by_person.setdefault(person[name], []).append(_curves(lips))
    ranges = {who: LipRange.of(np.concatenate(lips)) for who, lips in by_person.items()}
    for name, lips in tracked.items():
        standard = ranges[person[name]].standardise(_curves(lips))
        features = encode(name, Speech.read(folder / "audio" / f"{name}.opus").samples)
        yield make_clip(name, person[name], features, standard, lips.fps, fps)


def _curves(lips: TrackedLips) -> np.ndarray:
    """Return aperture and width, (t, 2), NaN where no face was found."""
    curves = np.stack([lips.aperture, lips.width], 1)
    curves[~lips.tracked] = np.nan
    return curves


def make_clip(
    name: str, person: str, features: Tensor, lips: np.ndarray, rate: float, fps: float
) -> LipClip:
    """Resample lips (t, 2) from `rate` to `fps` and cut both to the same length."""
    lips = resample(lips, rate, fps)
    count = min(len(features), len(lips))
    return LipClip(name, person, features[:count], lips[:count])


def read_s1(data: Path, encode: Encode, fps: float) -> list[LipClip]:
    """Read GRID's speaker 1, without the held-out clips."""
    test = set(held_out_clips(data / "grid_s1"))
    names = [name for name in clip_names(data / "grid_s1") if name not in test]
    return list(read_grid_lips(data / "grid_s1", encode, fps, names))


def read_people_lips(data: Path, encode: Encode, fps: float) -> list[LipClip]:
    """Read GRID's other speakers, without those held out."""
    return _read_speakers(data, encode, fps, held_out=False)


def read_held_out_people(data: Path, encode: Encode, fps: float) -> list[LipClip]:
    """Read GRID's speakers of whom nothing is learned."""
    return _read_speakers(data, encode, fps, held_out=True)


def _read_speakers(data: Path, encode: Encode, fps: float, held_out: bool) -> list[LipClip]:
    names = clip_names(data / "grid_speakers")
    names = [name for name in names if (name.split("_")[0] in HELD_OUT) == held_out]
    return list(read_grid_lips(data / "grid_speakers", encode, fps, names))


def read_address(folder: Path, encode: Encode, fps: float) -> LipClip:
    """Read the fluent speech, of which nothing is learned."""
    with np.load(folder / "motion.npz", allow_pickle=False) as file:
        lips, rate, first = file["lips"], float(file["fps"]), float(file["first_frame_s"])
    features = encode("address", Speech.read(folder / "address.flac").samples)
    times = np.arange(len(features)) / fps
    frames = (times - first) * rate
    curves = np.stack([np.interp(frames, np.arange(len(lips)), one) for one in lips.T], 1)
    return LipClip("address", "address", features, LipRange.of(lips).standardise(curves))
