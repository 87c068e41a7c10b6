"""What stands before the page: closed routes, logins, limits of requests and bytes, headers."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import secrets
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jambatalk.app.folder import Folder, FullError
from jambatalk.app.settings import Settings
from jambatalk.app.visitor import address_of, vouch

if TYPE_CHECKING:
    from jambatalk.app.orders import Orders

API = "/gradio_api/"
# What the page and programs use. All else of Gradio's is closed: what records, edits, proxies.
OPEN = {"", "assets", "config", "favicon.ico", "gradio_api", "healthz", "live", "login", "logout"}
OPEN |= {"manifest.json", "metrics", "pwa_icon", "robots.txt", "static", "svelte", "theme.css"}
OPEN_API = {"app_id", "call", "cancel", "config", "file", "heartbeat", "info", "login_check", "mcp"}
OPEN_API |= {"openapi.json", "queue", "startup-events", "theme.css", "upload", "upload_progress"}
GUARDED = {"live", "metrics"}  # by the login; Gradio guards its own

MAX_UPLOAD = 200 * 2**20  # bytes; ten minutes of 16-bit stereo at 48 kHz are 115 MB
MAX_BODY = 2**16  # bytes of another request
MAX_PATH = 2000  # characters of an address
MAX_OPEN = 100  # requests of an address at a time; an open page has about three
STALLED, SLOWEST = 30.0, 50_000  # seconds for a request, and one more for as many bytes
MAX_LOGINS = 10  # attempts of an address in a minute
MAX_ADDRESSES = 10_000  # that are remembered
MINUTE = 60.0
SCRIPTS = "'self' 'unsafe-inline' 'unsafe-eval' blob:"  # Gradio's page holds scripts and makes some


def headers(settings: Settings) -> dict[str, str]:
    """Return the headers of every answer: nothing is loaded from elsewhere or shown elsewhere."""
    policy = {
        "default-src": "'self'",
        "script-src": SCRIPTS,
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "media-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self' data: blob:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": " ".join(["'self'", *settings.frame_ancestors]),
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=()",
    }


class Refused(HTTPException):
    """A request that is not passed on, or whose body is not."""


class Rate:
    """So many events in the last minute for each address."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, address: str) -> None:
        """Count an event.

        Raises:
            Refused: there were too many.
        """
        now = time.monotonic()
        times = self._times.setdefault(address, deque())
        self._times.move_to_end(address)
        while times and now - times[0] > MINUTE:
            times.popleft()
        if len(times) >= self._most:
            wait = MINUTE - (now - times[0])
            raise Refused(429, f"{self._most} requests in a minute. Try again in {wait:.0f} s.")
        times.append(now)
        if len(self._times) > MAX_ADDRESSES:
            self._times.popitem(last=False)


class Guard:
    """ASGI middleware inside Gradio's application."""

    def __init__(self, app: ASGIApp, settings: Settings, orders: Orders, folder: Folder) -> None:
        self._app, self._orders, self._folder = app, orders, folder
        self._headers = headers(settings)
        self._requests, self._logins = Rate(settings.max_requests), Rate(MAX_LOGINS)
        self._open: Counter[str] = Counter()  # requests of each address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it in a sentence."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        answer = _Answer(send, self._headers)
        connection = HTTPConnection(scope)
        with ExitStack() as stack:
            try:
                await self._admit(connection, answer, stack)
                if scope["type"] == "http":
                    receive = _timely(receive, _length(connection.headers))
                    if scope["path"].startswith(f"{API}mcp") and scope["method"] == "POST":
                        receive = await _as_json(receive)
            except Refused as error:
                content = {"detail": error.detail}
                refusal = JSONResponse(content, error.status_code, error.headers)
                return await refusal(scope, receive, answer.send)
            await self._app(scope, receive, answer.send)

    async def _admit(self, connection: HTTPConnection, answer: _Answer, stack: ExitStack) -> None:
        """Check a request, and enter the contexts in which it is answered.

        Raises:
            Refused: it is not answered.
        """
        scope, given = connection.scope, connection.headers
        path = scope["path"]
        part, _, rest = path.lstrip("/").partition("/")
        name = rest.partition("/")[0] if path.startswith(API) else ""
        if part not in OPEN or (name.partition("=")[0] not in OPEN_API if name else False):
            raise Refused(404, "There is no such page.")
        if len(path) > MAX_PATH:
            raise Refused(414, "This address is too long.")
        if name == "mcp" and scope.get("method") == "HEAD":
            raise Refused(405, "Ask with GET.")  # Gradio's stream would answer twice
        address = address_of(connection)
        stack.enter_context(self._opened(address))
        posts = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD", "OPTIONS")
        if posts:
            (self._logins if part == "login" else self._requests).check(address)
        if name == "mcp":
            vouch(scope)
        if part in GUARDED and not logged_in(connection):
            raise Refused(401, "Log in first.")
        if posts and scope["type"] == "http":
            size = _length(given)
            if name == "upload":
                await self._receive(address, size, answer, stack)
            elif size > MAX_BODY:
                raise Refused(413, f"{size:,} bytes are too many for a request.")
        if path == f"{API}queue/data":
            sessions = parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])
            self._listen(sessions[0], stack)
        elif name == "call" and scope["method"] == "GET":
            self._listen(path.rpartition("/")[2], stack)

    @contextmanager
    def _opened(self, address: str) -> Iterator[None]:
        if self._open[address] >= MAX_OPEN:
            raise Refused(429, f"{MAX_OPEN} of your requests are open. Close other windows.")
        self._open[address] += 1
        try:
            yield
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]

    def _listen(self, name: str, stack: ExitStack) -> None:
        if not self._orders.knows(name):
            raise Refused(404, "Nothing is being made for this page. Reload it.")
        stack.enter_context(self._orders.listening(name))

    async def _receive(self, address: str, size: int, answer: _Answer, stack: ExitStack) -> None:
        if size > MAX_UPLOAD:
            most = MAX_UPLOAD // 2**20
            raise Refused(413, f"This file has {size / 2**20:.0f} MB; {most} MB are possible.")
        try:
            await asyncio.to_thread(self._folder.make_room, address, size)
        except FullError as error:
            raise Refused(507, str(error)) from error
        answer.keep = True
        stack.enter_context(self._folder.receiving(address, size, lambda: _uploaded(answer.body)))


class _Answer:
    """Adds headers to an answer, and keeps its body on request."""

    def __init__(self, send: Send, added: dict[str, str]) -> None:
        self._send, self._added = send, added
        self.keep, self.body = False, b""

    async def send(self, message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            MutableHeaders(scope=message).update(self._added)
        elif self.keep and message["type"] == "http.response.body":
            self.body += message.get("body", b"")
        await self._send(message)


def _timely(receive: Receive, size: int) -> Receive:
    """Return `receive` with a clock: a request must come in time.

    Raises:
        Refused: by what is returned, where it does not.
    """
    end = time.monotonic() + STALLED + size / SLOWEST
    comes = True

    async def timely() -> Message:
        nonlocal comes
        if not comes:  # what is awaited now is the end of the connection
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), end - time.monotonic())
        except TimeoutError as error:
            why = "The request came too slowly. Try again."
            raise Refused(408, why, {"Connection": "close"}) from error
        comes = message.get("more_body", False)
        return message

    return timely


async def _as_json(receive: Receive) -> Receive:
    """Take a request that must be JSON, and return a `receive` that gives it once more.

    Raises:
        Refused: it is none, or one on which the Model Context Protocol's server fails.
    """
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    try:
        json.loads(b"".join(message.get("body", b"") for message in messages))
    except (ValueError, RecursionError) as error:
        raise Refused(400, "This request is not JSON.") from error
    given = iter(messages)

    async def again() -> Message:
        message = next(given, None)
        return await receive() if message is None else message

    return again


def _uploaded(body: bytes) -> list[str]:
    """Return the paths in Gradio's answer to an upload; none if it failed."""
    try:
        paths = json.loads(body)
    except ValueError:
        return []
    return [path for path in paths if isinstance(path, str)] if isinstance(paths, list) else []


def _length(given: Headers) -> int:
    """Return the length of a body that is about to come.

    Raises:
        Refused: it is not told.
    """
    length = given.get("content-length", "0")
    if "transfer-encoding" in given or not length.isdecimal():
        raise Refused(411, "Send the length of the request (Content-Length).")
    return int(length)


def logged_in(connection: HTTPConnection) -> bool:
    """Return whether a visitor has logged in to Gradio's page, or sends name and password."""
    page = connection.scope["app"]  # Gradio's application
    if page.auth is None:
        return True
    names = (f"access-token-{page.cookie_id}", f"access-token-unsecure-{page.cookie_id}")
    if any(connection.cookies.get(name) in page.tokens for name in names):
        return True
    kind, _, given = connection.headers.get("authorization", "").partition(" ")
    try:
        name, _, password = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return False
    known = page.auth.get(name)
    return kind.lower() == "basic" and known is not None and _same(known, password)


def _same(one: str, other: str) -> bool:
    return secrets.compare_digest(one.encode(), other.encode())
