"""The page: `app`."""

from __future__ import annotations

import argparse

from jambatalk.cli.options import add_checkpoint


def add(commands: argparse._SubParsersAction) -> None:
    """Adds this module's command."""
    app = commands.add_parser("app", help="open the page to speak into")
    add_checkpoint(app)
    app.set_defaults(run=_app)


def _app(options: argparse.Namespace) -> None:
    from jambatalk.ui.page import launch

    launch(options.checkpoint, options.device)
