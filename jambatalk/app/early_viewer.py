"""The viewer's start: before Gradio, which the browser begins to load at the same time."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, MutableMapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jambatalk.app.live.server import PAGE
from jambatalk.app.live.version import version
from jambatalk.render.shader_text import STAGES
from jambatalk.talking_head import TalkingHead


def start_html(talking_head: TalkingHead) -> str:
    """Return what starts the viewer, for the beginning of the page's HTML head.

    The files of which it is known that they are needed are fetched at once.
    """
    folder, name = f"./live/v-{version(talking_head)}", talking_head.heads.names[0]
    modules = "".join(
        f'<link rel="modulepreload" href="{folder}/page/{module}">'
        for module in sorted(_modules("start.js"))
    )
    files = [f"head/{name}", "clips/idle", *(f"shaders/{stage}" for stage in STAGES)]
    others = "".join(
        f'<link rel="preload" as="fetch" crossorigin href="{folder}/{file}">' for file in files
    )
    return f"""{modules}{others}
        <style>{(PAGE / "early.css").read_text("utf-8")}</style>
        <script type="module" async>
            import {{ start }} from "{folder}/page/start.js";
            start({json.dumps(name)});
        </script>"""


def _modules(name: str) -> set[str]:
    """Return a module of the page and all that it imports."""
    imported = re.findall(r'^import .*"\./(.*)";$', (PAGE / name).read_text("utf-8"), re.MULTILINE)
    return {name}.union(*map(_modules, imported))


class EarlyHead:
    """ASGI middleware that puts HTML at the beginning of pages' heads.

    Gradio itself adds what is given as `head` only when its own program has started.

    Args:
        html: for pages that have an element, by its name; for all by "".
    """

    def __init__(self, app: ASGIApp, html: Mapping[str, str]) -> None:
        self._app = app
        self._html = {
            f'"{element}"'.encode() if element else b"": part.encode()
            for element, part in html.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back."""
        start: MutableMapping[str, Any] = {}
        page = b""

        async def insert(message: Message) -> None:
            nonlocal start, page
            if message["type"] == "http.response.start":
                start = message
                if not _is_html(message):
                    await send(message)
                return
            if not _is_html(start):
                await send(message)
                return
            page += message.get("body", b"")
            if message.get("more_body"):
                return
            parts = [part for element, part in self._html.items() if element in page]
            page = page.replace(b"<head>", b"".join([b"<head>", *parts]), 1)
            kept = [(name, value) for name, value in start["headers"] if name != b"content-length"]
            start["headers"] = [*kept, (b"content-length", str(len(page)).encode())]
            await send(start)
            await send({"type": "http.response.body", "body": page})

        await self._app(scope, receive, insert if scope["type"] == "http" else send)


def _is_html(start: MutableMapping[str, Any]) -> bool:
    return any(
        name == b"content-type" and value.startswith(b"text/html")
        for name, value in start.get("headers", ())
    )
