"""The routes of live heads, for any Starlette or FastAPI application: the socket, and its files."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from jambatalk.app.live.head_glb import head_glb
from jambatalk.app.live.session import LiveSession
from jambatalk.errors import JambaTalkError
from jambatalk.talking_head import TalkingHead

log = logging.getLogger(__name__)

MAX_VISITORS = 4  # at a time; each takes a share of the processor while he is there
MAX_IDLE = 15.0  # seconds without a message
PAGE = Path(__file__).parent / "page"
SHADERS = Path(__file__).parents[2] / "render" / "shaders"
POLICY, FAILED, BUSY = 1008, 1011, 1013  # WebSocket close codes


def live_routes(talking_head: TalkingHead) -> list[BaseRoute]:
    """`/live/socket` speaks as :class:`LiveSession` does; `/live/head/NAME.glb`, `/live/page` and
    `/live/shaders` are what the page draws with. Nothing is stored.
    """

    async def head(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in talking_head.heads.names:  # a number would be another name for one of them
            return PlainTextResponse("There is no such head.", 404)
        glb = await asyncio.to_thread(head_glb, talking_head.heads, name)
        headers = {"Content-Encoding": "gzip", "Cache-Control": "max-age=3600"}
        return Response(glb, headers=headers, media_type="model/gltf-binary")

    return [
        WebSocketRoute("/live/socket", _Door(talking_head).enter),
        Route("/live/head/{name}.glb", head),
        Mount("/live/page", StaticFiles(directory=PAGE)),
        Mount("/live/shaders", StaticFiles(directory=SHADERS)),
    ]


class _Door:
    """Lets in so many visitors and no more."""

    def __init__(self, talking_head: TalkingHead) -> None:
        self._talking_head = talking_head
        self._visitors = 0

    async def enter(self, socket: WebSocket) -> None:
        await socket.accept()
        if self._visitors >= MAX_VISITORS:
            busy = f"{self._visitors} visitors speak already. Try again in a few minutes."
            await _refuse(socket, busy, BUSY)
            return
        self._visitors += 1
        try:
            await _converse(socket, LiveSession(self._talking_head))
            await socket.close()
        except WebSocketDisconnect:
            pass
        except JambaTalkError as error:
            await _refuse(socket, str(error), POLICY)
        except TimeoutError:
            await _refuse(socket, "No sound came. Start again.", POLICY)
        except Exception:
            log.exception("A live session failed")
            await _refuse(socket, "Something went wrong here. Start again.", FAILED)
        finally:
            self._visitors -= 1


async def _converse(socket: WebSocket, session: LiveSession) -> None:
    """Until the session has ended, or one side goes."""
    news = asyncio.Event()

    async def listen() -> None:
        while True:
            message = await asyncio.wait_for(socket.receive(), MAX_IDLE)
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect
            data = message.get("bytes")
            session.take(message["text"] if data is None else data)
            news.set()

    async def answer() -> None:
        while not session.ended:
            await news.wait()
            news.clear()
            for reply in await asyncio.to_thread(lambda: list(session.work())):
                message = "websocket.send", "text" if isinstance(reply, str) else "bytes"
                await socket.send({"type": message[0], message[1]: reply})

    tasks = [asyncio.create_task(listen()), asyncio.create_task(answer())]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _refuse(socket: WebSocket, why: str, code: int) -> None:
    with suppress(RuntimeError, WebSocketDisconnect):  # it may be gone
        await socket.send_text(json.dumps({"error": why}))
        await socket.close(code)
