"""What the loop asks of whatever is trained."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from torch import Tensor, nn
from torch.utils.data import default_collate

from jambatalk.errors import JambaTalkError
from jambatalk.train.training_config import TrainingConfig

Draw = tuple[int, int]  # which example, and the seed of what is random in it


class Examples(Protocol):
    """What is learned from; pickled, it goes to the processes that read."""

    def __len__(self) -> int:
        """Examples in an epoch."""

    def order(self, rng: np.random.Generator) -> np.ndarray:
        """Which examples an epoch shows, in what order."""

    def __getitem__(self, draw: Draw) -> tuple[Tensor, ...]:
        """An example; those of a batch have the same shapes."""


class Task(Protocol):
    """A network, what it learns from, and what becomes of it."""

    learner: nn.Module  # a batch → losses
    examples: Examples

    def check(self) -> dict[str, float]:
        """Scores on what is held out; the network with the smallest "error" is kept."""

    def keep(self, folder: Path, scores: dict[str, float]) -> None:
        """Writes the network as a checkpoint folder."""

    def film(self, path: Path) -> None:
        """Writes a video of what it has learned."""


class Reader:
    """Examples as a DataLoader reads them, in processes of its own.

    An error of ours comes as what was read, to be raised where it is known to whom: raised there,
    it would arrive as a text with a traceback in it.
    """

    def __init__(self, examples: Examples) -> None:
        self.examples = examples

    def __getitem__(self, draw: Draw) -> tuple[Tensor, ...] | JambaTalkError:
        try:
            return self.examples[draw]
        except JambaTalkError as error:
            return error

    @staticmethod
    def batch(examples: list[tuple[Tensor, ...] | JambaTalkError]) -> Any:
        """Examples side by side, or the first error."""
        errors = [example for example in examples if isinstance(example, JambaTalkError)]
        return errors[0] if errors else default_collate(examples)


class Order:
    """Batches of an epoch, those of one process: set `epoch` before each.

    They depend on seed and epoch alone, so that a run goes on as it would have gone. All processes
    have equally many, in steps that are complete: the first examples come again at the end.
    """

    def __init__(self, examples: Examples, config: TrainingConfig, process: int, of: int) -> None:
        self.examples, self.config = examples, config
        self.process, self.processes = process, of
        self.epoch = 0

    @property
    def steps(self) -> int:
        """Steps of the optimiser in an epoch."""
        return math.ceil(len(self.examples) / self._a_step)

    @property
    def _a_step(self) -> int:
        return self.config.batch * self.processes * self.config.accumulate

    def __len__(self) -> int:
        """Batches in an epoch."""
        return self.steps * self.config.accumulate

    def __iter__(self) -> Iterator[list[Draw]]:
        rng = np.random.default_rng((self.config.seed, self.epoch))
        order = np.resize(self.examples.order(rng), self.steps * self._a_step)
        draws = np.stack([order, rng.integers(2**32, size=len(order))], 1)
        draws = draws.reshape(-1, self.processes, self.config.batch, 2)
        for batch in draws[:, self.process].tolist():
            yield [tuple(draw) for draw in batch]
