"""Clips as the decoder trains on them: encoder features, and motion in every style."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from jambatalk.model.jambatalk import JambaTalk
from jambatalk.motion.resample import resample
from jambatalk.speech import SAMPLE_RATE, Speech
from recipes.checkpoint.augment import SPEED, augment
from recipes.checkpoint.coarticulation.phone_tracks import PHONES
from recipes.checkpoint.corpus.phones import SILENCE as SILENT_PHONE
from recipes.checkpoint.feature_cache import FeatureCache
from recipes.checkpoint.training.recipe_config import LABELLED, SILENCE
from recipes.checkpoint.training.styled_clips import StyledClip

log = logging.getLogger(__name__)

BABBLE_RECORDINGS = 200
LOG_EVERY = 300  # clips


@dataclass(frozen=True, eq=False)
class EncodedClip:
    """One clip with its encoder features.

    Attributes:
        name, kind, style: the clip's.
        variant: number of the augmented version, 0 for none.
        features: (t, m, c) float16, t frames, m encoder layers, c channels.
        weights: (s, t, k) float16, the motion in every style.
        phones: (t,) and contact (t, 2), see :class:`StyledClip`.
    """

    name: str
    kind: str
    style: int
    variant: int
    features: Tensor
    weights: Tensor
    phones: Tensor
    contact: Tensor


def encode_clips(
    encode: FeatureCache, clips: Sequence[StyledClip], variants: Mapping[str, int]
) -> list[EncodedClip]:
    """Encode clips, once as recorded and some times augmented.

    Only the corpus is used for babble.

    Args:
        variants: kind of clip → number of augmented versions; none for other kinds.
    """
    voices = [clip.samples for clip in clips if clip.kind == LABELLED]
    voices = voices[:: len(voices) // BABBLE_RECORDINGS + 1]
    encoded = []
    for number, clip in enumerate(clips):
        for variant in range(variants.get(clip.kind, 0) + 1):
            changed, change = clip, None
            if variant:
                rng = np.random.default_rng([encode.seed, crc32(clip.name.encode()), variant])
                speed = rng.uniform(*SPEED)
                changed = _at_speed(clip, speed)
                change = partial(augment, speed=speed, rng=rng, voices=voices)
            features = encode(clip.name, clip.samples, variant, change)
            encoded.append(_encoded_clip(changed, features, variant))
        if number % LOG_EVERY == 0:
            log.info("encoded %d of %d recordings", number, len(clips))
    return encoded


def silent_clips(
    model: JambaTalk, rest: np.ndarray, count: int, seconds: float, seed: int
) -> list[EncodedClip]:
    """Encode noise without speech; the target is the resting face of each style.

    Args:
        rest: (s, K), see :meth:`recipes.checkpoint.training.styled_clips.StyledMotion`.
    """
    rng = np.random.default_rng(seed)
    clips = []
    for n in range(count):
        level = 10 ** rng.uniform(-2.9, -1.5) if n else 0.0  # the first is digital silence
        noise = rng.standard_normal(round(seconds * SAMPLE_RATE)) * level
        features = model.encode(Speech.from_array(noise, SAMPLE_RATE, f"{SILENCE}{n}"))
        weights = torch.from_numpy(rest).half()[:, None].expand(-1, len(features), -1)
        phones = torch.full((len(features),), PHONES.index(SILENT_PHONE))
        contact = torch.zeros(len(features), 2)
        name = f"{SILENCE}{n}"
        clips.append(EncodedClip(name, SILENCE, 0, 0, features.half(), weights, phones, contact))
    return clips


def _at_speed(clip: StyledClip, speed: float) -> StyledClip:
    """Return a clip with its motion at another speed; the samples stay."""
    weights = resample(clip.weights.swapaxes(0, 1), speed, 1.0).swapaxes(0, 1)
    nearest = (np.arange(weights.shape[1]) * speed).round().astype(int)
    nearest = nearest.clip(max=len(clip.phones) - 1)
    return replace(
        clip, weights=weights, phones=clip.phones[nearest], contact=clip.contact[nearest]
    )


def _encoded_clip(clip: StyledClip, features: Tensor, variant: int) -> EncodedClip:
    frames = min(len(features), clip.weights.shape[1])  # sound and video end within a frame or two
    return EncodedClip(
        name=clip.name,
        kind=clip.kind,
        style=clip.style,
        variant=variant,
        features=features[:frames],
        weights=torch.from_numpy(clip.weights[:, :frames].astype(np.float16)),
        phones=torch.from_numpy(clip.phones[:frames]),
        contact=torch.from_numpy(clip.contact[:frames]),
    )
