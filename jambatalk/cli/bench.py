"""`jambatalk bench`: several networks on one data set."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from jambatalk.cli.options import (
    add_device,
    add_regions,
    add_set,
    add_view,
    from_options,
    lip_pairs,
    split_commas,
    unique_names,
    view_from,
)
from jambatalk.cli.stage_timer import StageTimer
from jambatalk.errors import DataError

if TYPE_CHECKING:
    from jambatalk.cli import Commands


def add_commands(commands: Commands) -> None:
    """Add this module's command."""
    bench = commands.add("bench", "several networks on one data set: predict, measure, time")
    add = bench.add_argument
    add("networks", nargs="+", help="checkpoints: folders, or OWNER/NAME on the hub")
    add("--names", metavar="A,B", help="of the networks (default: their folders)")
    add_set(bench)
    add(
        "-o", "--output", type=Path, required=True, help="folder of predictions, table, plot, video"
    )
    add("--seeds", type=int, default=3, help="of networks that draw at random (default: 3)")
    add("--sentences", metavar="A,B", help="recordings to plot; the first is filmed (default: one)")
    add("--seconds", type=float, default=10.0, help="timed speech; 0: time nothing (default: 10)")
    add("--unit", type=float, help="metres per unit of the set's vertices (default: guessed)")
    add_regions(bench)
    add("--no-video", action="store_true", help="make no video, which needs OpenGL")
    add_device(bench)
    add_view(bench)
    bench.set_defaults(run=_bench)


def _bench(options: argparse.Namespace) -> None:
    from jambatalk.evaluate.bench import BenchConfig, bench
    from jambatalk.evaluate.folders import EvaluationConfig

    timer = StageTimer()
    config = from_options(
        BenchConfig,
        options,
        sentences=split_commas(options.sentences or ""),
        evaluation=from_options(
            EvaluationConfig, options, unit="m", lip_pairs=lip_pairs(options.lip_pairs)
        ),
        view=None if options.no_video else view_from(options),
    )
    folders = [Path(network).resolve().name for network in options.networks]
    names = unique_names(options.names, folders, "--names")
    if any(Path(name).name != name for name in names):
        raise DataError("A network's name becomes a folder's.", "Leave out slashes and dots.")
    networks = dict(zip(names, options.networks, strict=True))
    report, written = bench(networks, config, options.output, timer)
    timer.finish()
    print(report.markdown())
    print("\n".join(map(str, written)))
