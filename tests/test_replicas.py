"""The page in two replicas behind Ray Serve, as browsers and programs meet it."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from gradio_client import Client, handle_file

pytest.importorskip("ray.serve")
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
VOICE = ROOT / "assets" / "voices" / "pico_en.wav"
PATIENCE = 120  # seconds; the machine may be busy


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    served = tmp_path_factory.mktemp("served")
    settings = {"GRADIO_SERVER_PORT": str(port), "TMPDIR": str(served)}
    app = subprocess.Popen(
        [sys.executable, ROOT / "app.py", "--replicas", "2"],
        cwd=ROOT,
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert app.stdout.readline() == f"2 replicas at http://127.0.0.1:{port}/\n"
        yield f"http://127.0.0.1:{port}/"
    finally:
        app.terminate()
        app.communicate(timeout=PATIENCE)
    assert not list(served.glob("jambatalk-*"))  # nothing of a visitor outlives the server


def replica(url: str, **headers: str) -> int:
    """Which replica answers: each has a number of its own."""
    return httpx.get(f"{url}gradio_api/app_id", headers=headers).json()["app_id"]


def open_page(url: str) -> str:
    """What a browser keeps of its visit: a cookie."""
    answer = httpx.get(url)
    assert "JambaTalk" in answer.text
    return answer.headers["set-cookie"].split(";")[0]


@pytest.fixture(scope="module")
def cookies(url: str) -> list[str]:
    """Of two visitors at different replicas."""
    found = {open_page(url) for _ in range(40)}  # all at one: once in 10^12
    assert len(found) == 2
    return sorted(found)


def test_a_visitor_stays_with_one_replica(url: str, cookies: list[str]) -> None:
    seen = [
        {replica(url, cookie=f'a/b=1; c={{"d":1}}; {cookie}') for _ in range(10)}
        for cookie in cookies
    ]
    assert [len(replicas) for replicas in seen] == [1, 1]
    assert seen[0] != seen[1]
    assert len({replica(url, **{"x-session-id": "me"}) for _ in range(10)}) == 1
    assert len({replica(url) for _ in range(10)}) == 1  # by its address
    assert replica(url, cookie="replica=gone") in seen[0] | seen[1]


def test_both_make_videos_at_once(url: str, cookies: list[str], tmp_path: Path) -> None:
    def animate(cookie: str) -> Path:
        # uploads, queues, listens to the queue and downloads: all at the same replica
        downloads = tmp_path / cookie
        program = Client(url, verbose=False, headers={"cookie": cookie}, download_files=downloads)
        look = ("mara", 256, "#2b3036", 0, "skin", ["blinks"], 0)
        video, *_ = program.predict(handle_file(VOICE), "crisp", 1.0, *look, api_name="/animate")
        return Path(video)

    with ThreadPoolExecutor() as pool:
        videos = list(pool.map(animate, cookies))
    assert all(video.stat().st_size > 10_000 for video in videos)
