"""Interfaces between the training loop and what it trains."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from torch import Tensor, nn

SampleKey = tuple[int, int]  # index of an example, and the seed of its random crop or noise
Losses = dict[str, Tensor]


class TrainingData(Protocol):
    """Training examples; pickled, they are sent to the loader's processes."""

    def __len__(self) -> int:
        """Examples in an epoch."""

    def epoch_order(self, rng: np.random.Generator) -> np.ndarray:
        """Return the indices of an epoch's examples, in order."""

    def __getitem__(self, key: SampleKey) -> tuple[Tensor, ...]:
        """Return an example; those of a batch have the same shapes."""


class Task(Protocol):
    """A network with its losses, its training data and its validation."""

    @property
    def module(self) -> nn.Module:
        """The module to train: maps a batch to losses by name."""

    @property
    def dataset(self) -> TrainingData:
        """The training data."""

    def total_loss(self, losses: Losses) -> Tensor:
        """Return the weighted sum of losses, which is minimised."""

    def validate(self) -> dict[str, float]:
        """Return scores on held-out data; the checkpoint with the lowest "error" is the best."""

    def save_checkpoint(self, folder: Path, scores: dict[str, float]) -> None:
        """Write the network as a checkpoint folder."""

    def write_sample_video(self, path: Path) -> None:
        """Write a video of a held-out recording, target beside prediction."""
