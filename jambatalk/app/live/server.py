"""Routes of live talking heads for any Starlette or FastAPI application: socket and page files."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import lru_cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from jambatalk.app.live.clips import INTRO, idle_clip, intro_clip
from jambatalk.app.live.head_file import pack_head, picture
from jambatalk.app.live.session import MAX_SECONDS, LiveSession
from jambatalk.app.live.version import version
from jambatalk.app.visitor import address_of, is_same_site, log_failure
from jambatalk.errors import JambaTalkError, LiveError
from jambatalk.face.library import HeadLibrary
from jambatalk.render.shader_text import STAGES, shader_text
from jambatalk.render.view import SHADINGS, View
from jambatalk.talking_head import TalkingHead

log = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Response]]

MAX_CONNECTIONS = 4  # at a time, since they share the processor
MAX_MESSAGE = 2**16  # bytes, for the server to refuse before it has received them
MAX_CACHED = 32  # heads, 1 MB each
KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}  # under an address of its version
ASKED = {"Cache-Control": "no-cache"}  # for every time
PAGE = Path(__file__).parent / "page"
POLICY_VIOLATION, INTERNAL_ERROR, TRY_AGAIN_LATER = 1008, 1011, 1013  # WebSocket close codes


def live_routes(
    talking_head: TalkingHead,
    job: Callable[[str], AbstractContextManager] = nullcontext,
    each: int = MAX_CONNECTIONS,
) -> list[BaseRoute]:
    """Return the routes; none of them stores anything.

    Args:
        job: called with "live" for each session, which runs in the context that it returns.
        each: sessions of one address at a time.

    `/live/socket` exchanges the messages of :class:`LiveSession`. `/live/head/NAME`, which may end
    in `?shading=SHADING`, the pictures `/live/textures/NAME/PICTURE`, `/live/page` and
    `/live/shaders` are the files with which the page draws. `/live/clips/idle` and
    `/live/clips/intro` are motions that every page shows, see :func:`pack_motion`, and
    `/live/intro.wav` is what the intro says. Under `/live/v-VERSION` browsers keep the files for
    ever, see :func:`version`; `/live/page/NAME.js` leads there.
    """
    heads = talking_head.heads

    own = version(talking_head)

    def caching(request: Request) -> dict[str, str]:
        return KEPT if request.path_params.get("version") == own else ASKED

    async def head(request: Request) -> Response:
        name = request.path_params["name"]
        shading = request.query_params.get("shading", View.shading)
        if name not in heads.names or shading not in SHADINGS:  # no numbers: one address per head
            return PlainTextResponse("There is no such head.", 404)
        file = await asyncio.to_thread(head_file, heads, name, shading)
        headers = {"Content-Encoding": "gzip", **caching(request)}
        return Response(file, headers=headers, media_type="application/octet-stream")

    async def texture(request: Request) -> Response:
        name, number = request.path_params["name"], request.path_params["picture"]
        face = await asyncio.to_thread(heads.load, name) if name in heads.names else None
        file = picture(face, number) if face else None
        if file is None:
            return PlainTextResponse("There is no such picture.", 404)
        media_type = "image/png" if file.startswith(b"\x89PNG") else "image/jpeg"
        return Response(file, headers=caching(request), media_type=media_type)

    async def clip(request: Request) -> Response:
        pack = {"idle": idle_clip, "intro": intro_clip}.get(request.path_params["name"])
        if pack is None:
            return PlainTextResponse("There is no such clip.", 404)
        file = await asyncio.to_thread(pack, talking_head)
        headers = {"Content-Encoding": "gzip", **caching(request)}
        return Response(file, headers=headers, media_type="application/json")

    async def intro(request: Request) -> Response:
        return FileResponse(INTRO, headers=caching(request))

    async def shader(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in STAGES:
            return PlainTextResponse("There is no such shader.", 404)
        return PlainTextResponse(shader_text(name), headers=caching(request))

    # Starlette's Mount fails where a proxy strips a root path from requests.
    static = StaticFiles(directory=PAGE)

    async def page(request: Request) -> Response:
        answer = await static.get_response(request.path_params["file"], request.scope)
        answer.headers.update(caching(request))
        return answer

    async def module(request: Request) -> Response:
        """Name the module of this version, so that every page holds one of each."""
        name = request.path_params["name"]
        if not (PAGE / f"{name}.js").is_file():
            return PlainTextResponse("There is no such module.", 404)
        link = f'export * from "../v-{own}/page/{name}.js";'
        return Response(link, headers=ASKED, media_type="text/javascript")

    routes: dict[str, Handler] = {
        "/head/{name}": head,
        "/textures/{name}/{picture}": texture,
        "/clips/{name}": clip,
        "/intro.wav": intro,
        "/shaders/{name}": shader,
    }
    return [
        WebSocketRoute("/live/socket", ConnectionLimit(talking_head, job, each).serve),
        Route("/live/page/{name}.js", module),
        Route("/live/v-{version}/page/{file:path}", page),
        *(Route(f"/live/v-{{version}}{path}", handler) for path, handler in routes.items()),
        *(Route(f"/live{path}", handler) for path, handler in routes.items()),
    ]


def warm_up(talking_head: TalkingHead) -> None:
    """Compute what every page fetches, before the first visitor waits for it."""
    head_file(talking_head.heads, talking_head.heads.names[0], View.shading)
    idle_clip(talking_head)
    intro_clip(talking_head)


@lru_cache(MAX_CACHED)
def head_file(heads: HeadLibrary, name: str, shading: str) -> bytes:
    """Return the file of :func:`pack_head` for a head of this library.

    Raises:
        FaceError: there is no such head.
    """
    return pack_head(heads.load(name), shading)


class ConnectionLimit:
    """Serves up to MAX_CONNECTIONS sockets at a time, `each` of an address, and refuses others."""

    def __init__(
        self,
        talking_head: TalkingHead,
        job: Callable[[str], AbstractContextManager],
        each: int,
    ) -> None:
        self._talking_head, self._job, self._each = talking_head, job, each
        self._connections: list[tuple[str, float]] = []  # address, second of the start
        self._threads = ThreadPoolExecutor(MAX_CONNECTIONS, "live")  # no video takes them

    async def serve(self, socket: WebSocket) -> None:
        """Run one session from its first message to its end."""
        if not is_same_site(socket):
            await socket.close(POLICY_VIOLATION)  # refused before it is open
            return
        await socket.accept()
        address = address_of(socket)
        if busy := self._busy(address):
            await _close_with_error(socket, busy, TRY_AGAIN_LATER)
            return
        connection = address, time.monotonic()
        self._connections.append(connection)
        try:
            with self._job("live"), suppress(WebSocketDisconnect):
                await _exchange(socket, LiveSession(self._talking_head), self._threads)
            with suppress(RuntimeError, WebSocketDisconnect):  # the client may have left
                await socket.close()
        except JambaTalkError as error:
            await _close_with_error(socket, str(error), POLICY_VIOLATION)
        except Exception as error:
            log_failure(log, "A live session failed", error)
            message = "Something went wrong on this server. Start again."
            await _close_with_error(socket, message, INTERNAL_ERROR)
        finally:
            self._connections.remove(connection)

    def _busy(self, address: str) -> str:
        """Return why an address cannot be live now; nothing if it can."""
        own = sum(other == address for other, _ in self._connections)
        if own >= self._each:
            return (
                "You are live in another window, or somebody at your address is. Stop there first."
            )
        if len(self._connections) < MAX_CONNECTIONS:
            return ""
        first = min(start for _, start in self._connections)
        minutes = math.ceil(max(1, MAX_SECONDS - (time.monotonic() - first)) / 60)
        return (
            f"{len(self._connections)} others are live now."
            f" A place is free in {minutes} min at most."
        )


async def _exchange(socket: WebSocket, session: LiveSession, threads: Executor) -> None:
    """Pass messages in both directions until the session has ended or the client disconnects."""
    received = asyncio.Event()

    async def receive() -> None:
        while True:
            try:
                message = await asyncio.wait_for(socket.receive(), session.patience)
            except TimeoutError as error:
                raise LiveError("No sound arrived.", "Start again.") from error
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect
            data = message.get("bytes")
            session.take(message["text"] if data is None else data)
            received.set()

    async def send() -> None:
        while not session.ended:
            await received.wait()
            received.clear()
            loop = asyncio.get_running_loop()
            for reply in await loop.run_in_executor(threads, lambda: list(session.work())):
                if isinstance(reply, str):
                    await socket.send_text(reply)
                else:
                    await socket.send_bytes(reply)

    tasks = [asyncio.create_task(receive()), asyncio.create_task(send())]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _close_with_error(socket: WebSocket, error: str, code: int) -> None:
    with suppress(RuntimeError, WebSocketDisconnect):  # the client may have disconnected
        await socket.send_text(json.dumps({"error": error}))
        await socket.close(code)
