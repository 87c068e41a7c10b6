"""Reproducible batches, shared among processes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset, default_collate

from jambatalk.errors import JambaTalkError
from jambatalk.train.task import SampleKey, TrainingData
from jambatalk.train.training_config import LoopConfig


class BatchSampler:
    """Batches of sample keys for one process; set `epoch` before each epoch.

    They depend on seed and epoch alone, so that a resumed run continues exactly. All processes get
    the same number of batches, in complete steps: the first examples are repeated at the end.
    """

    def __init__(
        self, data: TrainingData, config: LoopConfig, process: int = 0, processes: int = 1
    ) -> None:
        self.data, self.config = data, config
        self.process, self.processes = process, processes
        self.epoch = 0
        self.examples = config.batch * processes * config.accumulate  # of a step

    @property
    def steps(self) -> int:
        """Optimizer steps in an epoch."""
        return math.ceil(len(self.data) / self.examples)

    def __len__(self) -> int:
        """Batches in an epoch."""
        return self.steps * self.config.accumulate

    def __iter__(self) -> Iterator[list[SampleKey]]:
        rng = np.random.default_rng((self.config.seed, self.epoch))
        order = np.resize(self.data.epoch_order(rng), self.steps * self.examples)
        keys = np.stack([order, rng.integers(2**32, size=len(order))], 1)
        keys = keys.reshape(-1, self.processes, self.config.batch, 2)
        for batch in keys[:, self.process].tolist():
            yield [(index, seed) for index, seed in batch]


class ErrorsAsExamples(Dataset):
    """Training data that returns our errors instead of raising them.

    Raised in a loader's process, an error would arrive as text with a traceback in it; returned,
    it can be raised by the process that reports it.
    """

    def __init__(self, data: TrainingData) -> None:
        self.data = data

    def __getitem__(self, key: SampleKey) -> tuple[Tensor, ...] | JambaTalkError:
        try:
            return self.data[key]
        except JambaTalkError as error:
            return error


def collate(examples: list[tuple[Tensor, ...] | JambaTalkError]) -> Any:
    """Stack examples into a batch, or return the first error among them."""
    errors = [example for example in examples if isinstance(example, JambaTalkError)]
    return errors[0] if errors else default_collate(examples)
