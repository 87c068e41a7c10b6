"""Live talking heads: the session, the socket, and the tab in Chromium."""

import json
import re
import shutil
import struct
from base64 import b64decode
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from urllib.parse import urlparse

import numpy as np
import pytest
from page_server import NO_GPU
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright
from scipy.ndimage import gaussian_filter
from starlette.applications import Starlette
from starlette.testclient import TestClient, WebSocketTestSession
from test_app import FLAGS, TIMEOUT, VOICE, server_files, url  # noqa: F401  fixtures

from jambatalk import Motion, Speech, TalkingHead, View, load_head
from jambatalk.app.live import clips, head_file, server, session
from jambatalk.app.live.server import live_routes
from jambatalk.app.live.session import LiveSession
from jambatalk.errors import LiveError
from jambatalk.face.face import PICTURES
from jambatalk.face.neck import Neck
from jambatalk.motion.nonverbal import STILL
from jambatalk.render.frames import draw_frames
from jambatalk.speech import SAMPLE_RATE

NEUTRAL = {"style": "neutral", "strength": 1, "head": "mara"}
WIDTH = len(load_head(1).blendshapes) + 3  # values per frame
END = json.dumps({"end": True})
# Records at every picture: second of the sound, jawOpen, yaw, delay, motion frames per second.
RECORD = """async () => {
    const { state } = await import("/live/page/live.js");
    const jaw = %d;
    globalThis.shown = [];
    const record = () => {
        const now = state();
        if (now.frame && now.second > 0)
            shown.push([now.second, now.frame[0][jaw], now.frame[1][1], now.delay, now.fps]);
        requestAnimationFrame(record);
    };
    record();
}"""


@pytest.fixture(scope="module")
def talking_head() -> TalkingHead:
    return TalkingHead.from_pretrained()


@pytest.fixture(scope="module")
def voice() -> Speech:
    return Speech.read(VOICE)


@pytest.fixture(scope="module")
def one_shot(talking_head: TalkingHead, voice: Speech) -> Motion:
    """The mouth's motion for the whole recording at once."""
    return talking_head.animate(voice, nonverbal=STILL)


@pytest.fixture
def jaw(talking_head: TalkingHead) -> int:
    return talking_head.heads.load(1).blendshapes.index("jawOpen")


class Clock:
    """A clock that the test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def live(talking_head: TalkingHead) -> LiveSession:
    clock = Clock()
    live = LiveSession(talking_head, clock)
    live.take(json.dumps(NEUTRAL))
    live.clock = clock
    return live


def sound(samples: np.ndarray) -> bytes:
    return np.rint(samples * 32767).astype("<i2").tobytes()


def speak(live: LiveSession, samples: np.ndarray, chunk: int = 640) -> np.ndarray:
    """Send samples in real time and return the frames received, (T, WIDTH)."""
    rows = []
    for start in range(0, len(samples), chunk):
        live.clock.now += chunk / SAMPLE_RATE
        live.take(sound(samples[start : start + chunk]))
        rows += frames_of(live.work())
    return np.array(rows)


def frames_of(replies: Iterator[bytes | str]) -> list[np.ndarray]:
    return [row for reply in replies if isinstance(reply, bytes) for row in parse(reply)[1]]


def parse(reply: bytes) -> tuple[int, np.ndarray]:
    """Return the number of the first frame, and the frames (n, WIDTH)."""
    return struct.unpack("<I", reply[:4])[0], np.frombuffer(reply[4:], "<f4").reshape(-1, WIDTH)


def test_session_gives_the_motion_of_the_recording(
    live: LiveSession, voice: Speech, talking_head: TalkingHead
) -> None:
    sent = np.frombuffer(sound(voice.samples), "<i2").astype(np.float32) / 2**15
    expected = talking_head.animate((sent, SAMPLE_RATE))
    hello = json.loads(next(live.work()))
    assert hello["blendshapes"] == list(expected.face.blendshapes)
    assert hello["fps"] == 30
    assert 0 < hello["look_ahead"] < 1
    frames = speak(live, voice.samples)
    assert len(frames) >= (voice.duration - hello["look_ahead"]) * 30 - 1
    live.take(END)
    *rest, end = live.work()
    frames = np.concatenate([frames, np.array(frames_of(iter(rest)))])
    assert json.loads(end) == {"end": True}
    assert live.ended
    whole = np.hstack([expected.weights, expected.pose])
    np.testing.assert_allclose(frames, whole, rtol=0, atol=1e-5)


def test_style_and_head_change_during_a_session(
    live: LiveSession, voice: Speech, talking_head: TalkingHead
) -> None:
    list(live.work())
    half = 3 * SAMPLE_RATE
    before = speak(live, voice.samples[:half])
    live.take(json.dumps({"style": "theatrical", "strength": 1.2, "head": "kofi"}))
    assert not list(live.work())
    after = speak(live, voice.samples[half:])
    live.take(END)
    frames = np.concatenate([before, after, frames_of(live.work())])
    other = talking_head.animate(voice, "theatrical", 1.2, "kofi", STILL)
    assert len(frames) == len(other)
    jaw = other.face.blendshapes.index("jawOpen")
    late = slice(len(before) + 10, None)
    assert np.corrcoef(frames[late, jaw], other.weights[late, jaw])[0, 1] > 0.95
    usual = talking_head.animate(voice, "neutral", nonverbal=STILL)
    steps = [np.abs(np.diff(motion[:, jaw])).max() for motion in (frames, other.weights)]
    assert steps[0] < 1.5 * steps[1] + 0.02  # no jump
    assert np.abs(frames[: len(before), jaw] - usual.weights[: len(before), jaw]).max() < 0.02


def test_mood_changes_during_a_session(live: LiveSession, voice: Speech) -> None:
    hello = json.loads(next(live.work()))
    before = speak(live, voice.samples[: 2 * SAMPLE_RATE])
    live.take(json.dumps(NEUTRAL | {"mood": "surprised", "intensity": 1.2}))
    after = speak(live, voice.samples[2 * SAMPLE_RATE :])
    wide = hello["blendshapes"].index("eyeWideLeft")
    assert before[:, wide].max() < 0.1
    assert np.percentile(after[30:, wide], 75) > 0.6


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("{", "unknown message"),
        (json.dumps(NEUTRAL | {"mood": "furious"}), "no mood 'furious'"),
        (json.dumps(NEUTRAL | {"mood": "sad", "intensity": 2}), "intensity"),
        ("[]", "unknown message"),
        ("[" * 900, "unknown message"),
        ("x" * 5000, "unknown message"),
        ('{"style": "neutral"}', "unknown message"),
        (json.dumps(NEUTRAL | {"style": "loud"}), "no style 'loud'"),
        (json.dumps(NEUTRAL | {"head": "../../etc"}), "no head"),
        (json.dumps(NEUTRAL | {"strength": float("nan")}), "not a strength"),
        (json.dumps(NEUTRAL | {"strength": 10**400}), "unknown message"),
        (b"odd", "not a chunk of sound"),
        (bytes(2 * SAMPLE_RATE + 2), "not a chunk of sound"),
    ],
)
def test_bad_messages_are_refused(live: LiveSession, message: str | bytes, why: str) -> None:
    with pytest.raises(LiveError, match=why):
        live.take(message)


def test_session_limits(
    live: LiveSession, talking_head: TalkingHead, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = bytes(2 * SAMPLE_RATE)

    def take(message: bytes | str, times: int) -> None:
        for _ in range(times):
            live.take(message)

    with pytest.raises(LiveError, match="must begin with a style"):
        LiveSession(talking_head).take(second)
    flooded = LiveSession(talking_head)
    flooded.take(json.dumps(NEUTRAL))
    with pytest.raises(LiveError, match="Messages come too fast"):
        [flooded.take(b"") for _ in range(100_000)]
    take(second, 3)  # a little ahead is allowed
    with pytest.raises(LiveError, match="faster than"):
        live.take(second)
    live.clock.now = 500
    assert live.patience == 0  # since the last samples
    take(b"", 1)
    assert live.patience == 0
    with pytest.raises(LiveError, match="too busy"):
        take(second, 6)  # without work()
    assert live.patience == session.MAX_IDLE
    list(live.work())
    with pytest.raises(LiveError, match="too fast"):
        take(json.dumps(NEUTRAL), 100)
    live.clock.now = session.MAX_SECONDS + 10
    with pytest.raises(LiveError, match="minutes are over"):
        live.take(b"")  # the limit holds without sound too


@pytest.fixture
def client(talking_head: TalkingHead) -> TestClient:
    return TestClient(Starlette(routes=live_routes(talking_head)))


def test_socket(client: TestClient, voice: Speech) -> None:
    with client.websocket_connect("/live/socket") as socket:
        socket.send_text(json.dumps(NEUTRAL))
        assert socket.receive_json()["fps"] == 30
        socket.send_bytes(sound(voice.samples[:SAMPLE_RATE]))
        first, rows = parse(socket.receive_bytes())
        assert first == 0
        socket.send_text(END)
        assert parse(socket.receive_bytes())[0] == len(rows)
        assert socket.receive_json() == {"end": True}
    with client.websocket_connect("/live/socket") as socket:
        socket.send_bytes(b"hello!")
        assert "must begin with a style" in socket.receive_json()["error"]
        assert socket.receive()["code"] == server.POLICY_VIOLATION


def end_session(socket: WebSocketTestSession) -> None:
    """End a session and wait until the server closes: a test client cancels what still runs."""
    socket.send_text(json.dumps({"end": True}))
    while socket.receive()["type"] != "websocket.close":
        pass


def test_connections_are_limited(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 1)
    with client.websocket_connect("/live/socket") as first:
        first.send_text(json.dumps(NEUTRAL))
        assert "blendshapes" in first.receive_json()
        with client.websocket_connect("/live/socket") as second:
            busy = second.receive_json()["error"]
            assert "1 others are live now. A place is free in 10 min at most." in busy
        end_session(first)
    with client.websocket_connect("/live/socket") as third:  # the first has ended
        third.send_text(json.dumps(NEUTRAL))
        assert "blendshapes" in third.receive_json()
        end_session(third)


def test_idle_connections_are_closed(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "MAX_IDLE", 0.1)
    with client.websocket_connect("/live/socket") as socket:
        assert "No sound arrived" in socket.receive_json()["error"]


def test_routes_serve_heads(client: TestClient) -> None:
    face = load_head("kofi")
    (length,) = struct.unpack("<I", (file := client.get("/live/head/kofi").content)[:4])
    header = json.loads(file[4 : 4 + length])
    assert header["blendshapes"] == list(face.blendshapes)
    assert sum(batch["count"] for batch in header["batches"]) >= len(face.triangles)
    names = {name for texture in header["textures"] for name in texture["pictures"] if name}
    for name in names:
        number, kind = name.split(".")
        served = client.get(f"/live/textures/kofi/{name}")
        assert served.content == getattr(face.materials[int(number)], kind)
        assert served.headers["content-type"] in ("image/jpeg", "image/png")
        preview = Image.open(BytesIO(b64decode(header["previews"][name])))
        assert max(preview.size) <= head_file.PREVIEW
    for name in ("unknown", "1", "²", "kofi?shading=oil"):  # one address per head
        assert client.get(f"/live/head/{name}").status_code == 404
    for path in ("unknown/0.albedo", "kofi/99.albedo", "kofi/0.name", "kofi/²", "kofi/1.albedo"):
        assert client.get(f"/live/textures/{path}").status_code == 404
    assert "#include" not in client.get("/live/shaders/mesh.frag").text
    assert client.get("/live/shaders/kinds.glsl").status_code == 404  # it is in the two others
    for path in ("%2e%2e/server.py", "/etc/passwd", "unknown.js"):
        assert client.get(f"/live/page/{path}").status_code == 404


def test_bytes_before_the_first_motion(talking_head: TalkingHead) -> None:
    """The page's own files, the head's file and its pictures, each once."""
    page = sum(path.stat().st_size for path in server.PAGE.iterdir())
    for name in talking_head.heads.names:
        face = talking_head.heads.load(name)
        pictures = {getattr(m, kind) for m in face.materials for kind in PICTURES} - {None}
        size = (
            page + len(server.head_file(talking_head.heads, name, "skin")) + sum(map(len, pictures))
        )
        assert size < 2_500_000, name


def test_clips(client: TestClient, talking_head: TalkingHead) -> None:
    idle, intro = (client.get(f"/live/clips/{name}").json() for name in ("idle", "intro"))
    face, motion = talking_head.heads.load(1), talking_head.animate(clips.INTRO)
    frames = np.frombuffer(b64decode(intro["frames"]), "<i2").reshape(-1, WIDTH) * intro["step"]
    whole = np.hstack([motion.weights, motion.pose])
    np.testing.assert_allclose(frames, whole, rtol=0, atol=0.51 * intro["step"])
    assert "Quilter" in intro["caption"]
    resting = np.frombuffer(b64decode(idle["frames"]), "<i2").reshape(-1, WIDTH)
    assert len(resting) == clips.IDLE_SECONDS * 30
    assert not resting[:, face.blendshapes.index("jawOpen")].any()
    blinks = np.diff(resting[:, face.blendshapes.index("eyeBlinkLeft")] * idle["step"] > 0.5)
    assert blinks.sum() / 2 >= 3
    assert client.get("/live/clips/other").status_code == 404
    assert client.get("/live/intro.wav").content == clips.INTRO.read_bytes()


def test_routes_work_below_a_root_path(talking_head: TalkingHead) -> None:
    client = TestClient(Starlette(routes=live_routes(talking_head)), root_path="/talk")
    for path in ("page/live.js", "shaders/mesh.frag", "head/mara", "textures/mara/0.albedo"):
        assert client.get(f"/live/{path}").status_code == 200, path


@pytest.fixture(scope="module")
def launch() -> Iterator[Callable[..., Browser]]:
    """Return a function that launches a Chromium which draws WebGL without a GPU."""
    flags = [flag for flag in FLAGS if "fake" not in flag and flag != "--disable-gpu"]
    with sync_playwright() as playwright:
        yield lambda *more: playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=[*flags, *NO_GPU, *more]
        )


@pytest.fixture(scope="module")
def browser(launch: Callable[..., Browser]) -> Browser:
    """A browser whose microphone is allowed and plays the voice."""
    return launch(*(flag for flag in FLAGS if "fake" in flag))


@pytest.fixture
def open_tab(browser: Browser, url: str) -> Iterator[Callable[..., Page]]:  # noqa: F811
    """Open the tab in a new browser context; in the end check for errors and foreign hosts."""
    contexts, hosts, errors = [], set(), []

    def open_live(width: int = 1280, **settings: str) -> Page:
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **settings))
        page = contexts[-1].new_page()
        page.set_default_timeout(TIMEOUT * 1000)
        page.on("request", lambda request: hosts.add(urlparse(request.url).hostname))
        page.on("pageerror", lambda error: errors.append(error))
        page.goto(url)
        page.get_by_role("tab", name="Live").click()
        return page

    yield open_live
    for context in contexts:
        context.close()
    assert hosts - {None} == {"127.0.0.1"}
    assert not errors


def button(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).locator("visible=true").click()


def recorded(page: Page, seconds: float) -> np.ndarray:
    """Wait until so much of the sound was shown and return what RECORD recorded."""
    page.wait_for_function("seconds => shown.at(-1)?.[0] > seconds", arg=seconds)
    return np.array(page.evaluate("shown"), float)  # None is NaN


def test_microphone_moves_the_head(
    open_tab: Callable[..., Page], jaw: int, one_shot: Motion
) -> None:
    page = open_tab()
    page.evaluate(RECORD % jaw)
    button(page, "Speak")
    expect(page.locator("#viewer-status")).to_contain_text("the head says it after you")
    rows = recorded(page, 5)
    expect(page.locator("#viewer-delay")).to_have_text(re.compile(r"\d\.\d s behind you"))
    figures = r"\d+ ms · \d+ motion frames per second · drawn \d+ times per second"
    expect(page.locator("#viewer-figures")).to_have_text(re.compile(figures))
    assert rows[-1, 3] > 300  # milliseconds: no motion before its sound
    assert rows[-1, 4] > 0
    # The browser loops the voice from an unknown position.
    second, shown = rows[:, 0], rows[:, 1]
    period, times = len(one_shot) / 30, np.arange(len(one_shot)) / 30
    fits = []
    for shift in np.arange(0, period, 0.02):
        expected = np.interp(second + shift, times, one_shot.weights[:, jaw], period=period)
        fits.append(np.corrcoef(shown, expected)[0, 1])
    assert max(fits) > 0.8
    assert np.ptp(rows[:, 2]) > 0.002  # radians: the head rotates
    button(page, "Stop")
    expect(page.locator("#viewer-status")).to_have_text("Stopped.")


def test_recording_is_played_in_time(
    open_tab: Callable[..., Page], jaw: int, one_shot: Motion
) -> None:
    page = open_tab()
    page.evaluate(RECORD % jaw)
    button(page, "English")  # one click on an example starts it
    expect(page.locator("#viewer-status")).to_have_text("Playing.")
    expect(page.locator("#viewer-status")).to_have_text("Finished.")
    rows = np.array(page.evaluate("shown"), float)
    expected = np.interp(rows[:, 0], np.arange(len(one_shot)) / 30, one_shot.weights[:, jaw])
    assert rows[-1, 0] > one_shot.duration - 1
    assert np.corrcoef(rows[:, 1], expected)[0, 1] > 0.98


def test_head_looks_as_in_the_videos(
    open_tab: Callable[..., Page], talking_head: TalkingHead
) -> None:
    page = open_tab(width=360, color_scheme="dark", reduced_motion="reduce")
    expect(page.locator("#viewer-canvas")).to_be_visible()
    page.evaluate("async () => { window.live = await import('/live/page/live.js'); }")
    page.wait_for_function("live.state().head === 'mara'")
    page.evaluate(
        "async () => { ({ viewer: window.viewer } = await import('/live/page/viewer.js')); }"
    )
    page.wait_for_function("viewer.head.whole && document.querySelector('#viewer-stage canvas')")
    shown = Image.open(BytesIO(page.locator("#viewer-canvas").screenshot())).convert("RGB")
    face = talking_head.heads.load("mara")
    drawn = Image.fromarray(next(draw_frames(face, [face.template], View(size=256))))
    spare = (drawn.width - drawn.height * shown.width / shown.height) / 2  # at each side
    drawn = drawn.crop((spare, 0, drawn.width - spare, drawn.height))
    page_picture, video_picture = (
        np.asarray(picture.resize((64, 64), Image.Resampling.BOX), float)
        for picture in (shown, drawn)
    )
    inside = np.s_[4:-4, 4:-4]  # the canvas has round corners
    assert np.abs(page_picture - video_picture)[inside].mean() < 4  # of 255
    assert page.evaluate("document.documentElement.scrollWidth") == 360


SPEAKING = {"jawOpen": 0.3, "mouthUpperUpLeft": 0.3, "mouthUpperUpRight": 0.3, "browInnerUp": 0.6}
DRAW = """async ([name, shading, weights, pose]) => {
    const { Head } = await import("/live/page/head.js");
    const canvas = document.createElement("canvas");
    canvas.style.cssText = "position: fixed; left: 0; top: 0; width: 512px; height: 512px";
    document.body.append(canvas);
    const head = new Head(canvas);
    head.resetResolution();
    await head.load(name, shading);
    await head.refine();
    const frame = head.blendshapes.map((blendshape) => weights[blendshape] ?? 0);
    head.draw([Float32Array.from([...frame, ...pose])]);
    return canvas.toDataURL();
}"""


def similarity(one: np.ndarray, other: np.ndarray) -> float:
    """SSIM (Wang et al. 2004) of grey values, with a Gaussian window of 1.5 pixels."""
    smooth = partial(gaussian_filter, sigma=1.5)
    one, other = one.mean(2), other.mean(2)
    a, b = smooth(one), smooth(other)
    aa, bb, ab = smooth(one**2) - a**2, smooth(other**2) - b**2, smooth(one * other) - a * b
    c, d = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float(((2 * a * b + c) * (2 * ab + d) / (a**2 + b**2 + c) / (aa + bb + d)).mean())


@pytest.mark.parametrize(
    ("name", "yaw", "shading"),
    [("mara", 0, "skin"), ("kofi", 40, "skin"), ("mara", 40, "clay"), ("kofi", 0, "plain")],
)
def test_webgl_draws_what_the_renderer_draws(
    name: str, yaw: int, shading: str, open_tab: Callable[..., Page]
) -> None:
    face, pose = load_head(name), np.radians([3.0, yaw, 0.0])
    weights = np.array([SPEAKING.get(each, 0.0) for each in face.blendshapes], np.float32)
    vertices = Neck.of(face).turn(face.vertices(weights), pose)
    drawn = next(draw_frames(face, [vertices], View(size=512, shading=shading))).astype(float)
    shown = open_tab().evaluate(DRAW, [name, shading, SPEAKING, pose.tolist()])
    picture = Image.open(BytesIO(b64decode(shown.partition(",")[2]))).convert("RGB")
    assert similarity(np.asarray(picture, float), drawn) > 0.98


def test_errors_name_the_cure(open_tab: Callable[..., Page]) -> None:
    page = open_tab()
    button(page, "Play voice")
    expect(page.locator("#viewer-status")).to_contain_text("Record your voice or choose a file")
    page.route_web_socket("**/live/socket", lambda socket: socket.close())
    button(page, "Speak")
    expect(page.locator("#viewer-status")).to_contain_text("The connection was lost")


def test_microphone_not_allowed(launch: Callable[..., Browser], url: str) -> None:  # noqa: F811
    page = launch("--use-fake-device-for-media-stream", "--deny-permission-prompts").new_page()
    page.goto(url)
    page.get_by_role("tab", name="Live").click()
    button(page, "Speak")
    expect(page.locator("#viewer-status")).to_contain_text("Allow it for this page")
    expect(page.locator("#viewer-status")).to_have_class("error")


def test_page_without_https(launch: Callable[..., Browser], url: str) -> None:  # noqa: F811
    page = launch("--host-resolver-rules=MAP page.test 127.0.0.1").new_page()
    page.goto(url.replace("127.0.0.1", "page.test"))
    page.get_by_role("tab", name="Live").click()
    button(page, "Speak")
    expect(page.locator("#viewer-status")).to_contain_text("Open this page by https://")
