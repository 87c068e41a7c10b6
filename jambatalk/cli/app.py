"""The page: `app`."""

from __future__ import annotations

import argparse

from jambatalk.cli.options import add_checkpoint
from jambatalk.errors import ClusterError


def add(commands: argparse._SubParsersAction) -> None:
    """Adds this module's command."""
    app = commands.add_parser("app", help="open the page to speak into")
    app.add_argument(
        "--replicas", type=int, metavar="N", help="so many behind Ray Serve, see docs/scaling.md"
    )
    app.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="where they run: HOST:PORT, auto, or local (default)",
    )
    add_checkpoint(app)
    app.set_defaults(run=_app)


def _app(options: argparse.Namespace) -> None:
    if options.replicas is None:
        if options.ray:
            raise ClusterError("Nothing runs in Ray without replicas.", "Say how many: --replicas.")
        from jambatalk.app.page import launch

        launch(options.checkpoint, options.device)
        return
    from jambatalk.batch.ray_cluster import LOCAL, require_ray

    require_ray()
    from jambatalk.app.replicas import serve_page

    serve_page(options.replicas, options.ray or LOCAL, options.checkpoint, options.device)
