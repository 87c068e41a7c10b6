"""Training of the lip reader."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from jambatalk.evaluate.lip_reader import CURVES, SLOTS, LipReader
from jambatalk.files.tensors import write_tensors
from jambatalk.progress import Progress, no_progress
from recipes.lip_reader.grid_sentences import Sentence, stretched

BATCH = 64  # sentences
RATE, WARM_UP = 4e-3, 50  # of learning; steps to it
DECAY, CLIP = 0.01, 1.0  # of weights; of the gradient's norm
FRAMES_WEIGHT = 0.5  # of the loss of each frame's word
SAVE_EVERY = 400  # steps
UNKNOWN = -100  # word of a frame after the sentence
FIRST_WORDS = np.cumsum([0, *map(len, SLOTS.values())])  # of each slot among the 51


def train_reader(
    sentences: Sequence[Sentence],
    steps: int,
    seed: int,
    path: Path,
    progress: Progress = no_progress,
) -> LipReader:
    """Train a reader; its weights are written to `path` every 400 steps and at the end."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    reader = LipReader()
    optimizer = torch.optim.AdamW(reader.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min(1.0, (step + 1) / WARM_UP) * (0.5 + 0.5 * np.cos(np.pi * step / steps)),
    )
    for step in range(steps):
        progress("Training", step / steps)
        drawn = [sentences[i] for i in rng.integers(0, len(sentences), BATCH)]
        moved = [stretched(one, rng) for one in drawn]
        curves, known = padded([curves for curves, _ in moved])
        words = torch.tensor(np.stack([one.words for one in drawn]))
        scores, frames = reader(curves, known)
        said = torch.full(known.shape, UNKNOWN)
        for row, (one, (_, slots)) in enumerate(zip(drawn, moved, strict=True)):
            said[row, : len(slots)] = torch.tensor(FIRST_WORDS[slots] + one.words[slots])
        loss = FRAMES_WEIGHT * F.cross_entropy(frames.mT, said, ignore_index=UNKNOWN)
        for score, target in zip(scores, words.T, strict=True):
            loss = loss + F.cross_entropy(score, target)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(reader.parameters(), CLIP)
        optimizer.step()
        schedule.step()
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == steps:
            write_tensors({name: w.half() for name, w in reader.state_dict().items()}, path)
    progress("Training", 1.0)
    return reader.eval()


def padded(curves: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Put curves (t, 3) of different lengths together: (b, t, 3), and (b, t) bool where known."""
    longest = max(map(len, curves))
    together = torch.zeros(len(curves), longest, len(CURVES))
    known = torch.zeros(len(curves), longest, dtype=torch.bool)
    for row, one in enumerate(curves):
        together[row, : len(one)] = torch.tensor(one)
        known[row, : len(one)] = True
    return together, known
