"""The command line: `jambatalk COMMAND`. Each module adds its commands."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from jambatalk.cli import animate, app, batch, convert, corpus, evaluate, export, predict, train
from jambatalk.errors import JambaTalkError

# in the order of `jambatalk --help`
MODULES = (animate, batch, export, app, convert, train, predict, evaluate, corpus)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status. Errors are one or two lines on stderr."""
    options = _parse(_parser(), arguments)
    logging.basicConfig(
        level=logging.INFO if getattr(options, "verbose", False) else logging.WARNING,
        format="%(message)s",
    )
    try:
        options.run(options)
        sys.stdout.flush()
    except JambaTalkError as error:
        print(f"jambatalk: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `jambatalk list | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or it is said at the end
        return 1
    except KeyboardInterrupt:
        print("\njambatalk: stopped.", file=sys.stderr)
        return 130
    return 0


def _parse(parser: argparse.ArgumentParser, words: Sequence[str] | None) -> argparse.Namespace:
    options, late = parser.parse_known_args(words)
    # argparse takes words of an open number (key=value of `train`) only before the first option
    if late and (not hasattr(options, "changes") or any(word.startswith("-") for word in late)):
        parser.error(f"unrecognized arguments: {' '.join(late)}")
    if late:
        options.changes += late
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="jambatalk", description="Speech to 3D talking head.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for module in MODULES:
        module.add(commands)
    return parser
