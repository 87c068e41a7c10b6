"""A blind user study: `study`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from jambatalk.cli.options import unique_names
from jambatalk.cli.stage_timer import StageTimer
from jambatalk.errors import DataError, JambaTalkError
from jambatalk.files.unfinished import scratch_folder

if TYPE_CHECKING:
    from jambatalk.cli import Commands

PORT = 7870


def add_commands(commands: Commands) -> None:
    """Add this module's command."""
    study = commands.add("study", "which lips fit better? A blind user study, docs/user_study.md")
    add = study.add_argument
    add(
        "folders",
        type=Path,
        nargs="*",
        help="of .mp4, one for each system; equal names belong together",
    )
    add("-o", "--output", type=Path, help="the .csv to which answers are added")
    add("--results", type=Path, metavar="CSV", help="print what a study has found, and serve none")
    add("--names", metavar="A,B", help="of the systems (default: the folders')")
    add("--pairs", type=int, default=20, help="for each participant, at most (default: 20)")
    add("--checks", type=int, default=3, help="attention checks beside them (default: 3)")
    add("--seed", type=int, default=0, help="of orders, sides and checks (default: 0)")
    add("--host", default="127.0.0.1", help="0.0.0.0 is every address (default: 127.0.0.1)")
    add("--port", type=int, default=PORT, help=f"(default: {PORT})")
    study.set_defaults(run=_study)


def _study(options: argparse.Namespace) -> None:
    if options.results:
        if options.folders or options.output:
            raise DataError("--results takes no folders and no --output.", "Leave them out.")
        return _print_results(options.results)
    if len(options.folders) < 2 or options.output is None:
        raise DataError(
            "A study needs two folders of videos or more, and a file for the answers.",
            "As in: jambatalk study OURS THEIRS -o answers.csv.",
        )
    try:
        from jambatalk.app.settings import check_address, check_number
        from jambatalk.app.study.answers import AnswerFile
        from jambatalk.app.study.server import Study, serve
        from jambatalk.app.study.videos import prepare_videos
    except ModuleNotFoundError as error:
        raise JambaTalkError(
            f"A study needs {error.name}, which is not installed.",
            "Install it: pip install 'jambatalk[app]'.",
        ) from error

    check_number("--port", options.port, 1, 65535)
    check_number("--pairs", options.pairs, 1, 1000)
    check_number("--checks", options.checks, 0, 100)
    usual = [folder.resolve().name for folder in options.folders]
    names = unique_names(options.names, usual, "--names")
    check_address(options.host, options.port)
    timer = StageTimer()
    with scratch_folder(DataError) as scratch:
        folders = dict(zip(names, options.folders, strict=True))
        videos = prepare_videos(folders, options.checks, options.seed, scratch, timer)
        timer.finish()
        answers = AnswerFile(options.output)
        print(f"Answers go to {options.output}. Ctrl-C ends the study.")
        print(f"http://{options.host}:{options.port}", flush=True)
        try:
            serve(Study(videos, answers, options.pairs, options.seed), options.host, options.port)
        except KeyboardInterrupt:  # how a study ends
            print()
        finally:
            answers.close()
    _print_results(options.output)


def _print_results(path: Path) -> None:
    from jambatalk.app.study.answers import read_answers
    from jambatalk.app.study.results import Results

    print(Results.of(read_answers(path)).markdown())
