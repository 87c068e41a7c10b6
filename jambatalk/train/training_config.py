"""Everything that determines a training run.

The defaults are the published training of JambaTalk on VOCASET (arXiv 2408.01627).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from jambatalk.errors import ModelError
from jambatalk.model.config import JambaTalkConfig

if TYPE_CHECKING:
    from torch import Tensor


KINDS = ("taught", "grid", "facegood", "silence")  # of recordings, in the bundled training


@dataclass(frozen=True)
class DataConfig:
    """What is learned from.

    Attributes:
        folder: where it lies, seen from the working directory.
        set: "vocaset", "biwi", "folder" or "tracks", see :mod:`jambatalk.data.registry`; or
            "bundled", the recordings that the bundled checkpoint is trained on, see
            :mod:`recipes.checkpoint.training.bundled`.
        train, val: names of its splits.
        cut: frames of the random piece of each recording that is learned from; None for all.
        workers: processes that read.
        corpus: of the bundled checkpoint, what `python -m recipes.checkpoint.corpus` made.
        without: of the bundled checkpoint, a captured style to leave out with its recordings.
        shares: of the bundled checkpoint, kind of recordings (taught, grid, facegood, silence) →
            how often one is drawn.
        own: of the bundled checkpoint, part of the cuts of captured motion that are learned in the
            style that was captured; all others in any style.
        cache: of the bundled checkpoint, a folder in which what the encoder heard is kept; empty
            it when recordings, encoder or augmentation change.
    """

    folder: Path
    set: Literal["vocaset", "biwi", "folder", "tracks", "bundled"] = "vocaset"
    train: str = "train"
    val: str = "val"
    cut: int | None = None
    workers: int = 2
    corpus: Path | None = None
    without: str | None = None
    shares: dict[str, Any] = field(default_factory=dict)
    own: float = 0.6
    cache: Path | None = None


@dataclass(frozen=True)
class FaceConfig:
    """What the vertices of a set mean: needed to draw them, and to read the lips.

    Attributes:
        mesh: a .ply or .obj with the set's vertices in their order, for its triangles.
        lips: which vertices the lips are: FLAME_masks.pkl, BIWI_lip.pkl or an .npy of indices.
    """

    mesh: Path | None = None
    lips: Path | None = None


@dataclass(frozen=True)
class NetworkConfig:
    """What learns.

    Attributes:
        layout: "vocaset" and "biwi" as published, or "default", the bundled one's. How many frames
            a second and what is predicted comes from the training set.
        start: a checkpoint to go on from, a folder or a hub name, whose own layout it keeps (of the
            bundled set: one of the same layout); None for a new network.
        changes: fields of :class:`JambaTalkConfig` that differ from the layout's, those of its
            encoder under `encoder`.
        text_encoder: for the losses of the lip reader: a wav2vec 2.0 that was trained to write
            down speech, a hub name or a folder. A start that has one uses its own.
        scan: "torch" or "cuda", see :mod:`jambatalk.model.scan`.
    """

    layout: Literal["vocaset", "biwi", "default"] = "vocaset"
    start: str | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    text_encoder: str = "jonatasgrosman/wav2vec2-large-xlsr-53-english"
    scan: Literal["torch", "cuda"] = "torch"

    def changed(self, layout: JambaTalkConfig) -> JambaTalkConfig:
        """A layout with the changes.

        Raises:
            ModelError: a field that does not exist, or values that do not fit together.
        """
        return JambaTalkConfig.from_dict(_merged(layout.to_dict(), self.changes, "network.changes"))


@dataclass(frozen=True)
class LossConfig:
    """How much each loss counts; their equations are in :mod:`jambatalk.train.losses`.

    Attributes:
        vertices, velocity: squared error, and that of the change from frame to frame.
        lip_features: squared error of the lip reader's features to the text encoder's. No lip
            reader is built where this and `letters` are 0.
        letters: connectionist temporal classification of the text read from the lips.
        aperture, width, weights: squared error of the lips' opening, of their width, and of the
            weights; of networks that predict weights.
    """

    vertices: float = 1000.0
    velocity: float = 1000.0
    lip_features: float = 1e-3
    letters: float = 1e-4
    aperture: float = 0.0
    width: float = 0.0
    weights: float = 0.0

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            check(value >= 0, f"loss.{name}", value, "Give 0 or more.")
        total = sum(dataclasses.astuple(self))
        check(total > 0, "loss", total, "Let at least one loss count.")

    @property
    def reads_lips(self) -> bool:
        """Whether a lip reader is needed."""
        return self.lip_features > 0 or self.letters > 0

    def total(self, losses: Mapping[str, Tensor]) -> Tensor:
        """What is minimised: the sum of these losses as much as each counts."""
        return sum(getattr(self, name) * loss for name, loss in losses.items())


@dataclass(frozen=True)
class OptimizerConfig:
    """How it learns.

    Attributes:
        name: "adam", "adamw" or "muon", see :mod:`jambatalk.train.optimizer`.
        learning_rate: its peak.
        schedule: "constant", or "cosine": down to a hundredth of the peak at the last step.
        warmup: steps in which it rises to the peak.
        weight_decay: of AdamW and Muon.
        clip: largest norm of the gradient.
    """

    name: Literal["adam", "adamw", "muon"] = "adam"
    learning_rate: float = 1e-4
    schedule: Literal["constant", "cosine"] = "constant"
    warmup: int = 0
    weight_decay: float = 0.0
    clip: float = 1.0

    def __post_init__(self) -> None:
        rate = self.learning_rate
        check(0 < rate < 1, "optimizer.learning_rate", rate, "Give a number such as 1e-4.")
        check(self.warmup >= 0, "optimizer.warmup", self.warmup, "Give 0 or more steps.")
        check(self.weight_decay >= 0, "optimizer.weight_decay", self.weight_decay, "Give >= 0.")
        check(self.clip > 0, "optimizer.clip", self.clip, "Give a number such as 1.0.")
        if self.weight_decay and self.name == "adam":
            raise ModelError(
                "optimizer.weight_decay belongs to AdamW and Muon.", "Set name: adamw."
            )

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of a step (0 is the first) of so many."""
        if step < self.warmup:
            return self.learning_rate * (step + 1) / self.warmup
        if self.schedule == "constant":
            return self.learning_rate
        part = (step - self.warmup) / max(1, steps - self.warmup)
        return self.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * part)))


@dataclass(frozen=True)
class TrainingConfig:
    """A whole run.

    Attributes:
        epochs: passes over the training split.
        batch: recordings a step and process. accumulate: batches whose gradients make one step.
        precision: "no" for float32, or "bf16": bfloat16 in encoders and lip reader; the decoder
            always computes in float32.
        seed: of everything random.
        check_every: epochs between two looks at the validation split; the network is kept, and
            where to resume.
        keep: "best", the network of the look with the best score, or "last", so that the
            validation split chooses nothing.
        patience: looks without a better score after which it stops; None to go on to the end.
        video_every: epochs between two sample videos; 0 for none.
    """

    data: DataConfig
    face: FaceConfig = field(default_factory=FaceConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    epochs: int = 100
    batch: int = 1
    accumulate: int = 1
    precision: Literal["no", "bf16"] = "no"
    seed: int = 0
    check_every: int = 1
    keep: Literal["best", "last"] = "best"
    patience: int | None = None
    video_every: int = 0

    def __post_init__(self) -> None:
        least = {"epochs": 1, "batch": 1, "accumulate": 1, "check_every": 1, "video_every": 0}
        for name, minimum in least.items():
            value = getattr(self, name)
            check(value >= minimum, name, value, f"Give {minimum} or more.")
        check(self.data.workers >= 0, "data.workers", self.data.workers, "Give 0 or more.")
        for name, value, minimum in (
            ("patience", self.patience, 1),
            ("data.cut", self.data.cut, 2),
        ):
            fits = value is None or value >= minimum
            check(fits, name, value, f"Give {minimum} or more, or leave it out.")
        endless = self.keep == "best" or self.patience is None
        check(endless, "patience", self.patience, "Leave it out, or set keep to best.")
        if self.data.set == "bundled":
            self._check_bundled()
        if self.batch > 1 and self.data.cut is None:
            raise ModelError(
                f"Recordings of different length do not fit into a batch of {self.batch}.",
                "Set data.cut to a number of frames, or batch to 1 and accumulate instead.",
            )
        moves_vertices = self.data.set not in ("tracks", "bundled")
        if moves_vertices and None in (self.face.mesh, self.face.lips):
            raise ModelError(
                "It is not known how the vertices are connected, or which are the lips.",
                "Set face.mesh to a .ply or .obj (FLAME_sample.ply for VOCASET) and face.lips to "
                "FLAME_masks.pkl, BIWI_lip.pkl or an .npy of indices.",
            )
        only = ("aperture", "width", "weights") if moves_vertices else ("lip_features", "letters")
        for name in only:
            value = getattr(self.loss, name)
            what = "vertices" if moves_vertices else "weights"
            check(not value, f"loss.{name}", value, f"Set it to 0: {what} are learned here.")

    def _check_bundled(self) -> None:
        """What only the bundled checkpoint's training asks for."""
        shares = self.data.shares
        check_keys(shares, dict.fromkeys(KINDS), "data.shares.")
        fits = bool(shares) and min(shares.values()) >= 0 and sum(shares.values()) > 0
        check(fits, "data.shares", shares, "Give shares above 0.")
        check(0 <= self.data.own <= 1, "data.own", self.data.own, "Give 0 to 1.")
        check(self.data.cut is not None, "data.cut", self.data.cut, "Give a number of frames.")


def check_keys(values: Mapping[Any, Any], known: Mapping[str, Any], prefix: str) -> None:
    """Refuses keys that are not known and names the nearest that is."""
    for key in values:
        if key not in known:
            near = get_close_matches(str(key), known, 1)
            cure = f"Is it '{prefix}{near[0]}'?" if near else f"There are {', '.join(known)}."
            raise ModelError(f"The configuration has an unknown key '{prefix}{key}'.", cure)


def check(fits: bool, where: str, value: Any, cure: str) -> None:
    """Refuses the value of a key unless it fits."""
    if not fits:
        raise ModelError(f"'{where}' cannot be {value!r}.", cure)


def _merged(values: dict[str, Any], changes: dict[str, Any], where: str) -> dict[str, Any]:
    """A network's values with changes; fields of the encoder are merged one by one."""
    check_keys(changes, values, f"{where}.")
    merged = values | changes
    if isinstance(encoder := changes.get("encoder"), dict):
        check_keys(encoder, values["encoder"], f"{where}.encoder.")
        merged["encoder"] = values["encoder"] | encoder
    return merged
