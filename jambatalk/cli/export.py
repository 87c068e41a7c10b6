"""A saved motion for other programs: `export`."""

from __future__ import annotations

import argparse
from pathlib import Path

from jambatalk import Motion
from jambatalk.cli.options import Stages
from jambatalk.export import FORMATS, check_name
from jambatalk.face import heads_of
from jambatalk.talking_head import DEFAULT_CHECKPOINT


def add(commands: argparse._SubParsersAction) -> None:
    """Adds this module's command."""
    export = commands.add_parser("export", help="a saved motion (.npz) for other programs")
    export.add_argument("motion", type=Path, help="what 'animate -o motion.npz' wrote")
    export.add_argument("-o", "--output", type=Path, required=True, help=", ".join(FORMATS))
    export.add_argument("--head", help="another head than the saved one")
    export.add_argument(
        "--checkpoint", type=Path, default=DEFAULT_CHECKPOINT, help="whose heads (a folder)"
    )
    export.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> None:
    check_name(options.output)
    motion, stages = Motion.load(options.motion), Stages()
    if options.head:
        motion = motion.on(heads_of(options.checkpoint).load(options.head))
    stages("Exporting", 0.0)
    motion.export(options.output)
    stages.finish()
    print(options.output)
