"""What stands before the page: the folder of uploads, places in the queue, rates, listeners."""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace

import gradio as gr
import httpx
import pytest
import uvicorn
from page_server import TIMEOUT, free_port, wait_until
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from jambatalk.app import connections, guard, orders
from jambatalk.app import folder as folder_module
from jambatalk.app.connections import PatientProtocol
from jambatalk.app.folder import Folder, FullError
from jambatalk.app.guard import Guard
from jambatalk.app.orders import Page
from jambatalk.app.settings import Settings

BYTES = 1000  # of an upload
FREE = SimpleNamespace(free=10**12)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A folder that takes 16 uploads, 4 of an address, and holds an example."""
    monkeypatch.setattr(folder_module.shutil, "disk_usage", lambda _: FREE)
    (tmp_path / "example").mkdir()
    (tmp_path / "example" / "voice.wav").write_bytes(bytes(BYTES))
    folder = Folder(tmp_path, keep=60, most=16 * BYTES)
    folder.make_permanent()
    return folder


def set_age(path: Path, seconds: float) -> None:
    changed = time.time() - seconds
    for changing in (path, path.parent):
        os.utime(changing, (changed, changed))


def upload(folder: Folder, name: str, age: float = 0, address: str = "a") -> Path:
    path = folder.path / name / "voice.wav"
    folder.make_room(address, BYTES)
    with folder.receiving(address, BYTES, lambda: [str(path)]):
        path.parent.mkdir()
        path.write_bytes(bytes(BYTES))
        set_age(path, age)
    return path


def test_files_are_deleted_in_time_but_not_those_of_waiting_requests(folder: Folder) -> None:
    old, waiting, new = (upload(folder, str(age), age) for age in (100, 101, 10))
    partial = folder.path / "tmp123"
    partial.write_bytes(b"half")
    set_age(partial, 100)
    folder.in_use = lambda: {waiting, Path("/elsewhere")}
    folder.sweep()
    assert not old.exists()
    assert not partial.exists()
    assert waiting.exists()
    assert new.exists()
    folder.in_use = tuple
    folder.sweep()
    assert not waiting.exists()
    assert {path.name for path in folder.path.iterdir()} == {"10", "example"}


def test_the_oldest_go_when_the_folder_is_full(folder: Folder) -> None:
    first, *others = (upload(folder, str(age), age) for age in (50, 40, 30, 20))
    folder.in_use = lambda: {first}
    upload(folder, "10", 10)
    assert first.exists()  # a request waits for it
    assert [path.exists() for path in others] == [False, True, True]
    for number in range(20):
        upload(folder, f"other {number}", 9 - number / 10, f"address {number}")
    assert first.exists()
    left = sum(path.stat().st_size for path in folder.path.rglob("*.wav"))
    assert left == (16 + 1) * BYTES  # beside the example


def test_no_room(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    used = [upload(folder, str(age), age) for age in (50, 40, 30, 20)]
    folder.in_use = lambda: used
    with pytest.raises(FullError, match="Your recordings may take"):
        folder.make_room("a", BYTES)
    with folder.receiving("b", 4 * BYTES, list), pytest.raises(FullError):
        folder.make_room("b", BYTES)  # the other is still coming
    folder.make_room("b", BYTES)
    monkeypatch.setattr(folder_module.shutil, "disk_usage", lambda _: SimpleNamespace(free=10**8))
    with pytest.raises(FullError, match="server is full"):
        folder.make_room("b", BYTES)


def test_a_failed_upload_leaves_nothing(folder: Folder) -> None:
    with folder.receiving("a", BYTES, list):
        (folder.path / "tmp123").write_bytes(b"half")
    assert [path.name for path in folder.path.iterdir()] == ["example"]


def test_requests_that_do_not_come(monkeypatch: pytest.MonkeyPatch, folder: Folder) -> None:
    """Connections that ask for nothing are closed; requests have headers and bodies in time."""
    monkeypatch.setattr(connections, "PATIENCE", 3)
    monkeypatch.setattr(guard, "STALLED", 0.5)

    async def application(request: Request) -> PlainTextResponse:
        await request.body()
        await asyncio.sleep(4)  # longer than a connection may be idle
        return PlainTextResponse("made")

    app = Starlette(
        routes=[Route("/live", application, methods=["POST"])],
        middleware=[Middleware(Guard, Settings(), None, folder)],
    )
    app.auth = None
    config = uvicorn.Config(app, port=free_port(), log_level="warning", http=PatientProtocol)
    server = uvicorn.Server(config)
    thread = Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started)
    post = b"POST /live HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
    endings = {
        b"": b"",
        b"GET /live HTTP/1.1\r\nX: ": b"",
        post % 1: b"The request came too slowly. Try again.",
        b"GET /live HTTP/1.1\r\nX: " + b"a" * 100_000: b"Invalid HTTP request received.",
        b"POST /live HTTP/1.0\r\nContent-Length: 0\r\n\r\n": b"made",
    }
    try:
        with ExitStack() as stack:
            address = "127.0.0.1", config.port
            clients = [
                stack.enter_context(socket.create_connection(address, TIMEOUT)) for _ in endings
            ]
            for client, sent in zip(clients, endings, strict=True):
                client.sendall(sent)
            for client, (sent, ending) in zip(clients, endings.items(), strict=True):
                assert received(client).endswith(ending), sent[:50]
    finally:
        server.should_exit = True
        thread.join(TIMEOUT)


def received(client: socket.socket) -> bytes:
    """Return what comes until the server closes the connection."""
    found = b""
    with suppress(ConnectionResetError):  # what was sent was not read to its end
        while more := client.recv(10_000):
            found += more
    return found


def test_requests_of_an_address_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "MAX_OPEN", 2)
    release = asyncio.Event()

    async def application(scope: dict, receive: object, send: Callable) -> None:
        await release.wait()
        await PlainTextResponse("made")(scope, receive, send)

    async def ask(to: Guard, address: str) -> int:
        transport = httpx.ASGITransport(to, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
            return (await client.get("/config")).status_code

    async def visit() -> None:
        to = Guard(application, Settings(), None, None)
        waiting = [asyncio.create_task(ask(to, "192.0.2.1")) for _ in range(2)]
        while to._open["192.0.2.1"] < 2:
            await asyncio.sleep(0.01)
        assert await ask(to, "192.0.2.1") == 429
        release.set()
        assert await ask(to, "192.0.2.2") == 200
        assert await asyncio.gather(*waiting) == [200, 200]
        assert not to._open

    asyncio.run(visit())


@pytest.fixture
def page(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """A page with one slow function, at which 30 requests a minute are possible."""
    monkeypatch.setattr(orders, "PATIENCE", 2)
    left: list[str | None] = []
    release, began = Event(), Event()

    def work(text: str) -> str:
        began.set()
        if "secret" in text:
            raise ValueError(text)
        release.wait(TIMEOUT)
        return text.upper()

    settings = Settings(max_requests=30)
    with Page(analytics_enabled=False) as page:
        text = gr.Textbox(label="Text")
        limit = {"concurrency_id": orders.VIDEOS, "concurrency_limit": 1}
        gr.Button().click(work, text, text, api_name="work", **limit)
        gr.Button().click(lambda text: text, text, text, api_name="small", queue=False)
    page.order(settings, left.append)
    _, url, _ = page.launch(
        server_port=free_port(),
        prevent_thread_lock=True,
        quiet=True,
        ssr_mode=False,
        app_kwargs={"middleware": [Middleware(Guard, settings, page.orders, folder)]},
    )
    with httpx.Client(base_url=f"{url}gradio_api/", timeout=TIMEOUT) as client:

        def ask(text: str, address: str = "192.0.2.1", name: str = "work") -> httpx.Response:
            headers = {"X-Forwarded-For": address}
            return client.post(f"call/{name}", json={"data": [text]}, headers=headers)

        yield SimpleNamespace(
            ask=ask, client=client, left=left, release=release, began=began, orders=page.orders
        )
    release.set()
    page.close()


def test_places_and_listeners(page: SimpleNamespace) -> None:
    order = page.ask("first").json()["event_id"]
    with page.client.stream("GET", f"call/work/{order}") as answer:
        assert page.began.wait(TIMEOUT)
        second = page.ask("second").json()["event_id"]
        refused = page.ask("third")
        assert refused.status_code == 429
        assert refused.json()["detail"].startswith("No more than 1 of your requests may wait here.")
        other = page.ask("other", "192.0.2.2")
        assert other.status_code == 200
        assert page.ask("small", name="small").status_code == 200  # does not wait
        # Nobody listens to the two that wait, so they go; the first is listened to.
        wait_until(lambda: not page.orders.waiting())
        assert set(page.left) >= {second, other.json()["event_id"]}
        assert order not in page.left
        page.release.set()
        assert "FIRST" in answer.read().decode()
    assert page.client.get(f"call/work/{second}").status_code == 404
    wait_until(lambda: not page.orders.pending_messages_per_session)  # nothing is kept


def test_a_job_ends_when_its_listener_has_gone(page: SimpleNamespace) -> None:
    order = page.ask("text").json()["event_id"]
    with page.client.stream("GET", f"call/work/{order}"):
        assert page.began.wait(TIMEOUT)
    wait_until(lambda: order in page.left)


def test_failures_are_sentences(page: SimpleNamespace, caplog: pytest.LogCaptureFixture) -> None:
    order = page.ask("a secret").json()["event_id"]
    answer = page.client.get(f"call/work/{order}").text
    assert "Something went wrong on this server" in answer
    assert "secret" not in answer + caplog.text
    assert "ValueError" in caplog.text  # where, for the operator


def test_requests_of_an_address_in_a_minute(page: SimpleNamespace) -> None:
    answers = [page.ask("x", name="small") for _ in range(31)]
    assert answers[-2].status_code == 200
    assert answers[-1].status_code == 429
    assert "30 requests in a minute. Try again in" in answers[-1].json()["detail"]
    assert page.ask("x", "192.0.2.2", "small").status_code == 200


def test_files_of_waiting_requests(page: SimpleNamespace) -> None:
    data = [{"path": "/folder/a.wav", "meta": {}}, ["x", {"video": {"path": "/folder/b.mp4"}}], 3]
    event = SimpleNamespace(data=SimpleNamespace(data=data))
    page.orders.active_jobs[0] = [event]
    assert page.orders.files() == {Path("/folder/a.wav"), Path("/folder/b.mp4")}
    page.orders.active_jobs[0] = None


def test_nobody_takes_another_address_by_mcp() -> None:
    passed = []

    async def application(scope: dict, *_: object) -> None:
        passed.append(dict(scope["headers"]))

    request = {
        "type": "http",
        "method": "GET",
        "path": "/gradio_api/mcp/",
        "query_string": b"",
        "headers": [(b"x-forwarded-for", b"198.51.100.1"), (b"accept", b"*/*")],
        "client": ("192.0.2.7", 1),
    }
    asyncio.run(Guard(application, Settings(), None, None)(request, None, None))
    assert passed == [{b"x-forwarded-for": b"192.0.2.7", b"accept": b"*/*"}]
