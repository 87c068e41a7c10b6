"""Configuration of the training loop and its optimizer, whatever is trained."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, Literal

from jambatalk.errors import ModelError
from jambatalk.model.config_fields import Range, check, check_fields

Count = Annotated[int, Range(1)]
CountOrZero = Annotated[int, Range(0)]


@dataclass(frozen=True)
class OptimizerConfig:
    """The optimizer and its learning-rate schedule.

    Attributes:
        name: "adam", "adamw" or "muon", see :mod:`jambatalk.train.optimizer`.
        learning_rate: peak of the schedule.
        schedule: "constant", or "cosine": down to a hundredth of the peak at the last step.
        warmup: steps over which the rate rises linearly to the peak.
        weight_decay: for AdamW and Muon.
        beta2: decay of Adam's and AdamW's second moment.
        clip: largest norm of the gradient.
    """

    name: Literal["adam", "adamw", "muon"] = "adam"
    learning_rate: float = 1e-4
    schedule: Literal["constant", "cosine"] = "constant"
    warmup: CountOrZero = 0
    weight_decay: Annotated[float, Range(0)] = 0.0
    beta2: float = 0.999
    clip: float = 1.0

    def __post_init__(self) -> None:
        check_fields(self, "optimizer.")
        rate = self.learning_rate
        check(0 < rate < 1, "optimizer.learning_rate", rate, "Give a number such as 1e-4.")
        check(0 < self.beta2 < 1, "optimizer.beta2", self.beta2, "Give a number such as 0.999.")
        check(self.clip > 0, "optimizer.clip", self.clip, "Give a number such as 1.0.")
        if self.weight_decay and self.name == "adam":
            raise ModelError(
                "optimizer.weight_decay belongs to AdamW and Muon.", "Set name: adamw."
            )

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate of step number `step`, from 0, of `steps`."""
        if step < self.warmup:
            return self.learning_rate * (step + 1) / self.warmup
        if self.schedule == "constant":
            return self.learning_rate
        progress = (step - self.warmup) / max(1, steps - self.warmup)
        return self.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))


@dataclass(frozen=True, kw_only=True)
class LoopConfig:
    """What :func:`jambatalk.train.loop.train` needs to know.

    Attributes:
        epochs: passes over the training data.
        batch: examples a step and process.
        accumulate: batches whose gradients make one step.
        workers: processes that read the data.
        precision: "no" for float32, or "bf16": bfloat16 in encoders and lip reader; the decoder
            always computes in float32.
        seed: of everything random.
        validate_every: epochs between two validations, each of which may save a checkpoint and
            writes the state from which `--resume` continues.
        save: "best", the checkpoint with the lowest validation error, or "last".
        patience: validations without improvement after which training stops; None for never.
        video_every: epochs between two sample videos; 0 for none.
    """

    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    epochs: Count = 100
    batch: Count = 1
    accumulate: Count = 1
    workers: CountOrZero = 2
    precision: Literal["no", "bf16"] = "no"
    seed: int = 0
    validate_every: Count = 1
    save: Literal["best", "last"] = "best"
    patience: Count | None = None
    video_every: CountOrZero = 0

    def __post_init__(self) -> None:
        check_fields(self)
        compatible = self.save == "best" or self.patience is None
        check(compatible, "patience", self.patience, "Leave it out, or set save to best.")
