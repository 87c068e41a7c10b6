"""The page in Chromium, served by `python app.py`."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlparse

import gradio as gr
import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError, ValidationError
from imageio_ffmpeg import count_frames_and_secs, read_frames
from page_server import ROOT, TIMEOUT, serving, wait_until
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from scipy.io import wavfile

from jambatalk import Motion, Speech, TalkingHead
from jambatalk.app import predictions
from jambatalk.app.languages import DICTIONARIES
from jambatalk.app.settings import Settings
from jambatalk.app.video_request import VideoRequest
from jambatalk.app.video_service import VideoService
from jambatalk.errors import MotionError
from jambatalk.files.bundled import VOICES

VOICE = ROOT / "assets" / "voices" / "pico_en.wav"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    f"--use-file-for-fake-audio-capture={VOICE}",
]

expect.set_options(timeout=TIMEOUT * 1000)


@pytest.fixture(scope="module")
def server_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's folder of uploads and results."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def url(server_files: Path) -> Iterator[str]:
    with serving(server_files) as address:
        yield address
    left = [path for path in server_files.rglob("*") if path.is_file()]
    assert not left  # uploads and results are deleted with the server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)


@pytest.fixture
def open_page(browser: Browser, url: str, tmp_path: Path) -> Iterator[Callable[..., "AppPage"]]:
    """Open the page in a new browser context; in the end check that no other host was contacted."""
    contexts, hosts = [], set()

    def open_page(width: int = 1280, locale: str = "en-US", query: str = "") -> AppPage:
        size = {"width": width, "height": 900}
        context = browser.new_context(viewport=size, locale=locale, reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT * 1000)
        page.on("request", lambda request: hosts.add(urlparse(request.url).hostname))
        page.goto(url + query)
        return AppPage(page, tmp_path)

    yield open_page
    for context in contexts:
        context.close()
    assert hosts - {None} == {"127.0.0.1"}  # None: data: and blob:


@pytest.fixture
def short_voice(tmp_path: Path) -> Callable[[float], Path]:
    """Write so many seconds of a real voice, again and again if it is shorter, to a file."""
    rate, samples = wavfile.read(VOICE)

    def write(seconds: float) -> Path:
        path = tmp_path / f"voice {seconds}.wav"
        wavfile.write(path, rate, np.resize(samples, int(seconds * rate)))
        return path

    return write


SHOWN = """() => {
    const shown = [], nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (nodes.nextNode())
        if (nodes.currentNode.parentElement.checkVisibility()) shown.push(nodes.currentNode.data);
    for (const element of document.querySelectorAll("[aria-label], [placeholder]"))
        shown.push(element.ariaLabel ?? element.placeholder);
    return shown.map((text) => text.trim()).filter((text) => text);
}"""  # texts and labels


class AppPage:
    """The page in one browser context."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page, self.folder = page, folder

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True).locator("visible=true")

    def invalid(self) -> Locator:
        """What is wrong with an input, beside it."""
        return self.page.locator(".validation-error").locator("visible=true")

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
        self.page.get_by_label("Video size").click()
        self.page.get_by_role("option", name="256").click()

    def throttle_upload(self) -> None:
        """Limit uploads to 200 kB/s, so that a recording takes about a second."""
        session = self.page.context.new_cdp_session(self.page)
        session.send("Network.enable")
        conditions = {"offline": False, "latency": 50, "downloadThroughput": -1}
        session.send("Network.emulateNetworkConditions", conditions | {"uploadThroughput": 200_000})

    def download(self, name: str) -> Path:
        """Press a download button and return the file, under the name that the page gives it."""
        with self.page.expect_download() as download:
            self.button(name).click()
        path = self.folder / download.value.suggested_filename
        download.value.save_as(path)
        return path

    def message(self) -> Locator:
        return self.page.locator(".toast-body")

    def video(self) -> dict:
        """Wait for a video, playing in Compare, and return its properties."""
        playing = self.page.wait_for_function(
            """() => {
                const video = [...document.querySelectorAll("video")].find(v => v.offsetParent);
                const due = !video?.autoplay || video.currentTime > 0;
                return video && video.readyState == 4 && due && {
                    url: video.src, seconds: video.duration, muted: video.muted,
                    width: video.videoWidth, height: video.videoHeight,
                    sound: video.webkitAudioDecodedByteCount,
                };
            }"""
        )
        return playing.json_value()


def test_upload_gives_a_playing_video_with_sound(
    open_page: Callable[..., AppPage], short_voice: Callable[[float], Path], tmp_path: Path
) -> None:
    app = open_page()
    app.upload(short_voice(2))
    app.choose("Crisp")
    expect(app.page.get_by_text("Quick, sharp lips")).to_be_visible()  # the style's note
    app.choose("Kofi")
    app.choose_small()
    with app.page.expect_download() as saved:
        app.button("Download video").click()

    video = app.video()
    assert video["seconds"] == pytest.approx(2, abs=1 / 30)
    assert (video["width"], video["height"]) == (256, 256)
    assert video["sound"] > 0
    assert not video["muted"]
    file, _ = urllib.request.urlretrieve(video["url"], tmp_path / "talking.mp4")
    assert streams(file) == ["h264,video", "aac,audio"]
    assert not Speech.read(file).is_silent

    assert saved.value.suggested_filename == "jambatalk-kofi-crisp.mp4"
    assert app.download("Blender, Unity, web (.glb)").read_bytes().startswith(b"glTF")
    assert app.download("Unreal / Live Link (.csv)").read_bytes().startswith(b"Timecode")
    assert Speech.read(app.download("Sound (.wav)")).duration == pytest.approx(2, abs=0.01)
    motion = Motion.load(app.download("Python (.npz)"))
    assert motion.face.name == "kofi"
    assert motion.duration == pytest.approx(2, abs=1 / 30)


def test_sound_of_a_video(open_page: Callable[..., AppPage], tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    picture = ["-f", "lavfi", "-i", "color=size=64x64:duration=1"]
    subprocess.run(["ffmpeg", "-v", "error", *picture, "-i", VOICE, "-t", "1", clip], check=True)
    app = open_page()
    app.choose_small()
    with app.page.expect_file_chooser() as chooser:
        app.button("Use the sound of a video").click()
    chooser.value.set_files(clip)
    expect(app.button("Play")).to_be_visible()
    app.button("Download video").click()
    assert app.video()["seconds"] == pytest.approx(1, abs=0.1)


def test_compare_two_styles_in_one_video(
    open_page: Callable[..., AppPage], short_voice: Callable[[float], Path]
) -> None:
    app = open_page()
    app.upload(short_voice(1))
    app.choose_small()
    app.page.get_by_role("tab", name="Compare styles").click()
    app.choose("Reserved")  # deselects one of the three initial styles
    app.button("Download video").click()
    video = app.video()
    assert (video["width"], video["height"]) == (512, 256)
    assert video["sound"] > 0


def test_microphone(open_page: Callable[..., AppPage], tmp_path: Path) -> None:
    app = open_page()
    app.choose_small()
    app.throttle_upload()
    app.button("Record").click()
    expect(app.button("Animate")).to_be_disabled()
    app.page.wait_for_timeout(1500)
    app.page.locator("#voice .stop-button").locator("visible=true").click()
    expect(app.button("Play")).to_be_visible()
    expect(app.button("Animate")).to_be_disabled()  # the upload has not ended
    app.button("Download video").click()  # waits until it is enabled
    video = app.video()
    assert 0.5 < video["seconds"] < 20
    file, _ = urllib.request.urlretrieve(video["url"], tmp_path / "recorded.mp4")
    assert not Speech.read(file).is_silent


@pytest.mark.parametrize(
    ("tab", "options", "size", "locale"),
    [
        ("Animate", "More options", "Video size", "en-GB"),
        ("Vergleichen", "Weitere Einstellungen", "Videogröße", "it-IT"),
    ],
)
def test_page_fits_a_phone(
    open_page: Callable[..., AppPage], tab: str, options: str, size: str, locale: str
) -> None:
    german = locale == "it-IT"  # which the page does not speak
    app = open_page(width=360, locale=locale, query="?lang=de" if german else "")
    app.page.get_by_role("tab", name=tab).click()
    app.page.get_by_text(options).click()
    expect(app.page.get_by_label(size)).to_be_visible()
    assert app.page.evaluate("document.documentElement.scrollWidth") == 360
    if german:
        app.button("Vergleichen").click()
        expect(app.invalid()).to_have_text(
            "Nehmen Sie zuerst Ihre Stimme auf oder wählen Sie eine Datei."
        )
        shown = app.page.evaluate(SHOWN)
        assert {"Lächelnd", "Aufnehmen"} < set(shown)  # ours, and Gradio's
        english = json.loads((DICTIONARIES / "de.json").read_text("utf-8"))
        assert not [text for text in shown if english.get(text, text) != text]
        assert not re.findall(r"\b(?:the|and|of|to|your|with|for|is)\b", " ".join(shown))


def test_errors_name_the_cure(open_page: Callable[..., AppPage], tmp_path: Path) -> None:
    app = open_page()
    app.button("Animate").click()
    expect(app.invalid()).to_have_text("Record your voice or choose a file first.")
    expect(app.invalid()).to_have_role("alert")
    expect(app.invalid()).to_be_in_viewport()

    text = tmp_path / "letter.wav"
    text.write_text("Dear reader, this is no sound. " * 20)
    app.upload(text)  # it is animated at once
    expect(app.message()).to_contain_text("Use a WAV, MP3")
    assert "Traceback" not in app.page.content()

    app.page.get_by_role("tab", name="Compare styles").click()
    app.choose("Crisp")
    app.choose("Relaxed")
    app.button("Compare").click()
    expect(app.invalid()).to_have_text("Choose 2 to 4 styles.")


def test_unexpected_errors_are_logged_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def compare(self, *_: object, **__: object) -> None:
            raise RuntimeError("a secret")

    message = render_error(Broken(), background="#000000")
    assert "Something went wrong" in message
    assert "a secret" not in message
    assert "a secret" in caplog.text


def test_error_messages_quote_few_characters() -> None:
    talking_head = SimpleNamespace(compare=None)  # fails before it is called
    message = render_error(talking_head, background="x" * 100_000)
    assert "is not a colour" in message
    assert "…" in message
    assert len(message) < 300


def render_error(talking_head: object, background: str) -> str:
    """Return the message of a request that fails."""
    request = VideoRequest(str(VOICE), ["neutral"], 1, "mara", 256, background)
    service = VideoService(talking_head, Settings())
    rendering = service.render(request, progress=lambda *_, **__: None)
    with ThreadPoolExecutor() as thread, pytest.raises(gr.Error) as error:  # has no event loop yet
        thread.submit(asyncio.run, rendering).result()
    return error.value.message


def test_a_long_recording_begins_with_what_it_goes_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictions, "LONG", 3.0)
    service = VideoService(TalkingHead.from_pretrained(), Settings())
    request = VideoRequest(
        str(VOICES / "pico_en.wav"), ["neutral", "crisp"], 1, "mara", mood="happy"
    )
    with ThreadPoolExecutor() as thread:  # has no event loop yet
        beginnings, frames = thread.submit(asyncio.run, service.predict_beginning(request)).result()
        wholes = thread.submit(asyncio.run, service.predict(request)).result()
    for beginning, whole in zip(beginnings, wholes, strict=True):
        assert len(whole) == frames
        assert 2 * whole.fps < len(beginning) < 3 * whole.fps
        begun = whole.first(len(beginning))
        np.testing.assert_allclose(beginning.weights, begun.weights, atol=1e-4)
        np.testing.assert_allclose(beginning.pose, begun.pose, atol=1e-4)


def test_a_captured_motion_is_shown_beside_predicted_ones(tmp_path: Path) -> None:
    service = VideoService(TalkingHead.from_pretrained(), Settings())
    recording, page = str(VOICES / "pico_en.wav"), service.predictions
    alone = page.motions(VideoRequest(recording, ["neutral", "crisp"], 1, "mara"))
    truth = alone[1].on("kofi").resampled(60).save(tmp_path / "captured.npz")
    request = VideoRequest(recording, ["neutral"], 1, "mara", truth=str(truth))
    _, captured = page.motions(request)
    assert request.heads == ["neutral", "captured"]
    assert captured.face == alone[0].face
    np.testing.assert_allclose(captured.weights, alone[1].weights, atol=0.1)
    assert request.video() != replace(request, truth=None).video()

    alone[1].first(50).save(truth)
    with pytest.raises(MotionError, match=r"motion lasts .* s, the recording .* s\. Give"):
        page.motions(request)
    truth.write_text("Dear reader, this is no motion.")
    with pytest.raises(MotionError, match=r"^'captured.npz' is not a saved motion\."):
        page.motions(request)


def test_silence_gives_a_warning(open_page: Callable[..., AppPage], tmp_path: Path) -> None:
    silence = tmp_path / "silence.wav"
    wavfile.write(silence, 16_000, np.zeros(16_000, np.int16))
    app = open_page()
    app.upload(silence)
    app.choose_small()
    app.button("Download video").click()
    expect(app.message().first).to_contain_text("Check the microphone")
    assert app.video()["seconds"] == pytest.approx(1, abs=1 / 30)


@pytest.mark.parametrize("close", [False, True], ids=["stop", "close"])
def test_stop_ends_the_work_and_leaves_no_file(
    open_page: Callable[..., AppPage],
    short_voice: Callable[[float], Path],
    server_files: Path,
    close: bool,
) -> None:
    before = videos(server_files)
    first, second = open_page(), open_page()
    second.upload(short_voice(1))
    second.choose_small()
    first.upload(short_voice(40))  # still at work when the second one asks
    first.button("Download video").click()
    expect(first.page.get_by_text("Rendering -")).to_be_visible()
    wait_until(lambda: videos(server_files) != before)
    unfinished = videos(server_files) - before
    second.button("Download video").click()
    expect(second.page.locator("[data-text^='You are next']").first).to_be_attached()
    if close:
        first.page.close()
    else:
        first.button("Stop").click()
        expect(first.page.get_by_text("Rendering -")).to_be_hidden()
        assert first.page.locator("video").count() == 0
    wait_until(lambda: not unfinished & videos(server_files))
    assert second.video()["seconds"] == pytest.approx(1, abs=1 / 30)
    assert len(videos(server_files) - before) == 1  # the second one's

    if not close:
        first.button("Download video").click()  # again
        expect(first.page.get_by_text("Rendering -")).to_be_visible()
        first.button("Stop").click()


MOTION_SECONDS = """async () =>
    (await import("/live/page/animate.js")).player.clip?.duration"""


def test_four_visitors_get_their_own_motions_and_videos(
    open_page: Callable[..., AppPage], url: str, short_voice: Callable[[float], Path]
) -> None:
    app = open_page()
    app.upload(short_voice(1))
    app.choose_small()
    programs = {}
    for number, seconds in enumerate((0.4, 0.6, 0.8)):
        address = {"X-Forwarded-For": f"192.0.2.{number}"}  # of each of which one video may wait
        program = Client(url, verbose=False, headers=address)
        voice = handle_file(short_voice(seconds))
        programs[seconds] = program.submit(voice, size=256, api_name="/animate")
    app.button("Download video").click()
    assert app.video()["seconds"] == pytest.approx(1, abs=1 / 30)
    assert app.page.evaluate(MOTION_SECONDS) == 1
    for seconds, job in programs.items():
        video, _, _, motion, _ = job.result(TIMEOUT)
        assert len(Motion.load(motion)) == round(seconds * 30)
        assert count_frames_and_secs(video)[0] == round(seconds * 30)


def test_api(url: str, short_voice: Callable[[float], Path]) -> None:
    client = Client(url, verbose=False)
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(endpoints) == {"/animate", "/compare", "/list", "/say"}
    names = [each["parameter_name"] for each in endpoints["/animate"]["parameters"]]
    assert names[:4] == ["speech", "style", "strength", "head"]

    voice = handle_file(short_voice(1))
    results = client.predict(
        voice, style="theatrical", size=256, mood="surprised", intensity=1.2, api_name="/animate"
    )
    video, _, _, motion, _ = results
    assert [Path(file).suffix for file in results] == [".mp4", ".glb", ".csv", ".npz", ".wav"]
    assert streams(video) == ["h264,video", "aac,audio"]
    assert len(Motion.load(motion)) == 30
    assert Motion.load(motion).blendshape("browOuterUpLeft").max() > 0.6
    choices = {"styles": ["crisp"], "truth": handle_file(motion), "size": 256}
    compared = client.predict(voice, **choices, api_name="/compare")
    assert next(read_frames(compared))["size"] == (512, 256)
    with pytest.raises(ValidationError, match="Choose 2 to 4 styles"):
        client.predict(voice, styles=["crisp"], api_name="/compare")
    with pytest.raises(ValidationError, match="Speaking style needs a value"):
        client.predict(voice, style=None, api_name="/animate")
    with pytest.raises(ValidationError, match="Mood needs a value"):
        client.predict(voice, mood=None, api_name="/animate")
    with pytest.raises(AppError, match="'blue' is not a colour"):
        client.predict(voice, background="blue", api_name="/animate")


@pytest.mark.parametrize("route", ["run/animate", "api/animate", "run/predict"])
def test_no_request_bypasses_the_queue(url: str, route: str) -> None:
    config = httpx.get(f"{url}config").json()
    function = next(each["id"] for each in config["dependencies"] if each["api_name"] == "animate")
    body = {"data": [None] * 11, "fn_index": function, "session_hash": "any"}
    answer = httpx.post(f"{url}gradio_api/{route}", json=body)
    assert answer.status_code in (401, 403, 404), answer.text


def streams(path: str | Path) -> list[str]:
    """Return codec and kind of each stream in a file."""
    command = ["ffprobe", "-v", "error", "-show_entries", "stream=codec_name,codec_type"]
    done = subprocess.run(
        [*command, "-of", "csv=p=0", path], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def videos(folder: Path) -> set[str]:
    """Return all videos below a folder, unfinished ones too."""
    names = ((place, name) for place, _, names in os.walk(folder) for name in names)
    return {os.path.join(place, name) for place, name in names if name.endswith(".mp4")}
