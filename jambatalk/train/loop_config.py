"""Configuration of the training loop and its optimizer, whatever is trained."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal

from jambatalk.errors import ModelError


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
    warmup: int = 0
    weight_decay: float = 0.0
    beta2: float = 0.999
    clip: float = 1.0

    def __post_init__(self) -> None:
        rate = self.learning_rate
        check(0 < rate < 1, "optimizer.learning_rate", rate, "Give a number such as 1e-4.")
        check(self.warmup >= 0, "optimizer.warmup", self.warmup, "Give 0 or more steps.")
        check(self.weight_decay >= 0, "optimizer.weight_decay", self.weight_decay, "Give >= 0.")
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
    epochs: int = 100
    batch: int = 1
    accumulate: int = 1
    workers: int = 2
    precision: Literal["no", "bf16"] = "no"
    seed: int = 0
    validate_every: int = 1
    save: Literal["best", "last"] = "best"
    patience: int | None = None
    video_every: int = 0

    def __post_init__(self) -> None:
        least = {"epochs": 1, "batch": 1, "accumulate": 1, "workers": 0}
        for name, minimum in (least | {"validate_every": 1, "video_every": 0}).items():
            value = getattr(self, name)
            check(value >= minimum, name, value, f"Give {minimum} or more.")
        valid = self.patience is None or self.patience >= 1
        check(valid, "patience", self.patience, "Give 1 or more, or leave it out.")
        compatible = self.save == "best" or self.patience is None
        check(compatible, "patience", self.patience, "Leave it out, or set save to best.")


def check_keys(values: Mapping[Any, Any], known: Mapping[str, Any], prefix: str) -> None:
    """Raise a ModelError for a key that is not known, naming the nearest that is."""
    for key in values:
        if key not in known:
            near = get_close_matches(str(key), known, 1)
            cure = f"Is it '{prefix}{near[0]}'?" if near else f"There are {', '.join(known)}."
            raise ModelError(f"The configuration has an unknown key '{prefix}{key}'.", cure)


def check(valid: bool, key: str, value: Any, cure: str) -> None:
    """Raise a ModelError about the value of a key unless it is valid."""
    if not valid:
        raise ModelError(f"'{key}' cannot be {value!r}.", cure)
