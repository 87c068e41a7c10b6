"""Configurations, which are dataclasses, as YAML files that hold what differs from the defaults.

data: {set: vocaset, folder: data/vocaset}
optimizer:
  learning_rate: 1e-4
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml

from jambatalk.errors import ModelError
from jambatalk.train.loop_config import LoopConfig, check, check_keys

Config = TypeVar("Config", bound=LoopConfig)

KINDS = {float: "a number", int: "a whole number", str: "text", Path: "a path"}


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
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
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
    return _build(kind, values, "")


def dump_config(config: LoopConfig) -> str:
    """Format a whole configuration, defaults too, as YAML that :func:`load_config` reads."""
    return yaml.safe_dump(to_plain(config), sort_keys=False)


def to_plain(config: LoopConfig) -> dict[str, Any]:
    """Convert a configuration to nested dictionaries of plain values."""
    return _plain(dataclasses.asdict(config))


def _build(kind: Any, value: Any, key: str) -> Any:
    """Convert a value to a type that occurs in the dataclasses; `key` names it in messages."""
    if dataclasses.is_dataclass(kind):
        return _build_section(kind, {} if value is None else value, key)
    origin, options = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):  # X | None
        return None if value is None else _build(options[0], value, key)
    if origin is Literal:
        # YAML reads a bare `no` as False
        value = "no" if value is False and "no" in options else value
        check(value in options, key, value, f"Choose one of {', '.join(options)}.")
        return value
    if origin is dict:
        check(isinstance(value, dict), key, value, "Give names and values.")
        return value
    if kind is float and isinstance(value, (int, str)) and not isinstance(value, bool):
        with suppress(ValueError):
            value = float(value)  # YAML reads 1e-4 as text: it wants a point
    if kind is Path and isinstance(value, str):
        value = Path(value)
    valid = isinstance(value, kind) and not isinstance(value, bool)
    check(valid, key, value, f"Give {KINDS[kind]}.")
    return value


def _build_section(kind: Any, values: Any, key: str) -> Any:
    check(isinstance(values, dict), key or "the configuration", values, "Give keys and values.")
    hints = typing.get_type_hints(kind)
    prefix = f"{key}." if key else ""
    check_keys(values, hints, prefix)
    for part in dataclasses.fields(kind):
        required = part.default is part.default_factory is dataclasses.MISSING
        if required and part.name not in values:
            raise ModelError(f"The configuration lacks '{prefix}{part.name}'.", "Add it.")
    return kind(**{name: _build(hints[name], part, prefix + name) for name, part in values.items()})


def _changed(values: Any, change: str) -> Any:
    """Return values with "a.b=c" set in them."""
    key, equals, text = change.partition("=")
    if not equals or not all(key.split(".")):
        raise ModelError(
            f"'{change}' does not change a key.", "Write key=value, as data.folder=PATH."
        )
    try:
        new = yaml.safe_load(text)
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
