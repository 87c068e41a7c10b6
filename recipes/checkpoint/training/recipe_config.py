"""Configuration of the bundled checkpoint's training, see `recipes/checkpoint/train.yaml`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from jambatalk.files.fields import Range, check, check_fields, check_keys
from jambatalk.train.training_config import OF_WEIGHTS, LoopConfig, LossConfig, Weight
from recipes.checkpoint.captured.spliced_pairs import CLIPS

SILENCE, LABELLED, PEOPLE, SPLICED = "silence", "labelled", "people", "spliced"
KINDS = (LABELLED, "grid", PEOPLE, SPLICED, "facegood", SILENCE)  # of clips


@dataclass(frozen=True)
class RecipeDataConfig:
    """The recordings.

    Attributes:
        folder: with `grid_s1/`, `grid_speakers/`, `grid_lips/`, `address/` and `facegood/`, see
            recipes/README.md.
        corpus: written by `python -m recipes.checkpoint.corpus`.
        labels: written by `python -m recipes.checkpoint.pseudo_labels`.
        crop: frames of a random crop.
        shares: kind of clip → its share of the crops: "labelled" (the corpus), "grid" (s1),
            "people" (other GRID speakers), "spliced" (lips without sound), "facegood", "silence".
        own_style_share, neutral_share: shares of the crops that train the clip's own style, and
            the neutral one; the others train any style.
        spliced_clips: of each person without sound.
        variants: kind of clip → augmented versions of each; none of kinds left out.
        cache: a folder that keeps encoder features; empty it when recordings, encoder or
            augmentation change.
    """

    folder: Path
    corpus: Path
    labels: Path
    crop: Annotated[int, Range(2)] = 70
    shares: dict[str, Any] = field(default_factory=lambda: dict.fromkeys(KINDS, 1.0))
    own_style_share: Annotated[float, Range(0, 1)] = 0.4
    neutral_share: Annotated[float, Range(0, 1)] = 0.4
    spliced_clips: Annotated[int, Range(0)] = CLIPS
    variants: dict[str, Any] = field(default_factory=dict)
    cache: Path | None = None

    def __post_init__(self) -> None:
        check_fields(self, "data.")
        check_keys(self.shares, dict.fromkeys(KINDS), "data.shares.")
        check_keys(self.variants, dict.fromkeys(KINDS), "data.variants.")
        values = self.shares.values()
        valid = bool(values) and min(values) >= 0 and sum(values) > 0
        check(valid, "data.shares", self.shares, "Give shares above 0.")
        shares = self.own_style_share + self.neutral_share
        check(shares <= 1, "data.neutral_share", self.neutral_share, "Both shares exceed 1.")


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


@dataclass(frozen=True)
class RecipeLossConfig(LossConfig):
    """Weight of each loss, with those of the articulation heads.

    Attributes:
        phones: cross-entropy of the phones.
        contact: binary cross-entropy of bilabial and labiodental contact.
    """

    phones: Weight = 0.0
    contact: Weight = 0.0


@dataclass(frozen=True, kw_only=True)
class RecipeConfig(LoopConfig):
    """A training run of the bundled checkpoint."""

    data: RecipeDataConfig
    network: RecipeNetworkConfig = field(default_factory=RecipeNetworkConfig)
    loss: RecipeLossConfig = field(default_factory=RecipeLossConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.loss.check_only((*OF_WEIGHTS, "phones", "contact"), "the network predicts weights")
