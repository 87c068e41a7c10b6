"""The page: `app`."""

from __future__ import annotations

import argparse


def add(commands: argparse._SubParsersAction) -> None:
    """Adds this module's command."""
    app = commands.add_parser("app", help="open the page to speak into")
    app.set_defaults(run=_app)


def _app(options: argparse.Namespace) -> None:
    from jambatalk.ui.page import launch

    launch()
