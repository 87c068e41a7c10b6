"""A saved motion for other programs: `export`."""

from __future__ import annotations

import argparse
from pathlib import Path

from jambatalk.cli.options import Stages, add_motion, load_motion
from jambatalk.export import FORMATS, check_name


def add(commands: argparse._SubParsersAction) -> None:
    """Adds this module's command."""
    export = commands.add_parser("export", help="a saved motion (.npz) for other programs")
    add_motion(export)
    export.add_argument("-o", "--output", type=Path, required=True, help=", ".join(FORMATS))
    export.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> None:
    check_name(options.output)
    motion, stages = load_motion(options), Stages()
    stages("Exporting", 0.0)
    motion.export(options.output)
    stages.finish()
    print(options.output)
