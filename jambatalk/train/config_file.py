"""A training run as a YAML file that holds only what differs from the defaults.

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
from typing import Any, Literal

import yaml

from jambatalk.errors import ModelError
from jambatalk.train.training_config import TrainingConfig, check, check_keys


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
    return yaml.safe_dump(plain(config), sort_keys=False)


def plain(config: TrainingConfig) -> dict[str, Any]:
    """All of a configuration as plain values."""
    return _plain(dataclasses.asdict(config))


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
        check(value in options, where, value, f"Choose one of {', '.join(options)}.")
        return value
    if origin is dict:
        check(isinstance(value, dict), where, value, "Give names and values.")
        return value
    if kind is float and isinstance(value, (int, str)) and not isinstance(value, bool):
        with suppress(ValueError):
            value = float(value)  # yaml reads 1e-4 as text, for want of a point
    if kind is Path and isinstance(value, str):
        value = Path(value)
    fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    check(fits, where, value, f"Give {_KINDS[kind]}.")
    return value


_KINDS = {float: "a number", int: "a whole number", str: "a text", Path: "a path"}


def _build_section(kind: type, values: Any, where: str) -> Any:
    check(isinstance(values, dict), where or "the configuration", values, "Give keys and values.")
    hints = typing.get_type_hints(kind)
    prefix = f"{where}." if where else ""
    check_keys(values, hints, prefix)
    for part in dataclasses.fields(kind):
        needed = part.default is part.default_factory is dataclasses.MISSING
        if needed and part.name not in values:
            raise ModelError(f"The configuration lacks '{prefix}{part.name}'.", "Add it.")
    return kind(**{key: _build(hints[key], part, prefix + key) for key, part in values.items()})


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


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return str(value) if isinstance(value, Path) else value
