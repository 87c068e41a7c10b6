"""The page as visitors meet it: `python app.py`, in a real Chromium."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlparse

import gradio as gr
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError, ValidationError
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from scipy.io import wavfile

from jambatalk import Motion, Speech
from jambatalk.app.studio import Order, Studio

ROOT = Path(__file__).parent.parent
VOICE = ROOT / "assets" / "voices" / "pico_en.wav"
PATIENCE = 120  # seconds; the machine may be busy
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"),
    f"--use-file-for-fake-audio-capture={VOICE}",
]

expect.set_options(timeout=PATIENCE * 1000)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder in which lies what visitors give and get."""
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def url(served: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"GRADIO_SERVER_PORT": str(port), "TMPDIR": str(served)}
    log = tmp_path_factory.mktemp("log") / "app.log"
    with log.open("w") as output:
        app = subprocess.Popen(
            [sys.executable, ROOT / "app.py"],
            cwd=ROOT,
            env=os.environ | settings,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        address = f"http://127.0.0.1:{port}/"
        wait_until(lambda: app.poll() is not None or answers(address))
        assert app.poll() is None, log.read_text()
        yield address
    finally:
        app.terminate()
        app.wait(PATIENCE)
    assert "Traceback" not in log.read_text(), log.read_text()
    left = [path for path in served.rglob("*") if path.is_file()]
    assert not left  # nothing of a visitor outlives the server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)


@pytest.fixture
def visit(browser: Browser, url: str) -> Iterator[Callable[..., "Visitor"]]:
    """Opens the page for one more visitor, who asks nobody but this server for anything."""
    contexts, hosts = [], set()

    def open_page(width: int = 1280) -> Visitor:
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE * 1000)
        page.on("request", lambda request: hosts.add(urlparse(request.url).hostname))
        page.goto(url)
        return Visitor(page)

    yield open_page
    for context in contexts:
        context.close()
    assert hosts - {None} == {"127.0.0.1"}  # None: data: and blob:


@pytest.fixture
def short_voice(tmp_path: Path) -> Callable[[float], Path]:
    """Writes the first seconds of a real voice."""
    rate, samples = wavfile.read(VOICE)

    def write(seconds: float) -> Path:
        path = tmp_path / f"voice {seconds}.wav"
        wavfile.write(path, rate, samples[: int(seconds * rate)])
        return path

    return write


class Visitor:
    """Somebody at the page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True).locator("visible=true")

    def upload(self, path: Path) -> None:
        self.button("Upload file").click()
        self.page.locator("#voice input[type=file]").set_input_files(path)
        clear = self.page.locator("#voice").get_by_label("Clear")
        expect(clear.first).to_be_visible()  # there are two while one recording replaces another
        expect(self.page.locator("#voice input[type=file]")).to_have_count(0)

    def choose(self, name: str) -> None:
        self.page.locator("label", has_text=name).locator("visible=true").click()

    def choose_small(self) -> None:
        self.page.get_by_text("More options").click()
        self.page.get_by_label("Size").click()
        self.page.get_by_role("option", name="256").click()

    def slow_down(self) -> None:
        """To a line that sends 100 kB a second, so a recording in a few."""
        session = self.page.context.new_cdp_session(self.page)
        session.send("Network.enable")
        line = {"offline": False, "latency": 50, "downloadThroughput": -1}
        session.send("Network.emulateNetworkConditions", line | {"uploadThroughput": 100_000})

    def message(self) -> Locator:
        return self.page.locator(".toast-body")

    def video(self) -> dict:
        """What the video that is playing says of itself."""
        playing = self.page.wait_for_function(
            """() => {
                const video = [...document.querySelectorAll("video")].find(v => v.offsetParent);
                return video && video.readyState == 4 && video.currentTime > 0 && {
                    url: video.src, seconds: video.duration, muted: video.muted,
                    width: video.videoWidth, height: video.videoHeight,
                    sound: video.webkitAudioDecodedByteCount,
                };
            }"""
        )
        return playing.json_value()


def test_upload_gives_a_playing_video_with_sound(
    visit: Callable[..., Visitor], short_voice: Callable[[float], Path], tmp_path: Path
) -> None:
    visitor = visit()
    visitor.upload(short_voice(2))
    visitor.choose("crisp")
    expect(visitor.page.get_by_text("Every consonant")).to_be_visible()  # the chosen style's note
    visitor.choose("Kofi")
    visitor.choose_small()
    visitor.button("Animate").click()

    video = visitor.video()
    assert video["seconds"] == pytest.approx(2, abs=1 / 30)
    assert (video["width"], video["height"]) == (256, 256)
    assert video["sound"] > 0
    assert not video["muted"]
    file, _ = urllib.request.urlretrieve(video["url"], tmp_path / "talking.mp4")
    assert streams(file) == ["h264,video", "aac,audio"]
    assert Speech.read(file).rms > 0.01

    with visitor.page.expect_download() as download:
        visitor.button("Video (.mp4)").click()
    assert download.value.suggested_filename == "jambatalk-kofi-crisp.mp4"
    for name, start in {"3D head (.glb)": b"glTF", "Weights (.csv)": b"Timecode"}.items():
        with visitor.page.expect_download() as download:
            visitor.button(name).click()
        assert download.value.path().read_bytes().startswith(start)
    with visitor.page.expect_download() as download:
        visitor.button("Motion (.npz)").click()
    motion = Motion.load(download.value.path())
    assert motion.face.name == "kofi"
    assert motion.duration == pytest.approx(2, abs=1 / 30)


def test_voice_of_a_video(visit: Callable[..., Visitor], tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    picture = ["-f", "lavfi", "-i", "color=size=64x64:duration=1"]
    subprocess.run(["ffmpeg", "-v", "error", *picture, "-i", VOICE, "-t", "1", film], check=True)
    visitor = visit()
    visitor.choose_small()
    with visitor.page.expect_file_chooser() as chooser:
        visitor.button("Take the voice of a video").click()
    chooser.value.set_files(film)
    expect(visitor.button("Play")).to_be_visible()
    visitor.button("Animate").click()
    assert visitor.video()["seconds"] == pytest.approx(1, abs=0.1)


def test_compares_two_styles_in_one_video(
    visit: Callable[..., Visitor], short_voice: Callable[[float], Path]
) -> None:
    visitor = visit()
    visitor.upload(short_voice(1))
    visitor.choose_small()
    visitor.page.get_by_role("tab", name="Compare styles").click()
    visitor.choose("relaxed")  # of the three that are chosen already
    visitor.button("Compare").click()
    video = visitor.video()
    assert (video["width"], video["height"]) == (512, 256)
    assert video["sound"] > 0


def test_microphone(visit: Callable[..., Visitor], tmp_path: Path) -> None:
    visitor = visit()
    visitor.choose_small()
    visitor.slow_down()
    visitor.button("Record").click()
    expect(visitor.button("Animate")).to_be_disabled()
    visitor.page.wait_for_timeout(2500)
    visitor.page.locator("#voice .stop-button").locator("visible=true").click()
    expect(visitor.button("Play")).to_be_visible()
    expect(visitor.button("Animate")).to_be_disabled()  # it is still being sent
    visitor.button("Animate").click()
    video = visitor.video()
    assert 1 < video["seconds"] < 20
    file, _ = urllib.request.urlretrieve(video["url"], tmp_path / "said.mp4")
    assert not Speech.read(file).is_silent


def test_one_click_on_an_example_is_enough(visit: Callable[..., Visitor]) -> None:
    visitor = visit(width=390)
    visitor.choose_small()
    visitor.button("Italiano").click()
    assert visitor.video()["seconds"] == pytest.approx(5.54, abs=0.05)
    expect(visitor.page.locator("video").locator("visible=true")).to_be_in_viewport()


@pytest.mark.parametrize("tab", ["Animate", "Compare styles"])
def test_nothing_is_wider_than_a_phone(visit: Callable[..., Visitor], tab: str) -> None:
    visitor = visit(width=360)
    visitor.page.get_by_role("tab", name=tab).click()
    visitor.page.get_by_text("More options").click()
    expect(visitor.page.get_by_label("Size")).to_be_visible()
    assert visitor.page.evaluate("document.documentElement.scrollWidth") == 360


def test_errors_say_what_to_do(visit: Callable[..., Visitor], tmp_path: Path) -> None:
    visitor = visit()
    visitor.button("Animate").click()
    expect(visitor.page.get_by_text("Record your voice or choose a file first.")).to_be_visible()

    text = tmp_path / "letter.wav"
    text.write_text("Dear reader, this is no sound. " * 20)
    visitor.upload(text)
    visitor.button("Animate").click()
    expect(visitor.message()).to_contain_text("could not be read as sound")
    expect(visitor.message()).to_contain_text("Use a WAV, MP3")
    assert "Traceback" not in visitor.page.content()

    visitor.page.get_by_role("tab", name="Compare styles").click()
    visitor.choose("crisp")
    visitor.choose("relaxed")
    visitor.button("Compare").click()
    expect(visitor.page.get_by_text("Choose 2 to 4 styles.")).to_be_visible()


def test_the_unexpected_is_logged_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def compare(self, *_: object, **__: object) -> None:
            raise RuntimeError("a secret")

    order = Order(str(VOICE), ["neutral"], 1, "mara", 256, "#000000", 0, "skin")
    made = Studio(Broken()).make(order, progress=lambda *_, **__: None, session=None)
    with ThreadPoolExecutor() as thread, pytest.raises(gr.Error) as error:  # has no event loop yet
        thread.submit(asyncio.run, made).result()
    assert "Something went wrong" in error.value.message
    assert "a secret" not in error.value.message
    assert "a secret" in caplog.text


def test_silence_is_remarked_upon(visit: Callable[..., Visitor], tmp_path: Path) -> None:
    silence = tmp_path / "silence.wav"
    wavfile.write(silence, 16_000, np.zeros(16_000, np.int16))
    visitor = visit()
    visitor.upload(silence)
    visitor.choose_small()
    visitor.button("Animate").click()
    expect(visitor.message()).to_contain_text("Check the microphone")
    assert visitor.video()["seconds"] == pytest.approx(1, abs=1 / 30)


@pytest.mark.parametrize("leaves", [False, True], ids=["stop", "leave"])
def test_stop_ends_the_work_and_leaves_no_file(
    visit: Callable[..., Visitor],
    short_voice: Callable[[float], Path],
    served: Path,
    leaves: bool,
) -> None:
    before = videos(served)
    visitor, next_one = visit(), visit()
    next_one.upload(short_voice(1))
    next_one.choose_small()
    visitor.button("John F. Kennedy").click()
    expect(visitor.page.get_by_text("Rendering")).to_be_visible()
    wait_until(lambda: videos(served) != before)
    unfinished = videos(served) - before
    next_one.button("Animate").click()  # waits
    if leaves:
        visitor.page.close()
    else:
        visitor.button("Stop").click()
        expect(visitor.page.get_by_text("Rendering")).to_be_hidden()
        assert visitor.page.locator("video").count() == 0
    wait_until(lambda: not unfinished & videos(served))
    assert next_one.video()["seconds"] == pytest.approx(1, abs=1 / 30)
    assert len(videos(served) - before) == 1  # the next one's

    if not leaves:
        visitor.button("Animate").click()  # again
        expect(visitor.page.get_by_text("Rendering")).to_be_visible()
        visitor.button("Stop").click()


def test_two_visitors_get_their_own(
    visit: Callable[..., Visitor], short_voice: Callable[[float], Path]
) -> None:
    visitors = {1.0: visit(), 1.5: visit()}
    for seconds, visitor in visitors.items():
        visitor.upload(short_voice(seconds))
        visitor.choose_small()
    for visitor in visitors.values():
        visitor.button("Animate").click()
    results = {seconds: visitor.video() for seconds, visitor in visitors.items()}
    for seconds, result in results.items():
        assert result["seconds"] == pytest.approx(seconds, abs=1 / 30)


def test_api(url: str, short_voice: Callable[[float], Path]) -> None:
    client = Client(url, verbose=False)
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(endpoints) == {"/animate", "/compare"}
    names = [each["parameter_name"] for each in endpoints["/animate"]["parameters"]]
    assert names[:4] == ["speech", "style", "strength", "head"]

    voice = handle_file(short_voice(1))
    made = client.predict(voice, style="theatrical", size=256, api_name="/animate")
    video, *_, motion = made
    assert [Path(file).suffix for file in made] == [".mp4", ".glb", ".csv", ".npz"]
    assert streams(video) == ["h264,video", "aac,audio"]
    assert len(Motion.load(motion)) == 30
    with pytest.raises(ValidationError, match="Choose 2 to 4 styles"):
        client.predict(voice, styles=["crisp"], api_name="/compare")
    with pytest.raises(AppError, match="'blue' is not a colour"):
        client.predict(voice, background="blue", api_name="/animate")


def streams(path: str | Path) -> list[str]:
    """Codec and kind of each stream in a file."""
    command = ["ffprobe", "-v", "error", "-show_entries", "stream=codec_name,codec_type"]
    done = subprocess.run(
        [*command, "-of", "csv=p=0", path], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def videos(folder: Path) -> set[str]:
    """All videos below a folder, the unfinished too."""
    return {str(path) for path in folder.rglob("*.mp4")}


def answers(address: str) -> bool:
    try:
        return urllib.request.urlopen(address, timeout=PATIENCE).status == 200
    except OSError:
        return False


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)
