"""Configurations, which are dataclasses, as YAML files that hold what differs from the defaults.

data: {set: vocaset, folder: data/vocaset}
optimizer:
  learning_rate: 1e-4
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

from jambatalk.errors import ModelError
from jambatalk.files.fields import read_fields
from jambatalk.files.yaml_file import parse_yaml, read_yaml
from jambatalk.train.training_config import LoopConfig

Config = TypeVar("Config", bound=LoopConfig)


def load_config(path: str | Path, kind: type[Config], changes: Sequence[str] = ()) -> Config:
    """Read a configuration.

    Args:
        path: a YAML file.
        kind: the dataclass to read it as.
        changes: "key=value" overrides, as `data.folder=/sets/vocaset` or `epochs=5`.

    Raises:
        ModelError: unreadable, an unknown key (the nearest is named), a value of the wrong type or
            values that do not fit together.
    """
    cure = "Configurations of the published training are in configs/."
    values = read_yaml(path, ModelError, "a configuration in YAML", cure)
    try:
        return make_config(kind, {} if values is None else values, changes)
    except ModelError as error:
        raise ModelError(f"'{path}': {error.what}", error.cure) from error


def make_config(kind: type[Config], values: Any, changes: Sequence[str] = ()) -> Config:
    """Build a configuration from plain values and "key=value" overrides; raises ModelError."""
    for change in changes:
        values = _changed(values, change)
    return read_fields(kind, values)


def dump_config(config: LoopConfig) -> str:
    """Format a whole configuration, defaults too, as YAML that :func:`load_config` reads."""
    return yaml.safe_dump(to_plain(config), sort_keys=False)


def to_plain(config: LoopConfig) -> dict[str, Any]:
    """Convert a configuration to nested dictionaries of plain values."""
    return _plain(dataclasses.asdict(config))


def _changed(values: Any, change: str) -> Any:
    """Return values with "a.b=c" set in them."""
    key, equals, text = change.partition("=")
    if not equals or not all(key.split(".")):
        raise ModelError(
            f"'{change}' does not change a key.", "Write key=value, as data.folder=PATH."
        )
    try:
        new = parse_yaml(text)
    except ValueError as error:
        raise ModelError(f"The value in '{change}' is not valid YAML ({error}).") from error
    for part in reversed(key.split(".")):
        new = {part: new}
    return _merged(values, new)


def _merged(below: Any, above: Any) -> Any:
    """Merge nested dictionaries; the values of `above` win."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return below | {key: _merged(below.get(key), value) for key, value in above.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return str(value) if isinstance(value, Path) else value
