"""The page as a server of its own, for the tests that open it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parent.parent
TIMEOUT = 120  # seconds; long, since the machine may be busy
NO_GPU = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]  # Chromium


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
