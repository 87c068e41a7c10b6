"""YAML from outside: plain values, without the aliases that make a small file a large value."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from jambatalk.errors import DataError, JambaTalkError, brief
from jambatalk.files.plain import checked_plain, read_text
from jambatalk.files.regular import COPY_AGAIN, damaged

LARGEST = 200_000  # bytes: PyYAML reads so many in a second or two


class _Loader(yaml.SafeLoader):
    """Reads numbers such as 1e-4, which YAML 1.1 takes for text; refuses aliases."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise ValueError("an alias (*name), which is not read here: write the value out")
        return super().compose_node(parent, index)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
)


def read_yaml(
    path: str | Path,
    error: type[JambaTalkError] = DataError,
    kind: str = "a YAML file",
    cure: str = COPY_AGAIN,
) -> Any:
    """Read the plain values of a YAML file.

    Args:
        error: class of the error to raise.
        kind: what the file should be, for the message.
        cure: what to do, for the message.

    Raises:
        JambaTalkError: of class `error`, where the file is missing, too large, not UTF-8, or not
            YAML of plain values.
    """
    text = read_text(path, error, kind, cure, LARGEST)
    try:
        return parse_yaml(text)
    except ValueError as cause:
        raise damaged(path, cause, error, kind, cure) from cause


def parse_yaml(text: str) -> Any:
    """Parse YAML as plain values; raises a ValueError whose text says what is wrong, and where."""
    try:
        return checked_plain(yaml.load(text, _Loader))
    except yaml.MarkedYAMLError as cause:
        mark, problem = cause.problem_mark, cause.problem or cause.context
        place = f" in line {mark.line + 1}" if mark else ""
        raise ValueError(f"{brief(problem)}{place}") from cause
    except RecursionError as cause:
        raise ValueError("nested too deeply") from cause
    except Exception as cause:  # its constructors raise what Python's do, for a wrong date or tag
        raise ValueError(brief(cause) or type(cause).__name__) from cause
