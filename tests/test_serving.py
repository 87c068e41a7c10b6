"""The page as a server: options, limits, health, metrics and what is closed."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlparse

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError, ValidationError
from page_server import NO_GPU, ROOT, TIMEOUT, serving, wait_until
from playwright.sync_api import Page, sync_playwright
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from scipy.io import wavfile
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from jambatalk.app import health
from jambatalk.app.lent_gpu import lend_gpu
from jambatalk.app.metrics import Metrics
from jambatalk.app.settings import Settings, check_address, in_words
from jambatalk.app.video_service import zip_files
from jambatalk.errors import JambaTalkError

VOICES = ROOT / "assets" / "voices"
VOICE = VOICES / "pico_en.wav"  # 6 s


JSON = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("serving") / "files"


@pytest.fixture(scope="module")
def url(files: Path) -> Iterator[str]:
    """A page whose limits are small, set by options and by the environment."""
    limits = "--max-seconds", "8", "--max-work", "10"
    with serving(files, *limits, JAMBATALK_KEEP="60", JAMBATALK_MAX_DISK="20") as url:
        yield url


@pytest.fixture(scope="module")
def client(url: str) -> Client:
    return Client(url, verbose=False)


@pytest.fixture(scope="module")
def short_voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of a real voice."""
    rate, samples = wavfile.read(VOICE)
    path = tmp_path_factory.mktemp("voice") / "voice.wav"
    wavfile.write(path, rate, samples[:rate])
    return path


def live(url: str, address: str = "203.0.113.1", **settings: Any) -> ClientConnection:
    """Connect as a proxy on this machine does, which tells the visitor's address."""
    headers = {"X-Forwarded-For": f"198.51.100.7, {address}"}
    return connect(
        f"{url.replace('http', 'ws')}live/socket", additional_headers=headers, **settings
    )


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"port": 0}, "--port cannot be 0. Choose 1 to 65535"),
        ({"keep": float("nan")}, "--keep cannot be nan"),
        ({"max_waiting": 0}, "--max-waiting cannot be 0"),
        ({"root_path": "talk"}, "Begin it with /"),
        ({"max_each": 0}, "--max-each cannot be 0"),
        ({"frame_ancestors": ["https://a.org; script-src *"]}, "Give origins"),
        ({"auth": ["mara"]}, "lacks a name or a password"),
    ],
)
def test_settings_are_checked(settings: dict, why: str) -> None:
    with pytest.raises(JambaTalkError, match=why):
        Settings(**settings)


def test_durations_in_words() -> None:
    words = {in_words(seconds) for seconds in (8, 600, 3600, 7200)}
    assert words == {"8 s", "10 minutes", "an hour", "2 hours"}


def test_files_of_a_time_before_the_clock_was_set_are_zipped(tmp_path: Path) -> None:
    file = tmp_path / "motion.csv"
    file.touch()
    os.utime(file, (0, 0))
    with zipfile.ZipFile(zip_files([file])) as archive:
        assert archive.namelist() == ["motion.csv"]


def test_a_busy_port_is_an_error_at_once() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        command = [sys.executable, ROOT / "app.py", "--port", str(port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 1
    expected = f"jambatalk: Port {port} is in use by another program. Choose another --port.\n"
    assert done.stderr == expected


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(JambaTalkError, match=r"cannot be served on 192\.0\.2\.1"):
        check_address("192.0.2.1", 7860)


def test_long_recordings_are_refused(client: Client) -> None:
    with pytest.raises(AppError, match="too long; here 8 s are possible"):
        client.predict(handle_file(VOICES / "jfk.flac"), size=256, api_name="/animate")


def test_large_videos_are_refused(client: Client) -> None:
    with pytest.raises(AppError, match=r"1\.8 times .*6 s, styles: 3, pixels: 512.* at most 3 s"):
        client.predict(handle_file(VOICE), api_name="/compare")


def test_files_are_deleted_in_time(client: Client, files: Path, short_voice: Path) -> None:
    own = set(files.rglob("*"))  # the page's
    client.predict(handle_file(short_voice), size=256, api_name="/animate")
    made = set(files.rglob("*")) - own
    kept = [path for path in made if path.is_file()]
    assert len(kept) >= 4  # the recording, and the results
    for path in made:
        os.utime(path, (time.time() - 61,) * 2)  # as a minute later
    wait_until(lambda: not any(path.exists() for path in kept), 60)
    assert all(path.exists() for path in own)


def test_the_engine_answers(url: str) -> None:
    first, second = (httpx.get(f"{url}healthz", timeout=TIMEOUT) for _ in range(2))
    assert first.status_code == 200
    assert first.json()["status"] == "ok"
    assert first.text == second.text == '{"status":"ok"}'


@pytest.mark.parametrize(("fault", "why"), [(RuntimeError, "fails"), (None, "too slow")])
def test_an_engine_that_does_not_answer(
    fault: type[Exception] | None, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()

    class Engine:
        styles = ("neutral",)

        def animate(self, *_: object) -> None:
            if fault:
                raise fault("a secret")
            released.wait(TIMEOUT)
            raise RuntimeError("a secret")

    monkeypatch.setattr(health, "PATIENCE", 0.2)
    metrics = Metrics()
    routes = [Route("/healthz", health.Health(Engine(), metrics).serve)]
    with TestClient(Starlette(routes=routes)) as client:
        answer = client.get("/healthz")
        released.set()
    assert answer.status_code == 503
    assert why in answer.text
    assert "secret" not in answer.text
    assert b"jambatalk_health_failures_total 1.0" in generate_latest(metrics.registry)


def test_metrics(client: Client, url: str, short_voice: Path, files: Path) -> None:
    client.predict(handle_file(short_voice), size=256, api_name="/animate")
    with pytest.raises(AppError):
        client.predict(handle_file(short_voice), background="blue", api_name="/animate")
    answer = httpx.get(f"{url}metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    values = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert values["jambatalk_jobs_total", "video", "made"] >= 1
    assert values["jambatalk_jobs_total", "video", "refused"] >= 1
    assert ("jambatalk_jobs_total", "video", "failed") not in values
    assert values["jambatalk_job_seconds_sum", "video"] > 0.1
    assert values["jambatalk_queue_length",] == 0
    assert values["process_resident_memory_bytes",] > 1e8
    log = files.with_suffix(".log").read_text()
    assert "job=video outcome=made seconds=" in log
    assert short_voice.name not in log


def test_the_page_says_how_long_files_are_kept(url: str) -> None:
    assert "after about 60 s" in httpx.get(url).text


def test_the_examples_of_the_api_run(
    url: str, short_voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "results"))
    shutil.copy(short_voice, "speech.wav")
    text = (ROOT / "docs" / "api.md").read_text().replace("http://127.0.0.1:7860/", url)
    found: dict = {}
    for example in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        exec(example, found)
    files = [found[name] for name in ("video", "glb", "csv", "npz", "wav", "both")]
    kinds = [Path(file).suffix for file in files]
    assert kinds == [".mp4", ".glb", ".csv", ".npz", ".wav", ".mp4"]
    assert found["names"]["styles"]["crisp"]
    assert found["tools"] == ["animate", "compare", "list", "say"]
    assert [urlparse(address).scheme for address in found["addresses"]] == ["http"] * 5
    assert httpx.get(found["addresses"][0]).content[4:8] == b"ftyp"


def test_schemas_for_programs(url: str) -> None:
    tools = {each["name"]: each for each in httpx.get(f"{url}gradio_api/mcp/schema").json()}
    assert set(tools) == {"animate", "compare", "list", "say"}
    for tool in tools.values():
        given = tool["inputSchema"]["properties"]
        assert all(each["description"] for each in given.values())
    given = tools["animate"]["inputSchema"]["properties"]
    assert given["size"] == {
        "type": "integer",
        "enum": [256, 384, 512, 768, 1024],
        "default": 512,
        "description": "width and height of each head's picture, pixels",
    }
    assert {"neutral", "crisp"} <= set(given["style"]["enum"])
    assert given["light"]["enum"] == ["studio", "soft", "side", "evening", "cool"]
    assert "degrees from -90 to 90" in given["yaw"]["description"]
    assert "af_heart" in tools["say"]["inputSchema"]["properties"]["voice"]["enum"]


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1/speech.wav", "{url}gradio_api/file=/etc/hostname"]
)
def test_recordings_of_this_network_are_not_fetched(client: Client, url: str, address: str) -> None:
    with pytest.raises((AppError, httpx.HTTPStatusError, ValidationError)):
        client.predict(handle_file(address.format(url=url)), size=256, api_name="/animate")


def test_a_gpu_is_borrowed_on_zero_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    class Head:
        class model:  # noqa: N801
            to = calls.append

        def compare(self, *arguments: object, **options: object) -> list:
            calls.append((arguments, options))
            return ["a motion"]

    head = Head()
    assert lend_gpu(head) == head.compare
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")

    def gpu(duration: int) -> Callable:
        return lambda function: lambda *a, **o: calls.append(duration) or function(*a, **o)

    monkeypatch.setitem(sys.modules, "spaces", SimpleNamespace(GPU=gpu))
    told = []
    made = lend_gpu(head)("speech", seed=1, progress=lambda *what: told.append(what))
    assert made == ["a motion"]
    assert calls == [60, "cuda", (("speech",), {"seed": 1})]
    assert told == [("Predicting motion", 0.0)]


def test_a_login_is_asked_for(files: Path) -> None:
    with serving(files.with_name("auth"), JAMBATALK_AUTH="mara:secret kofi:other") as url:
        assert httpx.get(f"{url}config").status_code == 401
        assert "start.js" not in httpx.get(url).text  # no head speaks to strangers
        assert httpx.get(f"{url}gradio_api/mcp/schema").status_code == 404
        for path in ("config", "metrics", "live/page/viewer.js", "live/clips/idle"):
            assert httpx.get(f"{url}{path}").status_code == 401, path
        assert httpx.get(f"{url}metrics", auth=("mara", "wrong")).status_code == 401
        assert httpx.get(f"{url}metrics", auth=("mara", "secret")).status_code == 200
        assert httpx.get(f"{url}healthz", timeout=TIMEOUT).status_code == 200
        with pytest.raises(InvalidStatus, match="401"), live(url):
            pass
        with httpx.Client(base_url=url) as visitor:
            visitor.post("login", data={"username": "mara", "password": "secret"})
            assert visitor.get("metrics").status_code == 200
            wrong = {"username": "mara", "password": "wrong"}
            visitor.headers["X-Forwarded-For"] = "203.0.113.1"  # not the others' address
            tries = [visitor.post("login", data=wrong).status_code for _ in range(11)]
            assert tries == 10 * [400] + [429]
        with pytest.raises(Exception, match=r"login|auth|credentials"):
            Client(url, auth=("mara", "wrong"), verbose=False)
        client = Client(url, auth=("kofi", "other"), verbose=False)
        assert (
            "/animate" in client.view_api(return_format="dict", print_info=False)["named_endpoints"]
        )


def test_headers(url: str) -> None:
    for path in ("", "live/clips/idle", "live/page/viewer.js", "gradio_api/run/say"):
        headers = httpx.get(f"{url}{path}").headers
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'self'" in policy
        assert "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "microphone=(self), camera=()" in headers["permissions-policy"]


def test_routes_that_are_closed(url: str) -> None:
    closed = "run/say", "api/say", "process_recording", "dev/reload", "component_server", "token"
    paths = [*(f"gradio_api/{name}" for name in closed), "monitoring", "monitoring/summary", "runs"]
    with httpx.Client(base_url=url) as visitor:
        for path in paths:
            for answer in (visitor.get(path), visitor.post(path, json={"data": []})):
                assert answer.status_code == 404, path
                assert answer.json()["detail"] == "There is no such page."


def test_requests_that_do_not_fit(url: str, files: Path) -> None:
    known = httpx.get(f"{url}gradio_api/info").json()["named_endpoints"]["/animate"]["parameters"]
    values = {each["parameter_name"]: each["parameter_default"] for each in known}
    wrong = {
        "Speaking style does not take this value": {"style": "a secret"},
        "Speaking style needs a value": {"style": None},
        "Head needs a value": {"head": None},
        "Strength does not take this value": {"strength": [1, 2]},
        "Video size does not take this value": {"size": {}},
        "Variation does not take this value": {"seed": "a secret"},
        "Voice does not take this file": {"speech": {"path": "/etc/passwd"}},
        "Record your voice": {},
    }
    with httpx.Client(base_url=f"{url}gradio_api/", timeout=TIMEOUT) as visitor:
        for why, value in wrong.items():
            answer = visitor.post("call/animate", json={"data": [*(values | value).values()]})
            assert answer.status_code in (400, 422), why
            assert why in answer.text
        bodies = [{"data": [1]}, {"data": []}, {"data": "a secret"}, {"data": {}}, [], None, 7]
        odd = [visitor.post("call/animate", json=body) for body in bodies]
        odd += [visitor.post(path, json={"data": []}) for path in ("call/other", "call/v2/other")]
        for index in (-1, 9999, 10**30, None, "a secret", [1]):
            body = {"data": [], "fn_index": index, "session_hash": "me"}
            odd.append(visitor.post("queue/join", json=body))
        odd.append(visitor.post("upload", content=b"a secret"))
        odd += [visitor.get("queue/data?session_hash=other"), visitor.get("call/animate/other")]
        odd.append(visitor.post("call/animate", content=iter([b"without a length"])))
        odd.append(visitor.post("call/animate", content=bytes(100_000)))
        for body in (b"[" * 60_000, b'{"data": [' + b"9" * 5000 + b"]}", b"\xff"):
            for path in ("call/animate", "queue/join", "mcp/"):
                odd.append(visitor.post(path, content=body, headers=JSON))
        odd.append(visitor.get(f"file={'a' * 3000}"))
        odd += [visitor.get(f"{url}{path}/{'a' * 1500}.js") for path in ("assets", "live/page")]
        assert visitor.head("mcp/sse").status_code == 405
    for answer in odd:
        assert answer.status_code in (400, 404, 411, 413, 414), answer.text
        assert len(answer.json()["detail"]) < 100
    log = files.with_suffix(".log").read_text()
    assert "secret" not in log
    assert "Traceback" not in log


def test_uploads_have_a_quota(url: str) -> None:
    def upload(megabytes: int, byte: bytes, address: str) -> httpx.Response:
        return httpx.post(
            f"{url}gradio_api/upload",
            files={"files": ("a.wav", byte * megabytes * 2**20)},
            headers={"X-Forwarded-For": address},
            timeout=TIMEOUT,
        )

    refused = upload(6, b"a", "203.0.113.1")
    assert refused.status_code == 507
    assert refused.json()["detail"].startswith("Your recordings may take 5 MB here.")
    first, other, second = (
        Path(upload(3, byte, address).json()[0])
        for byte, address in ((b"b", "203.0.113.1"), (b"c", "203.0.113.2"), (b"d", "203.0.113.1"))
    )
    assert not first.exists()  # the oldest of this address
    assert other.exists()
    assert second.exists()


def test_live_places_and_messages(url: str) -> None:
    for other_site in ("https://example.org", "null", "http://["):
        with pytest.raises(InvalidStatus, match="403"), live(url, origin=other_site):
            pass
    with live(url, origin=url.rstrip("/")) as first:
        first.send(json.dumps({"style": "neutral", "strength": 1, "head": "mara"}))
        assert "blendshapes" in first.recv()
        with live(url) as second:
            assert "Stop there first" in second.recv()
        with live(url, "203.0.113.2") as third:
            third.send(bytes(100_000))
            with pytest.raises(ConnectionClosedError, match="1009"):
                third.recv()


MOVES = """async () => {
    const { viewer } = await import("/live/page/viewer.js");
    while (viewer.drawn < 5) await new Promise((next) => setTimeout(next, 20));
    return Math.round(performance.getEntriesByName("viewer-moved")[0].startTime);
}"""


def test_the_viewer_starts_before_gradio(url: str) -> None:
    html = httpx.get(url).text
    assert html.index("start.js") < html.index("gradio_config")
    links = re.findall(r'preload"[^>]* href="([^"]*)"', html)
    assert len(links) > 10
    for link in links:
        assert httpx.get(url + link).status_code == 200, link


def test_little_is_fetched_before_the_head_moves(url: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", *NO_GPU]
        )
        page = browser.new_page()
        page.set_default_timeout(TIMEOUT * 1000)
        first, milliseconds = fetched(page, url)
        again, _ = fetched(page, url)
        browser.close()
    own = {path: size for path, size in first.items() if path.startswith("/live/")}
    print(f"own files: {sum(own.values()):,} bytes in {len(own)} requests; all: ", end="")
    print(f"{sum(first.values()):,} in {len(first)}; the head after {milliseconds} ms; ", end="")
    print(f"second visit: {sum(again.values()):,} in {len(again)}")
    assert sum(own.values()) < 3_000_000
    named = "/live/page/"  # modules that lead to those of the version
    assert not [path for path in own if "/v-" not in path and not path.startswith(named)]
    assert not [path for path in again if "/v-" in path and path in first]  # they were kept


def fetched(page: Page, url: str) -> tuple[dict[str, int], int]:
    """Open the page; return each address that was fetched with its bytes, and the time taken."""
    session, paths, sizes = page.context.new_cdp_session(page), {}, {}
    session.on("Network.responseReceived", lambda e: paths.update({e["requestId"]: e["response"]}))

    def finished(event: dict) -> None:
        answer = paths.get(event["requestId"])
        if answer and answer["url"].startswith(url) and event["encodedDataLength"]:
            sizes[urlparse(answer["url"]).path] = event["encodedDataLength"]

    session.on("Network.loadingFinished", finished)
    session.send("Network.enable")
    page.goto(url)
    milliseconds = page.evaluate(MOVES)
    session.detach()  # the next visit is not this one's
    return sizes, milliseconds
