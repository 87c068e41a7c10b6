"""Checks of configuration values that come from a file: types, ranges, unknown names."""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
from collections.abc import Collection, Iterable, Mapping
from numbers import Integral, Real
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from jambatalk.errors import ModelError

Ranges = Mapping[str, tuple[float, float]]  # field → smallest and largest value, or length


def check_fields(config: Any, ranges: Ranges, prefix: str = "") -> None:
    """Check the type and range of every field of a dataclass.

    Args:
        ranges: of numbers, of each number in a tuple, and of the lengths of other tuples.
        prefix: put before the names of fields in messages.

    Raises:
        ModelError: a value of another type or out of range; the message names the field and what
            it takes.
    """
    for name, hint in get_type_hints(type(config)).items():
        value = getattr(config, name)
        if not _fits(value, hint) or not _in_range(value, ranges.get(name)):
            shown = list(value) if isinstance(value, tuple) else value
            raise ModelError(
                f"The network's configuration has {prefix}{name} = {shown!r:.60}.",
                f"Give {_describe(hint)}{_describe_range(hint, ranges.get(name))}.",
            )


def known_fields(cls: type, values: object, prefix: str = "") -> dict[str, Any]:
    """Return the values of a dataclass from JSON, its lists as tuples.

    Raises:
        ModelError: the values are no object, or have a field that the dataclass does not have.
    """
    if not isinstance(values, dict):
        raise ModelError(
            f"The network's configuration has {values!r:.60} in place of {prefix or 'all '}fields.",
            'Give an object: {"field": value, ...}.',
        )
    check_names(values, [field.name for field in dataclasses.fields(cls)], prefix)
    return {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}


def check_names(names: Iterable[str], known: Collection[str], prefix: str = "") -> None:
    """Check the names of fields.

    Raises:
        ModelError: one is not among `known`; the message suggests one that is.
    """
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            raise ModelError(
                f"The network's configuration has an unknown field '{prefix}{name:.60}'.",
                f"Did you mean '{close[0]}'?" if close else f"Use {', '.join(known)}.",
            )


def _fits(value: object, hint: Any) -> bool:
    """Tell whether a value has the type of a hint."""
    kind, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if kind in (Union, types.UnionType):
        return any(_fits(value, argument) for argument in arguments)
    if kind is Literal:
        return isinstance(value, str) and value in arguments
    if kind is tuple:
        if not isinstance(value, tuple):
            return False
        if arguments[-1] is not Ellipsis:
            return len(value) == len(arguments) and all(map(_fits, value, arguments))
        return all(_fits(item, arguments[0]) for item in value)
    if kind is dict:
        return isinstance(value, dict) and all(
            _fits(name, arguments[0]) and _fits(item, arguments[1]) for name, item in value.items()
        )
    if hint is float:
        return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    if hint is int:
        return isinstance(value, Integral) and not isinstance(value, bool)
    return isinstance(value, hint)


def _in_range(value: Any, bounds: tuple[float, float] | None) -> bool:
    if bounds is None or value is None:
        return True
    low, high = bounds
    if not isinstance(value, tuple):
        return low <= value <= high
    if value and all(isinstance(item, Integral) for item in value):
        return all(low <= item <= high for item in value)
    return low <= len(value) <= high


def _describe(hint: Any) -> str:
    kind, arguments = get_origin(hint), get_args(hint)
    if kind in (Union, types.UnionType):
        return " or ".join(_describe(argument) for argument in arguments)
    if kind is Literal:
        return " or ".join(arguments)
    if kind is tuple and arguments[-1] is not Ellipsis:
        return f"a list of {len(arguments)} {_PLURALS[arguments[0]]}"
    if kind is tuple:
        return f"a list of {_PLURALS.get(arguments[0]) or _describe(arguments[0])}"
    if kind is dict:
        return "an object"
    return _NAMES.get(hint, "an object")


def _describe_range(hint: Any, bounds: tuple[float, float] | None) -> str:
    if bounds is None:
        return ""
    low, high = bounds
    numbers = hint in (int, float) or int in get_args(hint)
    return f" from {low:,} to {high:,}" if numbers else f", {low:,} to {high:,} of them"


_NAMES = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "true or false",
    type(None): "null",
}
_PLURALS = {int: "whole numbers", str: "texts"}
