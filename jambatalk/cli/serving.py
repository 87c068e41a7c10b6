"""The page and whole folders: `app`, `batch`."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jambatalk.app.settings import Settings as PageSettings
from jambatalk.cli.options import (
    add_animation,
    add_checkpoint,
    add_max_seconds,
    from_options,
    mood_from,
    nonverbal_from,
    split_commas,
    view_from,
)
from jambatalk.errors import BatchError, JambaTalkError
from jambatalk.export import FORMATS

if TYPE_CHECKING:
    from jambatalk.batch import Outcome
    from jambatalk.cli import Commands

REPORT = "report.json"


def add_commands(commands: Commands) -> None:
    """Add this module's commands."""
    app = commands.add("app", "the page in a browser: record or upload speech, and live")
    setting = partial(_add_setting, app)
    setting("--host", PageSettings.host, "the address to listen at; 0.0.0.0 is every one")
    setting("--port", PageSettings.port, "the port to listen at", type=int)
    setting("--root-path", "", "the path below which a proxy shows the page, as in /talk")
    setting(
        "--trusted-proxies",
        list(PageSettings.trusted_proxies),
        "addresses and networks of proxies that tell a visitor's address",
        "ADDRESS",
        nargs="+",
    )
    setting(
        "--frame-ancestors",
        [],
        "origins of sites that may show the page in a frame, as https://huggingface.co",
        "ORIGIN",
        nargs="+",
    )
    setting("--auth", [], "who may log in, several with spaces between", "NAME:PASSWORD", nargs="+")
    setting("--max-seconds", PageSettings.max_seconds, "of the longest recording", type=float)
    setting(
        "--max-waiting",
        PageSettings.max_waiting,
        "requests that may wait, all visitors together",
        type=int,
    )
    setting(
        "--max-each",
        PageSettings.max_each,
        "videos that may wait, and live sessions, of one address",
        type=int,
    )
    setting(
        "--max-work",
        PageSettings.max_work,
        "of the largest video: its seconds times styles times (size / 512)²",
        type=float,
    )
    setting("--max-requests", PageSettings.max_requests, "of one address in a minute", type=int)
    setting(
        "--max-disk",
        PageSettings.max_disk,
        "megabytes of all recordings and results; an address may upload a quarter",
        type=float,
    )
    setting(
        "--keep",
        PageSettings.keep,
        "seconds for which recordings and results are kept",
        type=float,
    )
    share = _from_environment("--share").lower() in ("1", "true", "yes")
    app.add_argument(
        "--share", action="store_true", default=share, help="a public address from Gradio's servers"
    )
    app.add_argument(
        "--style", type=Path, action="append", default=[], help="an own style's file; repeatable"
    )
    add_checkpoint(app)
    app.epilog = "Without an option, the environment decides: JAMBATALK_MAX_SECONDS and so on."
    app.set_defaults(run=_app)

    batch = commands.add("batch", "every recording of a folder, see docs/scaling.md")
    batch.add_argument("recordings", type=Path, help="a folder, searched with its sub-folders")
    batch.add_argument("output", type=Path, help="the folder of the results and of report.json")
    batch.add_argument("--styles", metavar="A,B,...", default="", help="(default: the neutral one)")
    known = ",".join(name.removeprefix(".") for name in (".mp4", *FORMATS))
    batch.add_argument("--formats", default="mp4", metavar="A,B,...", help=f"among {known}")
    batch.add_argument("--fps", type=float, help="of other formats than mp4 (default: the model's)")
    batch.add_argument("--processes", type=int, help="at a time (default: one a core)")
    batch.add_argument(
        "--ray", metavar="ADDRESS", help="work in a Ray cluster: HOST:PORT, auto, or local"
    )
    add_max_seconds(batch)
    add_animation(batch)
    batch.set_defaults(run=_batch)


def _add_setting(
    parser: argparse.ArgumentParser,
    name: str,
    default: Any,
    explanation: str,
    metavar: str | None = None,
    **settings: Any,
) -> None:
    """Add an option of the page whose default may stand in the environment."""
    given = _from_environment(name)
    shown = " ".join(default) if "nargs" in settings else default
    parser.add_argument(
        name,
        metavar=metavar or name.rpartition("-")[2].upper(),
        default=(given.split() if "nargs" in settings else given) or default,
        help=explanation + (f" (default: {shown})" if shown != "" else ""),
        **settings,
    )


def _from_environment(option: str) -> str:
    return os.environ.get("JAMBATALK_" + option.removeprefix("--").replace("-", "_").upper(), "")


def _app(options: argparse.Namespace) -> None:
    try:
        from jambatalk.app.serve import serve
    except ModuleNotFoundError as error:
        raise JambaTalkError(
            f"The page needs {error.name}, which is not installed.",
            "Install it: pip install 'jambatalk[app]'.",
        ) from error

    for name in ("jambatalk.model.device", "jambatalk.app.metrics"):  # the device; a line a job
        logging.getLogger(name).setLevel(logging.INFO)
    serve(from_options(PageSettings, options))


def _batch(options: argparse.Namespace) -> None:
    from jambatalk.batch import Report, Settings, plan, run

    if options.processes is not None and options.processes < 1:
        raise BatchError(f"--processes cannot be {options.processes}.", "Give 1 or more.")
    settings = from_options(
        Settings,
        options,
        styles=split_commas(options.styles),
        formats=tuple(f".{n.removeprefix('.').lower()}" for n in split_commas(options.formats)),
        nonverbal=nonverbal_from(options),
        mood=mood_from(options),
        view=view_from(options),
        checkpoint=str(options.checkpoint),
    )
    jobs, settings = plan(options.recordings, options.output, settings)
    report = Report(len(jobs))
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # any name
    try:
        with closing(run(jobs, settings, options.processes, options.ray)) as outcomes:
            for outcome in _printed(outcomes, len(jobs)):
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


def _printed(outcomes: Iterator[Outcome], count: int) -> Iterator[Outcome]:
    """Print outcomes as they come: a progress bar on a terminal, a line each elsewhere."""
    from tqdm import tqdm

    with tqdm(outcomes, total=count, unit="recording", disable=None) as bar:
        for number, outcome in enumerate(bar, 1):
            yield outcome  # first into the report: printing may be interrupted
            if bar.disable:
                print(f"[{number}/{count}] {outcome.name}: {_summary(outcome)}", flush=True)


def _summary(outcome: Outcome) -> str:
    if outcome.failed:
        return "failed"
    if not outcome.made:
        return "skipped, complete"
    files = f"{len(outcome.made)} file{'s' * (len(outcome.made) > 1)}"
    return f"{files} of {outcome.speech_seconds:.1f} s of speech in {outcome.seconds:.1f} s"
