"""Every recording of a folder: `batch`."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from jambatalk.cli.options import add_performance, nonverbal_of, view_of
from jambatalk.errors import BatchError, JambaTalkError
from jambatalk.export import FORMATS

if TYPE_CHECKING:
    from jambatalk.batch import Outcome

REPORT = "report.json"


def add(commands: argparse._SubParsersAction) -> None:
    """Adds this module's command."""
    batch = commands.add_parser(
        "batch", help="every recording of a folder, in several styles (see docs/scaling.md)"
    )
    batch.add_argument("recordings", type=Path, help="a folder; its sub-folders are searched too")
    batch.add_argument("output", type=Path, help="the folder of the results, and of report.json")
    batch.add_argument("--styles", metavar="A,B,...", help="(default: the neutral one)")
    known = ",".join(name.removeprefix(".") for name in (".mp4", *FORMATS))
    batch.add_argument("--formats", default="mp4", metavar="A,B,...", help=f"among {known}")
    batch.add_argument(
        "--processes", type=int, help="how many work at a time (default: one a core)"
    )
    batch.add_argument(
        "--ray", metavar="ADDRESS", help="work in a Ray cluster: HOST:PORT, auto, or local"
    )
    add_performance(batch)
    batch.set_defaults(run=_batch)


def _batch(options: argparse.Namespace) -> None:
    from jambatalk.batch import Report, Settings, plan, run

    if options.processes is not None and options.processes < 1:
        raise BatchError(f"{options.processes} processes cannot work.", "Give 1 or more.")
    settings = Settings(
        styles=_words(options.styles or ""),
        formats=tuple(f".{name.removeprefix('.').lower()}" for name in _words(options.formats)),
        strength=options.strength,
        head=options.head,
        nonverbal=nonverbal_of(options),
        seed=options.seed,
        view=view_of(options),
        max_seconds=options.max_seconds,
        checkpoint=str(options.checkpoint),
        device=options.device,
    )
    jobs, settings = plan(options.recordings, options.output, settings)
    report = Report(len(jobs))
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as gentle an end as Ctrl-C
    sys.stdout.reconfigure(errors="backslashreplace")  # a file may have any name
    try:
        with closing(run(jobs, settings, options.processes, options.ray)) as outcomes:
            for outcome in _shown(outcomes, len(jobs)):
                report.add(outcome)
    finally:
        if report.outcomes:
            print("\n".join(report.lines()))
            print(report.write(options.output / REPORT))
    if report.failed:
        raise JambaTalkError(
            f"{len(report.failed)} of {len(jobs)} recordings failed.",
            "The same command tries them again.",
        )


def _shown(outcomes: Iterator[Outcome], count: int) -> Iterator[Outcome]:
    """Shows them as they come: a bar on a terminal, a line each elsewhere."""
    from tqdm import tqdm

    with tqdm(outcomes, total=count, unit="recording", disable=None) as bar:
        for number, outcome in enumerate(bar, 1):
            if bar.disable:
                print(f"[{number}/{count}] {outcome.name}: {_told(outcome)}", flush=True)
            yield outcome


def _told(outcome: Outcome) -> str:
    if outcome.failed:
        return "failed"
    if not outcome.made:
        return "skipped, complete"
    files = f"{len(outcome.made)} file{'s' * (len(outcome.made) > 1)}"
    return f"{files} of {outcome.speech_seconds:.1f} s of speech in {outcome.seconds:.1f} s"


def _words(listed: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in listed.split(",") if word.strip())
