"""Configuration of training: its loop and optimizer, and a run on a data set.

The defaults are the published training of JambaTalk on VOCASET (arXiv 2408.01627).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from jambatalk.errors import ModelError
from jambatalk.files.fields import Range, check, check_fields, read_fields
from jambatalk.model.config import JambaTalkConfig

if TYPE_CHECKING:
    from torch import Tensor

Network = Literal[
    "jambatalk",
    "faceformer",
    "codetalker_stage1",
    "codetalker_stage2",
    "selftalk",
    "facexhubert",
    "facediffuser",
]
Layout = Literal["vocaset", "biwi", "multiface", "beat", "uudamm", "default"]
OF_VERTICES = ("vertices", "velocity", "lip_features", "letters")  # losses of JambaTalk
OF_WEIGHTS = ("vertices", "velocity", "aperture", "width", "weights")
PUBLISHED_LOSSES: dict[str, tuple[str, ...]] = {
    "faceformer": ("vertices",),
    "codetalker_stage1": ("vertices", "quantisation"),
    "codetalker_stage2": ("vertices", "codes"),
    "selftalk": OF_VERTICES,
    "facexhubert": ("vertices",),
    "facediffuser": ("vertices", "weights"),
}
Count = Annotated[int, Range(1)]
CountOrZero = Annotated[int, Range(0)]
Weight = Annotated[float, Range(0)]


@dataclass(frozen=True)
class OptimizerConfig:
    """The optimizer and its learning-rate schedule.

    Attributes:
        name: "adam", "adamw" or "muon", see :mod:`jambatalk.train.optimizer`.
        learning_rate: peak of the schedule.
        schedule: "constant"; "cosine": down to a hundredth of the peak at the last step; or
            "halving": to half of it after each tenth of the run.
        warmup: steps over which the rate rises linearly to the peak.
        weight_decay: for AdamW and Muon.
        beta2: decay of Adam's and AdamW's second moment.
        clip: largest norm of the gradient; None for any.
    """

    name: Literal["adam", "adamw", "muon"] = "adam"
    learning_rate: float = 1e-4
    schedule: Literal["constant", "cosine", "halving"] = "constant"
    warmup: CountOrZero = 0
    weight_decay: Annotated[float, Range(0)] = 0.0
    beta2: float = 0.999
    clip: float | None = 1.0

    def __post_init__(self) -> None:
        check_fields(self, "optimizer.")
        rate = self.learning_rate
        check(0 < rate < 1, "optimizer.learning_rate", rate, "Give a number such as 1e-4.")
        check(0 < self.beta2 < 1, "optimizer.beta2", self.beta2, "Give a number such as 0.999.")
        clip = self.clip
        check(clip is None or clip > 0, "optimizer.clip", clip, "Give a number such as 1.0.")
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
        if self.schedule == "halving":
            return self.learning_rate * 0.5 ** (10 * step // steps)
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
        name: "jambatalk", or one of the published networks of :mod:`jambatalk.networks`.
            CodeTalker is trained in two stages, one after the other.
        layout: as published; of JambaTalk "vocaset" and "biwi", or "default", the bundled
            checkpoint's. Frame rate and outputs come from the training set.
        start: a checkpoint to fine-tune, a folder or a hub name, with its own layout; None for a
            new network.
        changes: fields of the network's configuration that differ from the layout's, those of
            its encoder under `encoder`.
        speech_encoder: of a published network: a pretrained wav2vec 2.0 or HuBERT, a hub name or a
            folder. JambaTalk's is `changes.encoder.source`.
        first_stage: of CodeTalker's second stage: the checkpoint that the first wrote.
        text_encoder: for the losses of the lip reader: a wav2vec 2.0 fine-tuned to transcribe
            speech, a hub name or a folder. A `start` that has one uses its own.
        scan: "torch" or "cuda", see :mod:`jambatalk.model.scan`.
    """

    name: Network = "jambatalk"
    layout: Layout = "vocaset"
    start: str | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    speech_encoder: str | None = None
    first_stage: Path | None = None
    text_encoder: str = "jonatasgrosman/wav2vec2-large-xlsr-53-english"
    scan: Literal["torch", "cuda"] = "torch"

    def __post_init__(self) -> None:
        check_fields(self, "network.")
        if self.name == "jambatalk":
            known = ("vocaset", "biwi", "default")
            check(self.layout in known, "network.layout", self.layout, f"Use {', '.join(known)}.")
            cure = "Set network.changes.encoder.source instead."
            check(self.speech_encoder is None, "network.speech_encoder", self.speech_encoder, cure)
        needed = self.name == "codetalker_stage2" and self.start is None
        cure = "Give the checkpoint that it wrote." if needed else "Leave it out."
        given = self.first_stage is not None
        check(given == needed, "network.first_stage", self.first_stage, cure)


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
        quantisation, codes: of CodeTalker's two stages: the distance of codes and what they
            stand for, and the squared error of what is to become codes.
    """

    vertices: Weight = 1000.0
    velocity: Weight = 1000.0
    lip_features: Weight = 1e-3
    letters: Weight = 1e-4
    aperture: Weight = 0.0
    width: Weight = 0.0
    weights: Weight = 0.0
    quantisation: Weight = 0.0
    codes: Weight = 0.0

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

    def check_only(self, names: Collection[str], reason: str) -> None:
        """Raise a ModelError if another loss than these counts, for a reason."""
        for name, value in dataclasses.asdict(self).items():
            check(name in names or value == 0, f"loss.{name}", value, f"Set it to 0: {reason}.")


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(LoopConfig):
    """A run of `jambatalk train`."""

    data: DataConfig
    face: FaceConfig = field(default_factory=FaceConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    loss: LossConfig = field(default_factory=LossConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        published = self.network.name != "jambatalk"
        if published:
            self._check_published()
        if self.batch > 1 and self.data.crop is None:
            raise ModelError(
                f"Recordings of different lengths do not fit into a batch of {self.batch}.",
                "Set data.crop to a number of frames, or batch to 1 and accumulate instead.",
            )
        if self.data.set == "tracks":
            if not published:
                self.loss.check_only(OF_WEIGHTS, "the network predicts weights")
            return
        if self.face.mesh is None or self.face.lips is None:
            raise ModelError(
                "Triangles and lips of the vertices are not known.",
                "Set face.mesh to a .ply or .obj (FLAME_sample.ply for VOCASET) and face.lips to "
                "FLAME_masks.pkl, BIWI_lip.pkl or an .npy of indices.",
            )
        if not published:
            self.loss.check_only(OF_VERTICES, "the network predicts vertices")

    def _check_published(self) -> None:
        """Check what a published network does not take."""
        name = self.network.name
        self.loss.check_only(PUBLISHED_LOSSES[name], f"{name} has no such loss")
        check(self.batch == 1, "batch", self.batch, "Set it to 1, as published; accumulate works.")
        check(self.data.crop is None, "data.crop", self.data.crop, "Leave it out, as published.")
        check(self.precision == "no", "precision", self.precision, "Leave it out, as published.")


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
