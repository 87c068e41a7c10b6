"""From clips to what the decoder learns from: encoder features and weights at its frame rate."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from jambatalk.data.clip import Clip, at_rate
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.speech import SAMPLE_RATE, Speech
from jambatalk.train.augment import augment

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Example:
    """One recording, heard.

    Attributes:
        name: the clip's.
        features: (t, m, c) float16, t frames, m encoder layers, c channels.
        weights: (t, k) float32.
        style: row of the style table.
    """

    name: str
    features: Tensor
    weights: Tensor
    style: int


def listen(model: JambaTalk, clips: Iterable[Clip], variants: int, seed: int) -> list[Example]:
    """Runs the frozen encoder over clips, once as recorded and `variants` times augmented."""
    rng = np.random.default_rng(seed)
    examples = []
    for clip in clips:
        versions = [(clip.samples, clip.weights)]
        versions += [augment(clip.samples, clip.weights, rng) for _ in range(variants)]
        for samples, weights in versions:
            examples.append(_example(model, clip, samples, weights))
        if len(examples) % 300 <= variants:
            log.info("heard %d recordings", len(examples))
    return examples


def silence(model: JambaTalk, count: int, seconds: float, seed: int) -> list[Example]:
    """Rooms in which nobody speaks, and the resting face that belongs to them."""
    rng = np.random.default_rng(seed)
    fps, actions = model.config.fps, len(model.config.actions)
    rest = np.zeros((round(seconds * fps), actions), np.float32)
    examples = []
    for n in range(count):
        noise = rng.standard_normal(round(seconds * SAMPLE_RATE)).astype(np.float32)
        clip = Clip(f"silence{n}", noise * 10 ** rng.uniform(-2.9, -1.5), rest, fps, "neutral")
        examples.append(_example(model, clip, clip.samples, rest))
    return examples


def _example(model: JambaTalk, clip: Clip, samples: np.ndarray, weights: np.ndarray) -> Example:
    features = model.listen(Speech.from_array(samples, SAMPLE_RATE, clip.name))
    target = torch.from_numpy(at_rate(weights, clip.fps, model.config.fps))
    length = min(len(features), len(target))  # sound and video end within a frame or two
    return Example(
        clip.name,
        features[:length].half(),
        target[:length],
        model.config.styles.index(clip.style),
    )
