"""From clips to what the decoder learns from: encoder features and weights at its frame rate."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from jambatalk.data.clip import Clip, at_rate
from jambatalk.data.manner import Manner
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.speech import SAMPLE_RATE, Speech
from jambatalk.train.augment import augment

log = logging.getLogger(__name__)

Manners = Mapping[str, Manner]  # style → how its person speaks


@dataclass(frozen=True, eq=False)
class Example:
    """One recording, heard.

    Attributes:
        name: the clip's.
        features: (t, m, c) float16, t frames, m encoder layers, c channels.
        weights: (s, t, k) float32, the motion in every style of the style table.
        style: the row of `weights` that was captured; the others are carried over from it.
    """

    name: str
    features: Tensor
    weights: Tensor
    style: int


def listen(
    model: JambaTalk, clips: Iterable[Clip], manners: Manners, variants: int, seed: int
) -> list[Example]:
    """Runs the frozen encoder over clips, once as recorded and `variants` times augmented."""
    rng = np.random.default_rng(seed)
    examples = []
    for clip in clips:
        versions = [(clip.samples, clip.weights)]
        versions += [augment(clip.samples, clip.weights, rng) for _ in range(variants)]
        for samples, weights in versions:
            examples.append(_example(model, clip, manners, samples, weights))
        if len(examples) % 300 <= variants:
            log.info("heard %d recordings", len(examples))
    return examples


def silence(model: JambaTalk, count: int, seconds: float, seed: int) -> list[Example]:
    """Rooms in which nobody speaks, and the resting face that belongs to them."""
    rng = np.random.default_rng(seed)
    config = model.config
    examples = []
    for n in range(count):
        noise = rng.standard_normal(round(seconds * SAMPLE_RATE)) * 10 ** rng.uniform(-2.9, -1.5)
        features = model.listen(Speech.from_array(noise, SAMPLE_RATE, f"silence{n}"))
        rest = torch.zeros(len(config.styles), len(features), len(config.actions))
        examples.append(Example(f"silence{n}", features.half(), rest, 0))
    return examples


def _example(
    model: JambaTalk, clip: Clip, manners: Manners, samples: np.ndarray, weights: np.ndarray
) -> Example:
    features = model.listen(Speech.from_array(samples, SAMPLE_RATE, clip.name))
    weights = at_rate(weights, clip.fps, model.config.fps)
    length = min(len(features), len(weights))  # sound and video end within a frame or two
    own, names = manners[clip.style], model.config.styles[1:]
    styled = [
        weights if name == clip.style else manners[name].carry_over(weights, own) for name in names
    ]
    styled.insert(0, np.mean(styled, 0))  # the neutral style lies in the middle of the others
    return Example(
        clip.name,
        features[:length].half(),
        torch.from_numpy(np.stack(styled)[:, :length]),
        model.config.styles.index(clip.style),
    )
