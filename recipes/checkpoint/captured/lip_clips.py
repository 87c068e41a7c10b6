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

from jambatalk.errors import DataError
from jambatalk.motion.resample import resample
from jambatalk.speech import Speech
from recipes.checkpoint.captured.grid_corpus import clip_names, read_tracked_lips
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


def grid_curves(
    folder: Path, only: Sequence[str] | None = None
) -> dict[str, tuple[np.ndarray, float]]:
    """Read tracked lips of `grid_s1` or `grid_speakers`: clip → (t, 2) and frames per second.

    Aperture and width are over the distance of the outer eye corners; NaN where no face was found.
    """
    curves = {}
    for name, lips in read_tracked_lips(folder, only).items():
        both = np.stack([lips.aperture, lips.width], 1)
        both[~lips.tracked] = np.nan
        curves[name] = both, lips.fps
    return curves


def read_grid_lips(
    folder: Path, encode: Encode, fps: float, only: Sequence[str] | None = None
) -> Iterator[LipClip]:
    """Read clips of `grid_s1` or `grid_speakers`, whose names there are PERSON_CLIP.

    Args:
        only: names of clips; None for all.
    """
    curves = grid_curves(folder, only)
    person = {name: person_of(name) for name in curves}
    by_person: dict[str, list[np.ndarray]] = {}
    for name, (lips, _) in curves.items():
        by_person.setdefault(person[name], []).append(lips)
    ranges = {who: LipRange.of(np.concatenate(lips)) for who, lips in by_person.items()}
    for name, (lips, rate) in curves.items():
        standard = ranges[person[name]].standardise(lips)
        features = encode(name, Speech.read(folder / "audio" / f"{name}.opus").samples)
        yield make_clip(name, person[name], features, standard, rate, fps)


def person_of(clip: str) -> str:
    """Return whose clip of `grid_s1` or `grid_speakers` this is."""
    return clip.split("_")[0] if "_" in clip else "s1"


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
    folder = data / "grid_speakers"
    held_out = set(held_out_clip_names(folder))
    names = [name for name in clip_names(folder) if name not in held_out]
    return list(read_grid_lips(folder, encode, fps, names))


def read_held_out_people(data: Path, encode: Encode, fps: float) -> list[LipClip]:
    """Read GRID's speakers of whom nothing is learned."""
    folder = data / "grid_speakers"
    return list(read_grid_lips(folder, encode, fps, held_out_clip_names(folder)))


def held_out_clip_names(folder: Path) -> list[str]:
    """List the clips of `grid_speakers` of which nothing is learned."""
    return [name for name in clip_names(folder) if name.split("_")[0] in HELD_OUT]


def address_lips(folder: Path) -> tuple[np.ndarray, float]:
    """Read the tracked lips of the fluent speech: (t, 2) and frames per second.

    Frame t lies at t/fps seconds of its sound.

    Raises:
        DataError: the folder has no such lips.
    """
    try:
        with np.load(folder / "motion.npz", allow_pickle=False) as file:
            lips, fps, first = file["lips"], float(file["fps"]), float(file["first_frame_s"])
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"No tracked lips in {folder} ({error}).") from error
    frames = np.arange(len(lips)) - first * fps
    shifted = [np.interp(frames, np.arange(len(lips)), curve) for curve in lips.T]
    return np.stack(shifted, 1), fps


def read_address(folder: Path, encode: Encode, fps: float) -> LipClip:
    """Read the fluent speech, of which nothing is learned."""
    lips, rate = address_lips(folder)
    features = encode("address", Speech.read(folder / "address.flac").samples)
    standard = LipRange.of(lips).standardise(lips)
    return make_clip("address", "address", features, standard, rate, fps)
