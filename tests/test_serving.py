"""The page as a server: options, limits, health, metrics and what is closed."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from jambatalk.app.settings import Settings, in_words
from jambatalk.errors import JambaTalkError

ROOT = Path(__file__).parent.parent
VOICES = ROOT / "assets" / "voices"
VOICE = VOICES / "pico_en.wav"  # 6 s
TIMEOUT = 120  # seconds; long, since the machine may be busy


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_until(condition: Callable[[], bool], seconds: float = TIMEOUT) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.1)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=TIMEOUT).status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def serving(folder: Path, *options: str, **variables: str) -> Iterator[str]:
    """Serve the page with its files below a folder, and return its address."""
    port, log = free_port(), folder.with_suffix(".log")
    folder.mkdir(exist_ok=True)
    settings = {"TMPDIR": str(folder), "JAMBATALK_PORT": str(port), **variables}
    with log.open("w") as output:
        page = subprocess.Popen(
            [sys.executable, ROOT / "app.py", *options],
            env=os.environ | settings,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}/"
        wait_until(lambda: page.poll() is not None or answers(url))
        assert page.poll() is None, log.read_text()
        yield url
    finally:
        page.terminate()
        page.wait(TIMEOUT)
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("serving") / "files"


@pytest.fixture(scope="module")
def url(files: Path) -> Iterator[str]:
    """A page whose limits are small, set by options and by the environment."""
    with serving(files, "--max-seconds", "8", JAMBATALK_KEEP="15") as url:
        yield url


@pytest.fixture(scope="module")
def client(url: str) -> Client:
    return Client(url, verbose=False)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"port": 0}, "--port cannot be 0. Choose 1 to 65535"),
        ({"keep": float("nan")}, "--keep cannot be nan"),
        ({"max_waiting": 0}, "--max-waiting cannot be 0"),
        ({"root_path": "talk"}, "Begin it with /"),
        ({"auth": ["mara"]}, "lacks a name or a password"),
    ],
)
def test_settings_are_checked(settings: dict, why: str) -> None:
    with pytest.raises(JambaTalkError, match=why):
        Settings(**settings)


def test_durations_in_words() -> None:
    words = {in_words(seconds) for seconds in (8, 600, 3600, 7200)}
    assert words == {"8 s", "10 minutes", "an hour", "2 hours"}


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
        Settings(host="192.0.2.1").check_address()


def test_long_recordings_are_refused(client: Client) -> None:
    with pytest.raises(AppError, match="too long; here 8 s are possible"):
        client.predict(handle_file(VOICES / "jfk.flac"), size=256, api_name="/animate")


def test_files_are_deleted_in_time(client: Client, files: Path) -> None:
    client.predict(handle_file(VOICE), size=256, api_name="/animate")
    kept = [path for path in files.rglob("*") if path.suffix in (".mp4", ".wav", ".glb")]
    assert len(kept) >= 4  # the recording, and the results
    wait_until(lambda: not any(path.exists() for path in kept), 60)


def test_the_page_says_how_long_files_are_kept(url: str) -> None:
    assert "after about 15 s" in httpx.get(url).text


def test_a_login_is_asked_for(files: Path) -> None:
    with serving(files.with_name("auth"), JAMBATALK_AUTH="mara:secret kofi:other") as url:
        assert httpx.get(f"{url}config").status_code == 401
        with pytest.raises(Exception, match=r"login|auth|credentials"):
            Client(url, auth=("mara", "wrong"), verbose=False)
        client = Client(url, auth=("kofi", "other"), verbose=False)
        assert (
            "/animate" in client.view_api(return_format="dict", print_info=False)["named_endpoints"]
        )
