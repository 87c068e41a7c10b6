"""Serve the page: load the network, open the port, and clean up at the end."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from gradio import mcp
from gradio.route_utils import FnIndexInferError
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from jambatalk.app.connections import PatientProtocol, allow_many_files
from jambatalk.app.early_viewer import EarlyHead, start_html
from jambatalk.app.folder import FULL, MEGABYTE, Folder, FullError
from jambatalk.app.guard import MAX_UPLOAD, Guard
from jambatalk.app.health import Health
from jambatalk.app.inputs import head_thumbnails_css
from jambatalk.app.languages import language_html
from jambatalk.app.lent_gpu import is_zero_gpu
from jambatalk.app.live.server import MAX_MESSAGE, PAGE, live_routes, warm_up
from jambatalk.app.page import HERE, THEME, build_page
from jambatalk.app.settings import Settings, busy, check_address
from jambatalk.app.video_service import VideoService
from jambatalk.app.viewer import ELEMENT, can_draw
from jambatalk.app.visitor import log_failure
from jambatalk.files.unfinished import scratch_folder
from jambatalk.talking_head import TalkingHead

log = logging.getLogger(__name__)

CLEANUPS, RAREST = 6, 60.0  # while a file is kept; seconds between two
MAX_SESSIONS = 50  # whose state Gradio keeps, 0.2 MB each; a page that lost it makes it anew


def serve(settings: Settings) -> None:
    """Load a network and serve the page until it is interrupted or terminated.

    Uploads and results lie in a folder below TMPDIR that is removed at the end.

    Raises:
        ModelError: no such checkpoint, device or style. JambaTalkError: the port is in use.
    """
    check_address(settings.host, settings.port)
    allow_many_files()
    device = "cpu" if is_zero_gpu() else settings.device
    talking_head = TalkingHead.from_pretrained(settings.checkpoint, device)
    for path in settings.style:
        talking_head.add_style(path)
    if settings.auth:
        log.warning("With --auth the page is no MCP server: its clients cannot log in.")
    service = VideoService(talking_head, settings)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop as on Ctrl-C
    os.environ["FORWARDED_ALLOW_IPS"] = ",".join(settings.trusted_proxies)  # uvicorn reads it
    with scratch_folder(FullError) as path:  # those of killed processes are removed here
        os.environ["GRADIO_TEMP_DIR"] = mcp.DEFAULT_TEMP_DIR = str(path)  # no other way into Gradio
        folder = Folder(path, settings.keep, round(settings.max_disk * MEGABYTE))
        page = build_page(service)
        folder.make_permanent()
        folder.in_use = page.orders.files
        service.metrics.watch_queue(lambda: len(page.orders))
        head = {"": language_html(talking_head)}
        if can_draw(talking_head):
            head[ELEMENT] = start_html(talking_head)
            threading.Thread(target=warm_up, args=[talking_head], daemon=True).start()
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
                state_session_capacity=MAX_SESSIONS,
                ssr_mode=False,
                enable_monitoring=False,
                app_kwargs={
                    "routes": _routes(service),
                    "middleware": [
                        Middleware(Guard, settings, page.orders, folder),
                        Middleware(EarlyHead, head),
                    ],
                    "exception_handlers": dict.fromkeys(UNEXPECTED, _refuse),
                    "lifespan": _sweeping(
                        settings.keep, folder.sweep, service.predictions.recent.sweep
                    ),
                },
                prevent_thread_lock=True,
            )
            page.server.config.http_protocol_class = PatientProtocol
            page.server.config.ws_max_size = MAX_MESSAGE
            page.block_thread()
        except OSError as error:  # another program was faster
            raise busy(settings.port) from error
        finally:
            service.close()


def _routes(service: VideoService) -> list[BaseRoute]:
    """Return the routes beside Gradio's."""
    health = Health(service.talking_head, service.metrics)
    return [
        Route("/healthz", health.serve),
        Route("/metrics", service.metrics.serve),
        *live_routes(service.talking_head, service.metrics.job, service.settings.max_each),
    ]


# What Gradio raises for requests that do not fit the page, among others.
UNEXPECTED = (
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    AssertionError,
    OSError,
    FnIndexInferError,
    RequestValidationError,
)


async def _refuse(request: Request, error: Exception) -> Response:
    """Answer a request that Gradio did not expect, and log nothing of what it holds."""
    if isinstance(error, OSError) and error.errno != errno.ENAMETOOLONG:
        log_failure(log, "A request failed", error)
        return JSONResponse({"detail": FULL}, 507)
    log.info("A request did not fit the page: %s", type(error).__name__)
    return JSONResponse({"detail": "This request does not fit the page. Reload it."}, 400)


def _sweeping(keep: float, *sweeps: Callable[[], None]) -> Any:
    """Return a context of the application in which these are called again and again, in order."""

    async def sweep() -> None:
        while True:
            await asyncio.sleep(min(RAREST, keep / CLEANUPS))
            try:
                for each in sweeps:
                    await asyncio.to_thread(each)
            except OSError as error:
                log_failure(log, "The folder could not be swept", error)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(sweep())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    return lifespan
