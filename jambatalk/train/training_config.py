"""Configuration of training: its loop and optimizer, and a run on a data set.

The defaults are the published training of JambaTalk on VOCASET (arXiv 2408.01627).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from jambatalk.errors import ModelError
from jambatalk.files.fields import Range, check, check_fields, read_fields
from jambatalk.model.config import JambaTalkConfig

if TYPE_CHECKING:
    from torch import Tensor

Count = Annotated[int, Range(1)]
CountOrZero = Annotated[int, Range(0)]
Weight = Annotated[float, Range(0)]


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


@dataclass(frozen=True)
class DataConfig:
    """The data set.

    Attributes:
        folder: its path.
        set: "vocaset", "biwi", "folder" or "tracks", see :mod:`jambatalk.data.registry`.
        train, val: names of its splits.
        crop: frames of the random crop taken from each recording; None for whole recordings.
    """

    folder: Path
    set: Literal["vocaset", "biwi", "folder", "tracks"] = "vocaset"
    train: str = "train"
    val: str = "val"
    crop: Annotated[int, Range(2)] | None = None

    def __post_init__(self) -> None:
        check_fields(self, "data.")


@dataclass(frozen=True)
class FaceConfig:
    """What the vertices of a set mean: needed to draw them and to read the lips.

    Attributes:
        mesh: a .ply or .obj with the set's vertices in their order, for its triangles.
        lips: indices of the lips' vertices: FLAME_masks.pkl, BIWI_lip.pkl or an .npy.
    """

    mesh: Path | None = None
    lips: Path | None = None

    def __post_init__(self) -> None:
        check_fields(self, "face.")


@dataclass(frozen=True)
class NetworkConfig:
    """The network to train.

    Attributes:
        layout: "vocaset" and "biwi" as published, or "default", the bundled checkpoint's. Frame
            rate and outputs come from the training set.
        start: a checkpoint to fine-tune, a folder or a hub name, with its own layout; None for a
            new network.
        changes: fields of :class:`JambaTalkConfig` that differ from the layout's, those of its
            encoder under `encoder`.
        text_encoder: for the losses of the lip reader: a wav2vec 2.0 fine-tuned to transcribe
            speech, a hub name or a folder. A `start` that has one uses its own.
        scan: "torch" or "cuda", see :mod:`jambatalk.model.scan`.
    """

    layout: Literal["vocaset", "biwi", "default"] = "vocaset"
    start: str | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    text_encoder: str = "jonatasgrosman/wav2vec2-large-xlsr-53-english"
    scan: Literal["torch", "cuda"] = "torch"

    def __post_init__(self) -> None:
        check_fields(self, "network.")


@dataclass(frozen=True)
class LossConfig:
    """Weight of each loss; their equations are in :mod:`jambatalk.train.losses`.

    Attributes:
        vertices, velocity: squared error, and that of the change from frame to frame.
        lip_features: squared error between the features of lip reader and text encoder. No lip
            reader is built where this and `letters` are 0.
        letters: connectionist temporal classification of the text read from the lips.
        aperture, width, weights: squared error of the lip aperture, of the mouth's width, and of
            the blendshape weights, for networks that predict weights.
    """

    vertices: Weight = 1000.0
    velocity: Weight = 1000.0
    lip_features: Weight = 1e-3
    letters: Weight = 1e-4
    aperture: Weight = 0.0
    width: Weight = 0.0
    weights: Weight = 0.0

    def __post_init__(self) -> None:
        check_fields(self, "loss.")
        total = sum(dataclasses.astuple(self))
        check(total > 0, "loss", total, "Give at least one loss a weight above 0.")

    @property
    def reads_lips(self) -> bool:
        """Whether a lip reader is needed."""
        return self.lip_features > 0 or self.letters > 0

    def total(self, losses: Mapping[str, Tensor]) -> Tensor:
        """Return the weighted sum of losses, which training minimises."""
        weighted = [getattr(self, name) * loss for name, loss in losses.items()]
        return sum(weighted[1:], start=weighted[0])

    def check_zero(self, names: tuple[str, ...], output: str) -> None:
        """Raise a ModelError if one of these losses, which do not apply to `output`, counts."""
        for name in names:
            value = getattr(self, name)
            check(value == 0, f"loss.{name}", value, f"Set it to 0: the network predicts {output}.")


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(LoopConfig):
    """A run of `jambatalk train`."""

    data: DataConfig
    face: FaceConfig = field(default_factory=FaceConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    loss: LossConfig = field(default_factory=LossConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch > 1 and self.data.crop is None:
            raise ModelError(
                f"Recordings of different lengths do not fit into a batch of {self.batch}.",
                "Set data.crop to a number of frames, or batch to 1 and accumulate instead.",
            )
        if self.data.set == "tracks":
            self.loss.check_zero(("lip_features", "letters"), "weights")
            return
        if self.face.mesh is None or self.face.lips is None:
            raise ModelError(
                "Triangles and lips of the vertices are not known.",
                "Set face.mesh to a .ply or .obj (FLAME_sample.ply for VOCASET) and face.lips to "
                "FLAME_masks.pkl, BIWI_lip.pkl or an .npy of indices.",
            )
        self.loss.check_zero(("aperture", "width", "weights"), "vertices")


def with_changes(layout: JambaTalkConfig, changes: Mapping[str, Any]) -> JambaTalkConfig:
    """Return a layout with `network.changes` applied; fields of the encoder are merged one by one.

    Raises:
        ModelError: a field that does not exist, or values that do not fit together.
    """
    values = layout.to_dict()
    changed = values | dict(changes)
    if isinstance(encoder := changed["encoder"], dict):
        changed["encoder"] = values["encoder"] | encoder
    return read_fields(JambaTalkConfig, changed, "network.changes.")
