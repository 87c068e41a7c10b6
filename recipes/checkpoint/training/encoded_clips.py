"""Clips as the decoder trains on them: encoder features, and motion in every style."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from jambatalk.errors import DataError
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.motion.resample import resample
from jambatalk.speech import SAMPLE_RATE, Speech
from recipes.checkpoint.augment import SPEED, augment
from recipes.checkpoint.training.recipe_config import SILENCE
from recipes.checkpoint.training.styled_clips import StyledClip

log = logging.getLogger(__name__)

BABBLE_RECORDINGS = 200
LOG_EVERY = 300  # clips


@dataclass(frozen=True, eq=False)
class EncodedClip:
    """One clip with its encoder features.

    Attributes:
        name, kind, style: the clip's.
        features: (t, m, c) float16, t frames, m encoder layers, c channels.
        weights: (s, t, k) float16, the motion in every style that has one.
        styles: (s,) indices of those styles.
    """

    name: str
    kind: str
    style: int
    features: Tensor
    weights: Tensor
    styles: Tensor


def encode_clips(
    model: JambaTalk,
    clips: Sequence[StyledClip],
    variants: Mapping[str, int],
    seed: int,
    cache: Path | None = None,
) -> list[EncodedClip]:
    """Run the frozen encoder over clips, once as recorded and some times augmented.

    Only recordings without captured motion are used for babble, so that runs that leave out a
    captured speaker can share a cache.

    Args:
        variants: kind of clip → number of augmented versions; none for other kinds.
        cache: a folder that keeps features, see :class:`RecipeDataConfig`.
    """
    if cache:
        cache.mkdir(parents=True, exist_ok=True)
    voices = [clip.samples for clip in clips if not clip.style]
    voices = voices[:: len(voices) // BABBLE_RECORDINGS + 1]
    encoded = []
    for number, clip in enumerate(clips):
        for variant in range(variants.get(clip.kind, 0) + 1):
            weights, change = clip.weights, None
            if variant:
                rng = np.random.default_rng([seed, crc32(clip.name.encode()), variant])
                speed = rng.uniform(*SPEED)
                weights = resample(weights.swapaxes(0, 1), speed, 1.0).swapaxes(0, 1)
                change = partial(augment, speed=speed, rng=rng, voices=voices)
            path = cache / f"{clip.name.replace('/', '-')}.{seed}.{variant}.npy" if cache else None
            features = _encode(model, clip.samples, change, path)
            encoded.append(_encoded_clip(clip, features, weights))
        if number % LOG_EVERY == 0:
            log.info("encoded %d of %d recordings", number, len(clips))
    return encoded


def silent_clips(
    model: JambaTalk, rest: np.ndarray, count: int, seconds: float, seed: int
) -> list[EncodedClip]:
    """Encode noise without speech; the target is the resting face of each style.

    Args:
        rest: (s, K), see :func:`recipes.checkpoint.training.styled_clips.resting_faces`.
    """
    rng = np.random.default_rng(seed)
    clips = []
    for n in range(count):
        level = 10 ** rng.uniform(-2.9, -1.5) if n else 0.0  # the first is digital silence
        noise = rng.standard_normal(round(seconds * SAMPLE_RATE)) * level
        features = model.encode(Speech.from_array(noise, SAMPLE_RATE, f"{SILENCE}{n}"))
        weights = torch.from_numpy(rest).half()[:, None].expand(-1, len(features), -1)
        styles = torch.arange(len(rest))
        clips.append(EncodedClip(f"{SILENCE}{n}", SILENCE, 0, features.half(), weights, styles))
    return clips


def check_styles(model: JambaTalk, clips: Iterable[StyledClip]) -> None:
    """Raise a DataError unless every style has a clip to train on."""
    found = np.zeros(len(model.config.styles), bool)
    for clip in clips:
        found |= ~np.isnan(clip.weights[:, 0, 0])
    missing = [name for name, there in zip(model.config.styles, found, strict=True) if not there]
    if missing:
        raise DataError(f"There are no clips to train the styles {', '.join(missing)}.")


def _encode(
    model: JambaTalk,
    samples: np.ndarray,
    change: Callable[[np.ndarray], np.ndarray] | None,
    path: Path | None,
) -> Tensor:
    """Return features (t, m, c) float16 of changed samples, cached in `path`."""
    if path and path.exists():
        return torch.from_numpy(np.load(path, allow_pickle=False))
    samples = change(samples) if change else samples
    features = model.encode(Speech.from_array(samples, SAMPLE_RATE)).half()
    if path:
        part = path.with_suffix(f".{os.getpid()}.part")  # another run may write the same file
        with part.open("wb") as file:
            np.save(file, features.numpy())
        part.replace(path)
    return features


def _encoded_clip(clip: StyledClip, features: Tensor, weights: np.ndarray) -> EncodedClip:
    frames = min(len(features), weights.shape[1])  # sound and video end within a frame or two
    known = np.flatnonzero(~np.isnan(weights[:, 0, 0]))
    return EncodedClip(
        name=clip.name,
        kind=clip.kind,
        style=clip.style,
        features=features[:frames],
        weights=torch.from_numpy(weights[known, :frames].astype(np.float16)),
        styles=torch.from_numpy(known),
    )
