"""The command line: `jambatalk COMMAND`."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from threading import current_thread, main_thread

from jambatalk import __version__
from jambatalk.cli import animation, research, serving, styles
from jambatalk.errors import NO_MEMORY, JambaTalkError, brief, lacks_memory

log = logging.getLogger(__name__)

# heading of the help → the module that adds its commands, in the order shown
GROUPS = {
    "Animate speech": animation,
    "Styles": styles,
    "Serve": serving,
    "Train and evaluate": research,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status; errors are one or two lines on stderr."""
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    logging.basicConfig(
        level=logging.INFO if options.verbose else logging.WARNING, format="%(message)s"
    )
    try:
        with _stopped_by_signals():
            options.run(options)
            sys.stdout.flush()
    except JambaTalkError as error:
        print(f"jambatalk: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # as in `jambatalk list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # silence the exit's flush
        return 1
    except KeyboardInterrupt:
        print("\njambatalk: stopped.", file=sys.stderr)
        return 130
    except Exception as error:  # a fault of ours, or of the machine
        log.info("", exc_info=error)
        print(f"jambatalk: {_describe(error)}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Stop as on Ctrl-C when the process is to end, or its terminal does; the next is ignored."""

    def stop(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    names = ("SIGTERM", "SIGHUP") if current_thread() is main_thread() else ()
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]  # Windows
    before = {number: signal.getsignal(number) for number in numbers}
    for number, handler in before.items():
        if handler == signal.SIG_DFL:  # nohup ignores SIGHUP
            signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _describe(error: Exception) -> str:
    """Say in a sentence or two what no reader, check or writer has foreseen."""
    if lacks_memory(error):
        return NO_MEMORY
    if isinstance(error, OSError) and error.strerror:
        file = f" ('{brief(error.filename)}')" if error.filename else ""
        return f"The system refused: {error.strerror}{file}."
    kind = type(error).__name__
    return f"Something unforeseen happened ({kind}: {brief(error)}). --verbose shows where."


class Commands:
    """Adds commands to a parser and remembers them by group, for the help.

    Args:
        parser: the parser of `jambatalk` itself.
    """

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parsers = parser.add_subparsers(
            metavar="COMMAND", required=True, prog="jambatalk", help=argparse.SUPPRESS
        )
        self.summaries: dict[str, dict[str, str]] = {}  # group → command → summary
        self.group = ""

    def add(self, name: str, summary: str, *, verbose: bool = False) -> argparse.ArgumentParser:
        """Add a command to the present group and return its parser."""
        self.summaries.setdefault(self.group, {})[name] = summary
        parser = self._parsers.add_parser(name, description=f"{summary[0].upper()}{summary[1:]}.")
        parser.add_argument(
            "-v", "--verbose", action="store_true", default=verbose, help="log what is being done"
        )
        parser.set_defaults(parser=parser)
        return parser

    def names(self) -> list[str]:
        """List all commands."""
        return [name for commands in self.summaries.values() for name in commands]

    def help(self) -> str:
        """Format the summaries of all commands, group by group."""
        width = max(map(len, self.names()))
        lines = []
        for group, commands in self.summaries.items():
            lines += ["", f"{group}:"]
            lines += [f"  {name:<{width}}  {summary}" for name, summary in commands.items()]
        return "\n".join([*lines, "", "'jambatalk COMMAND --help' explains a command."])


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser, commands = _build_parser()
    if arguments and not arguments[0].startswith("-") and arguments[0] not in commands.names():
        parser.error(f"there is no command '{arguments[0]}'{_hint(arguments[0], commands.names())}")
    options, late = parser.parse_known_args(arguments)
    # argparse takes positionals of an open number (key=value of `train`) only before an option
    unknown = [word for word in late if word.startswith("-") or not hasattr(options, "changes")]
    if unknown:
        known = [option for action in options.parser._actions for option in action.option_strings]
        options.parser.error(f"unknown argument '{unknown[0]}'{_hint(unknown[0], known)}")
    if late:
        options.changes += late
    return options


def _hint(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word.partition("=")[0], list(known), 1)
    return f"; did you mean '{near[0]}'?" if near else ""


def _build_parser() -> tuple[argparse.ArgumentParser, Commands]:
    parser = argparse.ArgumentParser(
        prog="jambatalk",
        usage="jambatalk COMMAND ...",
        description="Turn speech into a 3D talking head.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"jambatalk {__version__}")
    commands = Commands(parser)
    for commands.group, module in GROUPS.items():
        module.add_commands(commands)
    parser.epilog = commands.help()
    return parser, commands
