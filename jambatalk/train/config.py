"""A training run as a YAML file that holds only what differs from the defaults.

    data: {set: vocaset, folder: data/vocaset}
    optimizer:
      learning_rate: 1e-4

The defaults are the published training of JambaTalk on VOCASET (arXiv 2408.01627).
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import yaml

from jambatalk.errors import ModelError
from jambatalk.model.config import JambaTalkConfig


@dataclass(frozen=True)
class DataConfig:
    """What is learned from.

    Attributes:
        folder: where it lies, seen from the working directory.
        set: "vocaset", "biwi", "folder" or "tracks", see :mod:`jambatalk.data.registry`.
        train, val: names of its splits.
        cut: frames of which a random piece of each recording is learned from; None for all.
        workers: processes that read.
    """

    folder: Path
    set: Literal["vocaset", "biwi", "folder", "tracks"] = "vocaset"
    train: str = "train"
    val: str = "val"
    cut: int | None = None
    workers: int = 2


@dataclass(frozen=True)
class NetworkConfig:
    """What learns.

    Attributes:
        layout: "vocaset" and "biwi" as published, or "default", the bundled one's.
        start: a checkpoint to go on from, a folder or a hub name; None for a new network.
        changes: fields of :class:`JambaTalkConfig` that differ from the layout's, those of its
            encoder under `encoder`.
    """

    layout: Literal["vocaset", "biwi", "default"] = "vocaset"
    start: str | None = None
    changes: dict[str, Any] = field(default_factory=dict)

    def changed(self, layout: JambaTalkConfig) -> JambaTalkConfig:
        """A layout with the changes.

        Raises:
            ModelError: a field that does not exist, or values that do not fit together.
        """
        return JambaTalkConfig.from_dict(_merged(layout.to_dict(), self.changes, "network.changes"))


@dataclass(frozen=True)
class LipReaderConfig:
    """What the losses `lip_features` and `letters` need; not used where both are 0.

    Attributes:
        lips: which vertices the lips are: FLAME_masks.pkl, BIWI_lip.pkl or an .npy of indices.
        text_encoder: a wav2vec 2.0 that writes down speech, a hub name or a folder.
    """

    lips: Path | None = None
    text_encoder: str = "jonatasgrosman/wav2vec2-large-xlsr-53-english"


@dataclass(frozen=True)
class LossConfig:
    """How much each loss counts; those of 0 are not computed.

    Attributes:
        vertices, velocity: mean squared error, and that of the change from frame to frame.
        lip_features: mean squared error of the lip reader's features to the text encoder's.
        letters: connectionist temporal classification of the text read from the lips.
        aperture, weights: mean squared error of the lips' opening and of the weights; of networks
            that predict weights.
    """

    vertices: float = 1000.0
    velocity: float = 1000.0
    lip_features: float = 1e-3
    letters: float = 1e-4
    aperture: float = 0.0
    weights: float = 0.0

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            _check(value >= 0, f"loss.{name}", value, "Give 0 or more.")
        total = sum(dataclasses.astuple(self))
        _check(total > 0, "loss", total, "Let at least one loss count.")

    @property
    def reads_lips(self) -> bool:
        """Whether a lip reader is needed."""
        return self.lip_features > 0 or self.letters > 0


@dataclass(frozen=True)
class OptimizerConfig:
    """How it learns.

    Attributes:
        name: "adam" or "adamw".
        learning_rate: its peak.
        schedule: "constant", or "cosine": down to a hundredth of the peak at the end.
        warmup: steps in which it rises to the peak.
        weight_decay: of AdamW.
        clip: largest norm of the gradient.
    """

    name: Literal["adam", "adamw"] = "adam"
    learning_rate: float = 1e-4
    schedule: Literal["constant", "cosine"] = "constant"
    warmup: int = 0
    weight_decay: float = 0.0
    clip: float = 1.0

    def __post_init__(self) -> None:
        rate = self.learning_rate
        _check(0 < rate < 1, "optimizer.learning_rate", rate, "Give a number such as 1e-4.")
        _check(self.warmup >= 0, "optimizer.warmup", self.warmup, "Give 0 or more steps.")
        _check(self.weight_decay >= 0, "optimizer.weight_decay", self.weight_decay, "Give >= 0.")
        _check(self.clip > 0, "optimizer.clip", self.clip, "Give a number such as 1.0.")
        if self.weight_decay and self.name == "adam":
            raise ModelError("optimizer.weight_decay belongs to AdamW.", "Set name: adamw.")


@dataclass(frozen=True)
class TrainingConfig:
    """A whole run.

    Attributes:
        epochs: passes over the training split.
        batch: recordings a step and process. accumulate: batches whose gradients make one step.
        precision: "no" for float32, or "bf16": bfloat16 where it is harmless.
        seed: of everything random.
        check_every: epochs between two looks at the validation split; the best network is kept.
        patience: looks without a better score after which it stops; None to go on to the end.
        video_every: epochs between two sample videos; 0 for none.
    """

    data: DataConfig
    network: NetworkConfig = field(default_factory=NetworkConfig)
    lip_reader: LipReaderConfig = field(default_factory=LipReaderConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    epochs: int = 100
    batch: int = 1
    accumulate: int = 1
    precision: Literal["no", "bf16"] = "no"
    seed: int = 0
    check_every: int = 1
    patience: int | None = None
    video_every: int = 0

    def __post_init__(self) -> None:
        least = {"epochs": 1, "batch": 1, "accumulate": 1, "check_every": 1, "video_every": 0}
        for name, minimum in least.items():
            value = getattr(self, name)
            _check(value >= minimum, name, value, f"Give {minimum} or more.")
        _check(self.data.workers >= 0, "data.workers", self.data.workers, "Give 0 or more.")
        for name, value in (("patience", self.patience), ("data.cut", self.data.cut)):
            _check(value is None or value >= 1, name, value, "Give 1 or more, or leave it out.")
        if self.batch > 1 and self.data.cut is None:
            raise ModelError(
                f"Recordings of different length do not fit into a batch of {self.batch}.",
                "Set data.cut to a number of frames, or batch to 1 and accumulate instead.",
            )
        if self.loss.reads_lips and self.lip_reader.lips is None:
            raise ModelError(
                "The losses lip_features and letters need to know where the lips are.",
                "Set lip_reader.lips to FLAME_masks.pkl (VOCASET) or BIWI_lip.pkl, or both to 0.",
            )


def load_config(path: str | Path, changes: Sequence[str] = ()) -> TrainingConfig:
    """Reads a configuration.

    Args:
        path: a YAML file.
        changes: "key=value" on top of it, as `data.folder=/sets/vocaset` or `epochs=5`.

    Raises:
        ModelError: unreadable, an unknown key (the nearest is named), a value of the wrong kind or
            values that do not fit together.
    """
    path = Path(path)
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise ModelError(
            f"The configuration {path} cannot be opened ({error.strerror}).",
            "Configurations of the published training lie in configs/.",
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is no YAML: {error}.", "Correct it.") from error
    for change in changes:
        values = _with(values, change)
    return _build(TrainingConfig, values, "")


def dump_config(config: TrainingConfig) -> str:
    """All of a configuration as YAML, defaults too; :func:`load_config` reads it back."""
    return yaml.safe_dump(_plain(dataclasses.asdict(config)), sort_keys=False)


def _build(kind: Any, value: Any, where: str) -> Any:
    """A value as a type of the dataclasses above; `where` names it in messages."""
    if dataclasses.is_dataclass(kind):
        return _build_section(kind, {} if value is None else value, where)
    origin, options = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):  # X | None
        return None if value is None else _build(options[0], value, where)
    if origin is Literal:
        # yaml reads a bare `no` as False
        value = "no" if value is False and "no" in options else value
        _check(value in options, where, value, f"Choose one of {', '.join(options)}.")
        return value
    if origin is dict:
        _check(isinstance(value, dict), where, value, "Give names and values.")
        return value
    if kind is float and isinstance(value, (int, str)) and not isinstance(value, bool):
        with suppress(ValueError):
            value = float(value)  # yaml reads 1e-4 as text, for want of a point
    if kind is Path and isinstance(value, str):
        value = Path(value)
    fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    _check(fits, where, value, f"Give {_KINDS[kind]}.")
    return value


_KINDS = {float: "a number", int: "a whole number", str: "a text", Path: "a path"}


def _build_section(kind: type, values: Any, where: str) -> Any:
    _check(isinstance(values, dict), where or "the configuration", values, "Give keys and values.")
    hints = typing.get_type_hints(kind)
    prefix = f"{where}." if where else ""
    _check_keys(values, hints, prefix)
    for part in dataclasses.fields(kind):
        needed = part.default is part.default_factory is dataclasses.MISSING
        if needed and part.name not in values:
            raise ModelError(f"The configuration lacks '{prefix}{part.name}'.", "Add it.")
    return kind(**{key: _build(hints[key], part, prefix + key) for key, part in values.items()})


def _check_keys(values: Mapping[Any, Any], known: Mapping[str, Any], prefix: str) -> None:
    for key in values:
        if key not in known:
            near = get_close_matches(str(key), known, 1)
            cure = f"Is it '{prefix}{near[0]}'?" if near else f"There are {', '.join(known)}."
            raise ModelError(f"The configuration has an unknown key '{prefix}{key}'.", cure)


def _check(fits: bool, where: str, value: Any, cure: str) -> None:
    if not fits:
        raise ModelError(f"'{where}' cannot be {value!r}.", cure)


def _with(values: Any, change: str) -> Any:
    """Values with "a.b=c" set in them."""
    key, equals, text = change.partition("=")
    if not equals or not all(key.split(".")):
        raise ModelError(f"'{change}' is no change.", "Write key=value, as data.folder=PATH.")
    try:
        new = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ModelError(f"The value in '{change}' is no YAML ({error}).") from error
    for part in reversed(key.split(".")):
        new = {part: new}
    return _overlaid(values, new)


def _overlaid(below: Any, above: Any) -> Any:
    """Nested dictionaries, the values of `above` first."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return below | {key: _overlaid(below.get(key), value) for key, value in above.items()}


def _merged(values: dict[str, Any], changes: dict[str, Any], where: str) -> dict[str, Any]:
    """A network's values with changes; fields of the encoder are merged one by one."""
    _check_keys(changes, values, f"{where}.")
    merged = values | changes
    if isinstance(encoder := changes.get("encoder"), dict):
        _check_keys(encoder, values["encoder"], f"{where}.encoder.")
        merged["encoder"] = values["encoder"] | encoder
    return merged


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return str(value) if isinstance(value, Path) else value
