"""Serve the page: load the network, open the port, and clean up at the end."""

from __future__ import annotations

import os
import signal
import tempfile
import threading

from gradio import mcp
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route

from jambatalk.app.early_viewer import EarlyHead, start_html
from jambatalk.app.health import Health
from jambatalk.app.inputs import head_thumbnails_css
from jambatalk.app.languages import language_html
from jambatalk.app.lent_gpu import is_zero_gpu
from jambatalk.app.live.server import PAGE, live_routes, warm_up
from jambatalk.app.page import HERE, THEME, build_page
from jambatalk.app.settings import Settings
from jambatalk.app.video_service import VideoService
from jambatalk.app.viewer import ELEMENT, can_draw
from jambatalk.talking_head import TalkingHead

MAX_UPLOAD = "200mb"  # ten minutes of 16-bit stereo at 48 kHz are 115 MB


def serve(settings: Settings) -> None:
    """Load a network and serve the page until it is interrupted or terminated.

    Uploads and results lie in a folder below TMPDIR that is removed at the end.

    Raises:
        ModelError: no such checkpoint, device or style. JambaTalkError: the port is in use.
    """
    settings.check_address()
    device = "cpu" if is_zero_gpu() else settings.device
    talking_head = TalkingHead.from_pretrained(settings.checkpoint, device)
    for path in settings.style:
        talking_head.add_style(path)
    service = VideoService(talking_head, settings)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop as on Ctrl-C
    with tempfile.TemporaryDirectory(prefix="jambatalk-", ignore_cleanup_errors=True) as folder:
        os.environ["GRADIO_TEMP_DIR"] = mcp.DEFAULT_TEMP_DIR = folder  # no other way into Gradio
        page = build_page(service)
        head = {"": language_html(talking_head)}
        if can_draw(talking_head):
            head[ELEMENT] = start_html(talking_head)
            threading.Thread(target=warm_up, args=[talking_head], daemon=True).start()
        service.metrics.watch_queue(lambda: len(page._queue))
        try:
            page.launch(
                server_name=settings.host,
                server_port=settings.port,
                root_path=settings.root_path,
                auth=settings.logins or None,
                share=settings.share,
                theme=THEME,
                css=head_thumbnails_css(talking_head.heads),
                css_paths=[HERE / "page.css", PAGE / "viewer.css"],
                js=(HERE / "page.js").read_text("utf-8"),
                favicon_path=HERE / "icon.svg",
                footer_links=["api"],
                mcp_server=not settings.auth,  # its clients cannot log in
                run_history=False,  # recordings are personal: browsers do not store them
                max_file_size=MAX_UPLOAD,
                ssr_mode=False,
                enable_monitoring=False,
                app_kwargs={
                    "routes": _routes(service),
                    "middleware": [Middleware(EarlyHead, head)],
                },
            )
        except OSError as error:  # another program was faster
            raise settings.busy() from error
        finally:
            service.close()


def _routes(service: VideoService) -> list[BaseRoute]:
    """Return the routes beside Gradio's."""
    health = Health(service.talking_head, service.metrics)
    return [
        Route("/healthz", health.serve),
        Route("/metrics", service.metrics.serve),
        *live_routes(service.talking_head, service.metrics.job),
    ]
