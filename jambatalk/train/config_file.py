"""Configurations, which are dataclasses, as YAML files that hold what differs from the defaults.

data: {set: vocaset, folder: data/vocaset}
optimizer:
  learning_rate: 1e-4
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

from jambatalk.errors import ModelError
from jambatalk.model.config_fields import read_fields
from jambatalk.train.training_config import LoopConfig

Config = TypeVar("Config", bound=LoopConfig)


class Loader(yaml.SafeLoader):
    """Reads numbers such as 1e-4, which YAML 1.1 takes for text."""


Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
)


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
    path = Path(path)
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), Loader) or {}
    except OSError as error:
        raise ModelError(
            f"The configuration {path} cannot be opened ({error.strerror}).",
            "Configurations of the published training are in configs/.",
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is not valid YAML: {error}.", "Correct it.") from error
    return make_config(kind, values, changes)


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
        new = yaml.load(text, Loader)
    except yaml.YAMLError as error:
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
