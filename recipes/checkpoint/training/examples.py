"""What the decoder learns from: encoder features, and the motion in every style."""

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
from jambatalk.speech import SAMPLE_RATE, Speech
from recipes.checkpoint.training.augment import SPEED, augment, played

log = logging.getLogger(__name__)

BACKGROUND = 200  # recordings that talk behind others
LOG_EVERY = 300


@dataclass(frozen=True, eq=False)
class StyledClip:
    """One recording with its motion in several styles.

    Attributes:
        name: unique.
        kind: recordings of one kind are drawn as often as its share says.
        samples: (n,) float32, 16 kHz.
        weights: (s, T, K) float32 at the model's frame rate, a row for each style of the table;
            NaN where there is none.
        style: the row that was captured, or 0.
    """

    name: str
    kind: str
    samples: np.ndarray
    weights: np.ndarray
    style: int


@dataclass(frozen=True, eq=False)
class Example:
    """One recording, heard.

    Attributes:
        name, kind, style: the clip's.
        features: (t, m, c) float16, t frames, m encoder layers, c channels.
        weights: (s, t, k) float16, the motion in every style there is.
        styles: (s,) the styles of `weights`, rows of the style table.
    """

    name: str
    kind: str
    style: int
    features: Tensor
    weights: Tensor
    styles: Tensor


def listen(
    model: JambaTalk,
    clips: Sequence[StyledClip],
    variants: Mapping[str, int],
    seed: int,
    cache: Path | None = None,
) -> list[Example]:
    """Runs the frozen encoder over clips, once as recorded and some times augmented. Behind others
    talk those who were not captured, so that runs without somebody's motion share a cache.

    Args:
        variants: kind of recordings → how many times augmented; those of another kind are not.
        cache: a folder in which what was heard is kept; empty it when recordings, encoder or
            augmentation change.
    """
    if cache:
        cache.mkdir(parents=True, exist_ok=True)
    uncaptured = [clip.samples for clip in clips if not clip.style]
    others = uncaptured[:: len(uncaptured) // BACKGROUND + 1]
    examples = []
    for number, clip in enumerate(clips):
        for variant in range(variants.get(clip.kind, 0) + 1):
            weights, change = clip.weights, None
            if variant:
                rng = np.random.default_rng([seed, crc32(clip.name.encode()), variant])
                speed = rng.uniform(*SPEED)
                weights = played(weights.swapaxes(0, 1), speed).swapaxes(0, 1)
                change = partial(augment, speed=speed, rng=rng, others=others)
            kept = cache and cache / f"{clip.name.replace('/', '-')}.{seed}.{variant}.npy"
            features = _hear(model, clip.samples, change, kept)
            examples.append(_example(clip, features, weights))
        if number % LOG_EVERY == 0:
            log.info("heard %d of %d recordings", number, len(clips))
    return examples


def silence(
    model: JambaTalk, rest: np.ndarray, count: int, seconds: float, seed: int
) -> list[Example]:
    """Rooms in which nobody speaks, and the face of each style, `rest` (s, K), that belongs to
    them."""
    rng = np.random.default_rng(seed)
    examples = []
    for n in range(count):
        level = 10 ** rng.uniform(-2.9, -1.5) if n else 0.0  # the first microphone is off
        noise = rng.standard_normal(round(seconds * SAMPLE_RATE)) * level
        features = model.encode(Speech.from_array(noise, SAMPLE_RATE, f"silence{n}"))
        still = torch.from_numpy(rest).half()[:, None].expand(-1, len(features), -1)
        every = torch.arange(len(rest))
        examples.append(Example(f"silence{n}", "silence", 0, features.half(), still, every))
    return examples


def check_styles(model: JambaTalk, clips: Iterable[StyledClip]) -> None:
    """Makes sure that there is something to learn each style from.

    Raises:
        DataError: a style has no clip.
    """
    taught = np.zeros(len(model.config.styles), bool)
    for clip in clips:
        taught |= ~np.isnan(clip.weights[:, 0, 0])
    missing = [name for name, known in zip(model.config.styles, taught, strict=True) if not known]
    if missing:
        raise DataError(f"There are no clips to learn {', '.join(missing)} from.")


def _hear(
    model: JambaTalk,
    samples: np.ndarray,
    change: Callable[[np.ndarray], np.ndarray] | None,
    kept: Path | None,
) -> Tensor:
    """Features (t, m, c) float16 of a sound, changed before, read from the file `kept` or written
    to it."""
    if kept and kept.exists():
        return torch.from_numpy(np.load(kept, allow_pickle=False))
    samples = change(samples) if change else samples
    features = model.encode(Speech.from_array(samples, SAMPLE_RATE)).half()
    if kept:
        half_written = kept.with_suffix(f".{os.getpid()}.part")  # others may hear the same
        with half_written.open("wb") as file:
            np.save(file, features.numpy())
        half_written.replace(kept)
    return features


def _example(clip: StyledClip, features: Tensor, weights: np.ndarray) -> Example:
    length = min(len(features), weights.shape[1])  # sound and video end within a frame or two
    known = np.flatnonzero(~np.isnan(weights[:, 0, 0]))
    return Example(
        clip.name,
        clip.kind,
        clip.style,
        features[:length],
        torch.from_numpy(weights[known, :length].astype(np.float16)),
        torch.from_numpy(known),
    )
