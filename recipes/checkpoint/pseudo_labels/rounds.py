"""Two rounds of labelling: real lips alone, then real lips and what the first round labelled.

In the first round labellers learn from people alone; the mean of their predictions labels the
corpus. Those of the second round learn from that as well.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recipes.checkpoint.captured.lip_clips import LipClip
from recipes.checkpoint.coarticulation.phone_tracks import UNKNOWN, phone_track
from recipes.checkpoint.corpus.recording import Recording
from recipes.checkpoint.pseudo_labels.labeller import (
    STEPS,
    Example,
    Labeller,
    predict_lips,
    train_labeller,
)

log = logging.getLogger(__name__)

FIRST = (  # crops of each kind in a batch; a labeller each
    {"s1": 16, "people": 4, "spliced": 12},
    {"s1": 16, "people": 4, "spliced": 12},
    {"s1": 16, "people": 4, "spliced": 12},
)
SECOND = (
    {"s1": 10, "people": 3, "spliced": 6, "corpus": 13},
    {"s1": 10, "people": 3, "spliced": 6, "corpus": 13},
)

Report = Callable[[str, Sequence[Labeller]], None]


@dataclass(frozen=True, eq=False)
class Voice:
    """A recording of the corpus with its features (t, m, c)."""

    recording: Recording
    features: Tensor


def train_rounds(
    real: dict[str, list[LipClip]],
    corpus: Sequence[Voice],
    fps: float,
    report: Report,
    steps: int = STEPS,
) -> list[Labeller]:
    """Train the labellers of both rounds.

    Args:
        real: "s1", "people" and "spliced" lips.
        corpus: recordings to label in between.
        report: called with a name and the labellers after each one.
    """

    def train(crops: dict[str, int], seed: int) -> Labeller:
        labeller = train_labeller(examples, crops, seed, steps)
        report(", ".join(f"{kind} {count}" for kind, count in crops.items()), [labeller])
        return labeller

    examples = {kind: [lip_example(clip) for clip in clips] for kind, clips in real.items()}
    first = [train(crops, seed) for seed, crops in enumerate(FIRST)]
    report("first round", first)
    examples["corpus"] = [corpus_example(voice, first, fps) for voice in corpus]
    second = [train(crops, 10 + seed) for seed, crops in enumerate(SECOND)]
    report("second round", second)
    report("both rounds", first + second)
    return first + second


def lip_example(clip: LipClip) -> Example:
    """Return a clip as an example without phones."""
    phones = torch.full((len(clip.lips),), UNKNOWN)
    return Example(clip.features, torch.from_numpy(clip.lips), phones)


def corpus_example(voice: Voice, labellers: Sequence[Labeller], fps: float) -> Example:
    """Label a recording, which becomes an example with phones."""
    lips = predict_lips(labellers, voice.features).astype(np.float32)
    phones = phone_track(voice.recording.phones, len(lips), fps)
    return Example(voice.features, torch.from_numpy(lips), torch.from_numpy(phones))
