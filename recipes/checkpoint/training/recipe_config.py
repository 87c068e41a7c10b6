"""Configuration of the bundled checkpoint's training, see `recipes/checkpoint/train.yaml`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from jambatalk.model.config_fields import Range, check, check_fields, check_keys
from jambatalk.train.training_config import LoopConfig, LossConfig
from recipes.checkpoint.training.architecture import CAPTURED

SILENCE, SYNTHESISED = "silence", "synthesised"
KINDS = (SYNTHESISED, "grid", "facegood", SILENCE)  # of clips


@dataclass(frozen=True)
class RecipeDataConfig:
    """The recordings.

    Attributes:
        folder: with `grid_s1/` and `facegood/`, see recipes/README.md.
        corpus: written by `python -m recipes.checkpoint.corpus`.
        crop: frames of a random crop.
        shares: kind of clip ("synthesised", "grid", "facegood", "silence") → its share of the
            crops.
        own_style_share: share of the crops of captured motion that train the captured style; the
            others train any style.
        exclude: a captured style to leave out, with its recordings.
        cache: a folder that keeps encoder features; empty it when recordings, encoder or
            augmentation change.
    """

    folder: Path
    corpus: Path
    crop: Annotated[int, Range(2)] = 70
    shares: dict[str, Any] = field(default_factory=lambda: dict.fromkeys(KINDS, 1.0))
    own_style_share: Annotated[float, Range(0, 1)] = 0.6
    exclude: str | None = None
    cache: Path | None = None

    def __post_init__(self) -> None:
        check_fields(self, "data.")
        check_keys(self.shares, dict.fromkeys(KINDS), "data.shares.")
        values = self.shares.values()
        valid = bool(values) and min(values) >= 0 and sum(values) > 0
        check(valid, "data.shares", self.shares, "Give shares above 0.")
        valid = self.exclude in (None, *CAPTURED)
        check(valid, "data.exclude", self.exclude, f"Choose one of {', '.join(CAPTURED)}.")


@dataclass(frozen=True)
class RecipeNetworkConfig:
    """The network.

    Attributes:
        start: a checkpoint to fine-tune, of the same architecture; None for a new decoder.
        changes: fields of :class:`JambaTalkConfig` that differ from the bundled architecture's.
        scan: "torch" or "cuda", see :mod:`jambatalk.model.scan`.
    """

    start: str | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    scan: Literal["torch", "cuda"] = "torch"

    def __post_init__(self) -> None:
        check_fields(self, "network.")


@dataclass(frozen=True, kw_only=True)
class RecipeConfig(LoopConfig):
    """A training run of the bundled checkpoint."""

    data: RecipeDataConfig
    network: RecipeNetworkConfig = field(default_factory=RecipeNetworkConfig)
    loss: LossConfig = field(default_factory=LossConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.loss.check_zero(("lip_features", "letters"), "weights")
