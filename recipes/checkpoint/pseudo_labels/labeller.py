"""The labeller: a small causal network from encoder features to the lips of real people.

A linear head on its state names the phone, which keeps the state about speech rather than about
the voices that were tracked. Shapes: b batch, t frames, m encoder layers, c channels, p phones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from recipes.checkpoint.coarticulation.phone_tracks import PHONES, UNKNOWN

WIDTH, LAYERS = 128, 2
DROPOUT = 0.2  # of features
FRAMES = 84  # of a crop
STEPS = 450  # more learn the 51 words of GRID by heart
RATE, WARMUP, WEIGHT_DECAY, CLIP = 2e-3, 0.1, 0.01, 1.0
PHONE_WEIGHT = 0.3  # of the cross-entropy


@dataclass(frozen=True, eq=False)
class Example:
    """Features (t, m, c), standardised lips (t, 2) and numbers of phones (t,).

    Lips are NaN and phones `UNKNOWN` where they are not known.
    """

    features: Tensor
    lips: Tensor
    phones: Tensor


class Labeller(nn.Module):
    """Maps features to standardised lip aperture and mouth width, and to logits of phones."""

    def __init__(self, layers: int, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels, elementwise_affine=False)
        self.dropout = nn.Dropout(DROPOUT)
        self.gru = nn.GRU(layers * channels, WIDTH, LAYERS, batch_first=True)
        self.lip_map = nn.Linear(WIDTH, 2)
        self.phone_map = nn.Linear(WIDTH, len(PHONES))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Map features (b, t, m, c) to lips (b, t, 2) and logits (b, t, p)."""
        x, _ = self.gru(self.dropout(self.norm(features).flatten(2)))
        return self.lip_map(x), self.phone_map(x)


def train_labeller(
    examples: Mapping[str, Sequence[Example]],
    crops: Mapping[str, int],
    seed: int,
    steps: int = STEPS,
) -> Labeller:
    """Train a labeller.

    Args:
        examples: by kind.
        crops: kind → number of its crops in a batch; of kinds without examples there are none.
    """
    crops = {kind: count for kind, count in crops.items() if examples[kind]}
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    _, layers, channels = examples[next(iter(crops))][0].features.shape
    model = Labeller(layers, channels).train()
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps, pct_start=WARMUP)
    for _ in range(steps):
        batch = _draw(examples, crops, rng)
        lips, phones = model(batch.features)
        optimizer.zero_grad()
        _loss(lips, phones, batch).backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        schedule.step()
    return model.eval()


@torch.inference_mode()
def predict_lips(labellers: Sequence[Labeller], features: Tensor) -> np.ndarray:
    """Return the mean of what labellers predict for features (t, m, c): (t, 2)."""
    return np.mean([model(features.float()[None])[0][0].numpy() for model in labellers], 0)


def _draw(
    examples: Mapping[str, Sequence[Example]], crops: Mapping[str, int], rng: np.random.Generator
) -> Example:
    """Draw a batch of random crops."""
    drawn = [
        _crop(examples[kind][int(rng.integers(len(examples[kind])))], rng)
        for kind, count in crops.items()
        for _ in range(count)
    ]
    return Example(
        torch.stack([one.features for one in drawn]),
        torch.stack([one.lips for one in drawn]),
        torch.stack([one.phones for one in drawn]),
    )


def _crop(example: Example, rng: np.random.Generator) -> Example:
    """Return a random crop of `FRAMES` frames; shorter examples are padded with unknown ones."""
    length = len(example.lips)
    start = int(rng.integers(max(1, length - FRAMES + 1)))
    frames, missing = slice(start, start + FRAMES), max(0, FRAMES - length)
    return Example(
        F.pad(example.features[frames].float(), (0, 0, 0, 0, 0, missing)),
        F.pad(example.lips[frames], (0, 0, 0, missing), value=float("nan")),
        F.pad(example.phones[frames], (0, missing), value=UNKNOWN),
    )


def _loss(lips: Tensor, phones: Tensor, batch: Example) -> Tensor:
    """Return the squared error of known lips, and the cross-entropy of known phones."""
    known = ~batch.lips.isnan()
    loss = (lips[known] - batch.lips[known]).square().mean()
    named = batch.phones != UNKNOWN
    if named.any():
        loss = loss + PHONE_WEIGHT * F.cross_entropy(phones[named], batch.phones[named])
    return loss
