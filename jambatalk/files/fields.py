"""Fields of configurations, which are dataclasses: read from plain values, and checked.

Annotations say which values a field takes:

    heads: Annotated[int, Range(1, 1024)] = 4
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
from collections.abc import Collection, Iterable
from numbers import Integral, Real
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from jambatalk.errors import ModelError, brief

NAMES = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
    Path: "a path",
    type(None): "null",
}


class Range(NamedTuple):
    """Smallest and largest value of a number, or length of a list."""

    low: float
    high: float = math.inf


def check(valid: bool, key: str, value: object, cure: str) -> None:
    """Raise a ModelError about the value of a key unless it is valid."""
    if not valid:
        shown = brief(repr(list(value) if isinstance(value, tuple) else value))
        raise ModelError(f"'{key}' cannot be {shown}.", cure)


def check_fields(config: Any, prefix: str = "") -> None:
    """Check every field of a dataclass by its annotation.

    Args:
        prefix: put before the names of fields in messages.

    Raises:
        ModelError: a value of another type or out of range.
    """
    for name, hint in get_type_hints(type(config), include_extras=True).items():
        value = getattr(config, name)
        check(_fits(value, hint), prefix + name, value, f"Give {_describe(hint)}.")


def check_keys(keys: Iterable[Any], known: Collection[str], prefix: str = "") -> None:
    """Raise a ModelError for a key that is not known, naming the nearest that is."""
    for key in keys:
        if key not in known:
            name = brief(key)
            near = difflib.get_close_matches(name, known, 1)
            cure = f"Is it '{prefix}{near[0]}'?" if near else f"There are {', '.join(known)}."
            raise ModelError(f"The configuration has an unknown key '{prefix}{name}'.", cure)


def read_fields(cls: type, values: object, prefix: str = "") -> Any:
    """Build a dataclass, with dataclasses in it, from the plain values of JSON or YAML.

    Raises:
        ModelError: values that are no object, unknown or missing keys, or as the dataclass raises.
    """
    key = prefix.removesuffix(".") or "the configuration"
    check(isinstance(values, dict), key, values, 'Give keys and values: {"key": value, ...}.')
    assert isinstance(values, dict)
    hints = get_type_hints(cls)
    check_keys(values, hints, prefix)
    for field in dataclasses.fields(cls):
        required = field.default is field.default_factory is dataclasses.MISSING
        if required and field.name not in values:
            raise ModelError(f"The configuration lacks '{prefix}{field.name}'.", "Add it.")
    return cls(**{name: _converted(v, hints[name], prefix + name) for name, v in values.items()})


def _converted(value: Any, hint: Any, key: str) -> Any:
    """Convert a plain value to the type of a field, where that is not a type of JSON."""
    options = get_args(hint)
    if dataclasses.is_dataclass(hint):
        return read_fields(hint, {} if value is None else value, f"{key}.")  # type: ignore[arg-type]
    if isinstance(value, list):
        if options and dataclasses.is_dataclass(options[0]):
            kind: Any = options[0]
            return tuple(read_fields(kind, part, f"{key}[{n}].") for n, part in enumerate(value))
        return tuple(value)
    if isinstance(value, str) and (hint is Path or Path in options):
        return Path(value)
    if isinstance(value, int) and not isinstance(value, bool) and hint is float:
        return float(value)
    if value is False and "no" in options:
        return "no"  # which YAML reads as False
    return value


def _fits(value: Any, hint: Any) -> bool:
    kind, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if kind is Annotated:
        inner, (low, high) = arguments
        return (
            _fits(value, inner)
            and low <= (len(value) if hasattr(value, "__len__") else value) <= high
        )
    if kind in (Union, types.UnionType):
        return any(_fits(value, argument) for argument in arguments)
    if kind is Literal:
        return isinstance(value, str) and value in arguments
    if kind is tuple:
        if not isinstance(value, tuple):
            return False
        hints = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else arguments
        return len(value) == len(hints) and all(map(_fits, value, hints))
    if kind is dict:
        return isinstance(value, dict) and all(
            _fits(name, arguments[0]) and _fits(item, arguments[1]) for name, item in value.items()
        )
    if isinstance(value, bool):
        return hint is bool
    if hint is float:
        return isinstance(value, Real) and math.isfinite(value)
    return isinstance(value, Integral if hint is int else hint)


def _describe(hint: Any) -> str:
    kind, arguments = get_origin(hint), get_args(hint)
    if kind is Annotated:
        inner, (low, high) = arguments
        bounds = f"{low:,} to {high:,}" if high < math.inf else f"{low:,} or more"
        if inner in (int, float):
            return f"{NAMES[inner]}, {bounds}"
        return f"{_describe(inner)}; {bounds} of them"
    if kind in (Union, types.UnionType):
        return " or ".join(map(_describe, arguments))
    if kind is Literal:
        return f"one of {', '.join(arguments)}"
    if kind is tuple:
        count = "" if arguments[-1] is Ellipsis else f" of {len(arguments)}"
        return f"a list{count}, each {_describe(arguments[0])}"
    return NAMES.get(hint, "names and values")
