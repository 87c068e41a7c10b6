"""The viewer of the page's first screen, in Chromium with WebGL in software."""

import re
import subprocess
import zipfile
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path, PurePath
from urllib.parse import urlencode

import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from test_app import server_files, url  # noqa: F401  fixtures
from test_live import browser, button, launch, similarity  # noqa: F401  fixtures

from jambatalk import Motion, Speech, TalkingHead, load_head
from jambatalk.export.phones import text_grid
from jambatalk.files.bundled import VOICES

EARLY = """new MutationObserver(() => {
    const early = document.getElementById("viewer-early");
    if (early) globalThis.early ??= early.getBoundingClientRect().toJSON();
}).observe(document, { childList: true, subtree: true });"""
JAW = load_head(1).blendshapes.index("jawOpen")
MODULES = """async () => {
    ({ viewer: globalThis.viewer } = await import("/live/page/viewer.js"));
    ({ player: globalThis.player, waveform: globalThis.waveform } =
        await import("/live/page/animate.js"));
}"""
# Records how late each picture is seen, what second it shows, its jawOpen, and the seconds since
# the picture before.
RECORD = """() => {
    globalThis.shown = [];
    let drawn = viewer.drawn; const now = () => performance.now();
    let before = now();
    const record = () => {
        if (viewer.drawn > drawn && !player.sound.paused && viewer.source === player)
            shown.push([player.lag, player.second, viewer.shown[0][%d], (now() - before) / 1000]);
        if (viewer.drawn > drawn) before = now();
        drawn = viewer.drawn;
        requestAnimationFrame(record);
    };
    record();
}"""


@pytest.fixture
def open_page(browser, url) -> Callable[..., Page]:  # noqa: F811
    """Open the page in a new browser context, as on a first visit."""
    contexts, errors = [], []

    def open_page(width: int = 1440, choices: str = "", **settings: str) -> Page:
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **settings))
        page = contexts[-1].new_page()
        page.set_default_timeout(120_000)
        page.on("pageerror", lambda error: errors.append(error))
        page.add_init_script(EARLY)
        page.goto(url + choices)
        page.evaluate(MODULES)
        page.wait_for_function("viewer.drawn && document.querySelector('#viewer-stage canvas')")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors


def stays_in_place(page: Page) -> None:
    """Check that the head is where it was before Gradio had built the page."""
    stage = page.locator("#viewer-stage").bounding_box()
    early = page.evaluate("early")
    assert [early[side] for side in stage] == pytest.approx(list(stage.values()), abs=8)


def test_head_lives_and_speaks_without_a_click(open_page: Callable[..., Page]) -> None:
    page = open_page()
    stays_in_place(page)
    before = page.evaluate("[...viewer.shown[0]]")
    page.wait_for_function("before => viewer.shown[0].some((v, k) => v !== before[k])", arg=before)
    page.wait_for_function("viewer.source === player && player.sound.currentTime > 0.5")
    assert page.evaluate("player.sound.muted")
    expect(page.locator("#viewer-caption")).to_contain_text("Quilter")
    page.wait_for_function(f"viewer.shown[0][{JAW}] > 0.05")
    button(page, "Sound on")
    assert not page.evaluate("player.sound.muted")
    expect(page.get_by_role("button", name="Sound on")).to_be_hidden()
    page.wait_for_function("player.ended")
    expect(page.locator("#viewer-caption")).to_be_hidden()
    page.reload()  # the second visit
    page.evaluate(MODULES)
    page.wait_for_function("viewer.drawn > 20")
    assert page.evaluate("player.clip ?? null") is None


def test_reduced_motion_gives_a_still_head(open_page: Callable[..., Page]) -> None:
    page = open_page(reduced_motion="reduce")
    page.wait_for_function("viewer.drawn > 5")
    assert not any(page.evaluate("[...viewer.shown[0]]"))
    assert page.evaluate("player.clip ?? null") is None
    card = page.get_by_role("button", name="Deutsch", exact=True)
    card.focus()
    expect(card.locator(".moving")).to_be_hidden()


def test_example_is_said_in_step_and_in_another_style(open_page: Callable[..., Page]) -> None:
    page = open_page()
    button(page, "John F. Kennedy")
    page.wait_for_function("player.clip?.duration > 10 && player.sound.currentTime > 0.1")
    assert not page.evaluate("player.sound.muted")
    page.evaluate(RECORD % JAW)
    page.wait_for_function("player.sound.currentTime > 4")
    lag, second, jaw, period = np.array(page.evaluate("shown"), float).T
    assert abs(np.median(lag)) < max(0.04, np.median(period))
    motion = expected()
    lips = np.interp(second, np.arange(len(motion)) / motion.fps, motion.weights[:, JAW])
    assert np.corrcoef(lips, jaw)[0, 1] > 0.98

    page.evaluate("globalThis.first = player.clip")
    before = page.evaluate("player.sound.currentTime")
    page.locator("label", has_text="Theatrical").locator("visible=true").click()
    page.wait_for_function("player.clip !== first")
    went_on = page.evaluate("player.ended ? Infinity : player.sound.currentTime")
    assert went_on > before
    assert page.evaluate("player.clip.at(3)[0]") != page.evaluate("first.at(3)[0]")

    recognised = TalkingHead.from_pretrained().phones(VOICES / "jfk.flac")
    page.wait_for_function("waveform.phones.length > 0 && waveform.peaks.length > 0")
    names = [phone.name for phone in recognised if phone.name != "SIL"]
    assert [name for name, *_ in page.evaluate("waveform.phones")] == names
    peaks = np.array(page.evaluate("[...waveform.peaks]"))
    samples = np.abs(Speech.read(VOICES / "jfk.flac").samples)
    loudest = samples[: len(samples) // 80 * 80].reshape(-1, 80).max(1)
    assert np.corrcoef(peaks[: len(loudest)], loudest[: len(peaks)])[0, 1] > 0.98


def expected() -> Motion:
    return TalkingHead.from_pretrained().animate(Speech.read(VOICES / "jfk.flac"))


def test_styles_are_compared_side_by_side(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.get_by_role("tab", name="Compare styles").click()
    button(page, "English")
    page.wait_for_function("player.clips?.length === 3 && player.sound.currentTime > 1")
    titles = page.locator("#viewer-titles span").all_inner_texts()
    assert titles == ["Neutral", "Expansive", "Reserved"]
    player = "[...Array(3).keys()].map((k) => Math.max(...[...Array(40).keys()].map((n) =>"
    widest = page.evaluate(f"{player} player.clips[k].at(n / 10)[0][{JAW}])))")
    assert widest[1] > widest[0] > widest[2]
    assert page.evaluate("viewer.shown.length") == 3
    page.locator("label", has_text="Crisp").locator("visible=true").click()
    page.wait_for_function("player.clips.length === 4")
    page.get_by_role("button", name="Close-up").click()
    assert page.evaluate("viewer.head.camera.zoom") == 3
    page.get_by_role("button", name="One style at a time").click()
    page.evaluate("player.seek(1)")  # if it has ended
    page.wait_for_function("viewer.shown.length === 1")
    page.locator("#viewer-stage").focus()
    for title in ("Expansive", "Reserved"):
        page.keyboard.press("b")
        expect(page.locator("#viewer-next")).to_have_text(title)
    page.locator("#viewer-next").click()
    expect(page.locator("#viewer-next")).to_have_text("Crisp")
    page.get_by_role("button", name="One style at a time").click()
    page.wait_for_function("viewer.shown.length === 4")
    page.get_by_role("tab", name="Animate").click()
    page.wait_for_function("viewer.shown.length === 1")
    assert page.locator("#viewer-titles span").count() == 0


def test_choices_survive_a_reload_and_back(open_page: Callable[..., Page], url: str) -> None:  # noqa: F811
    page = open_page()
    page.locator("input[value=mara]").focus()  # one tab stop for all heads
    page.keyboard.press("ArrowRight")
    expect(chosen(page, "Kofi")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="More options")).to_be_focused()
    for choice in ("Crisp", "Happy"):
        page.locator("label", has_text=choice).locator("visible=true").click()
    page.wait_for_function("(localStorage['jambatalk-choices'] ?? '').length > 100")
    address = re.compile("head=kofi&animate-speaking-style=crisp&animate-mood=happy$")
    expect(page).to_have_url(address)
    for reopen in (page.reload, partial(page.goto, url)):  # by the address; by what is stored
        reopen()
        page.evaluate(MODULES)
        page.wait_for_function("viewer.head?.name === 'kofi'")
        for choice in ("Kofi", "Crisp", "Happy"):
            expect(chosen(page, choice)).to_be_checked()
        expect(page).to_have_url(address)
    page.get_by_role("tab", name="Live").click()
    page.locator("label", has_text="Relaxed").locator("visible=true").click()
    expect(page).to_have_url(re.compile("live-speaking-style=relaxed"))
    page.go_back()
    expect(chosen(page, "Neutral").first).to_be_checked()  # of Live
    page.go_back()
    expect(chosen(page, "Crisp")).to_be_checked()  # of Animate
    page.evaluate("localStorage['jambatalk-choices'] = 'damaged'")
    page.goto(f"{url}?head=nobody&animate-strength=much")
    page.evaluate(MODULES)
    page.wait_for_function("viewer.head?.name === 'mara'")


def chosen(page: Page, choice: str) -> Locator:
    return page.locator("label", has_text=choice).locator("visible=true").locator("input")


DROP = """async ([seconds, name]) => {
    const bytes = new Uint8Array(await (await fetch("/live/intro.wav")).arrayBuffer());
    const parts = [bytes], size = new DataView(bytes.buffer);
    const sound = bytes.subarray(44);  // after the header, which says how much there is
    const again = Math.ceil(seconds * size.getUint32(28, true) / sound.length) - 1;
    for (let k = 0; k < again; k++) parts.push(sound);
    size.setUint32(4, 36 + parts.length * sound.length, true);
    size.setUint32(40, parts.length * sound.length, true);
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(parts, name, { type: "audio/wav" }));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true }));
}"""


VIEW = {
    "head": "kofi",
    "background": "#35506b",
    "light": "evening",
    "camera-angle": 24,
    "camera-height": 12,
    "zoom": 1.5,
    "video-size": 256,
    "animate-mood": "happy",
}
SECOND = 2  # that is compared
# Keeps what long recordings begin with.
BEGIN = """() => {
    const play = player.play.bind(player);
    globalThis.begun = [];
    player.play = (clips, ...others) => {
        if (clips[0].duration > 20) begun.push(clips[0]);
        return play(clips, ...others);
    };
}"""


def test_files_are_dropped_anywhere_and_saved_together(open_page: Callable[..., Page]) -> None:
    page = open_page(choices="?" + urlencode(VIEW))
    for _ in range(2):  # in place of nothing, and of a voice
        page.evaluate(DROP, [0, "dropped.wav"])
        page.wait_for_function("player.sound.src.endsWith('dropped.wav') && player.clips")
        page.evaluate("player.leave()")
    with page.expect_download() as saved:
        button(page, "All of them (.zip)")
    with zipfile.ZipFile(saved.value.path()) as files:
        suffixes = {PurePath(name).suffix for name in files.namelist()}
        assert suffixes == {".glb", ".csv", ".npz", ".wav", ".TextGrid"}
        (phones,) = (name for name in files.namelist() if name.endswith(".TextGrid"))
        recognised = TalkingHead.from_pretrained().phones(VOICES / "pico_en.wav")
        assert files.read(phones).decode().strip() == text_grid(recognised).strip()
    page.evaluate(DROP, [0, "dropped.wav"])
    page.wait_for_function("player.clip && viewer.head.name === 'kofi' && viewer.head.whole")
    with page.expect_download() as saved:
        button(page, "Download video")
    one, other = viewed(page, SECOND), filmed(saved.value.path(), SECOND)
    assert similarity(one, other) > 0.95


def says_a_long_recording_to_its_end(page: Page) -> None:
    """Drop a recording whose beginning is predicted first, and hear the end of it."""
    page.evaluate(BEGIN)
    page.evaluate(DROP, [22, "long.wav"])
    page.wait_for_function("player.sound.src.endsWith('long.wav') && player.clip?.whole")
    counts, length = page.evaluate("[begun.map((clip) => clip.count), player.clip.length]")
    assert length > 22 * 30
    (known,) = counts  # it began once
    assert 19 * 30 < known < 20 * 30
    jaw = f"(clip) => [18, 18.2, 18.4, 18.6, 18.8].map((second) => clip.at(second)[0][{JAW}])"
    before, after = page.evaluate(f"[begun[0], player.clip].map({jaw})")
    assert after == pytest.approx(before, abs=1e-3)  # goes on with what it began with
    page.evaluate(RECORD % JAW)
    page.evaluate("player.seek(19.5); player.playing || player.toggle()")
    page.wait_for_function("player.ended && !viewer.active")
    _, second, jaw, _ = np.array(page.evaluate("shown"), float).T
    assert second.max() > length / 30 - 1
    assert np.ptp(jaw[second > 20]) > 0.05


def viewed(page: Page, second: float) -> np.ndarray:
    """The viewer's picture at a second, as the video cuts it."""
    page.evaluate(f"player.pause(); player.seek({second}); viewer.head.resetResolution()")
    page.wait_for_function(f"player.second === {second} && performance.now() > viewer.blendEnd")
    page.locator("#viewer-canvas").scroll_into_view_if_needed()
    with Image.open(BytesIO(page.locator("#viewer-canvas").screenshot())) as picture:
        spare = (picture.width - picture.height) / 2
        square = picture.crop((spare, 0, picture.width - spare, picture.height))
        return np.asarray(square.convert("RGB").resize([VIEW["video-size"]] * 2), float)


def filmed(video: Path, second: float) -> np.ndarray:
    """A video's picture at a second."""
    command = [get_ffmpeg_exe(), "-v", "error", "-ss", str(second), "-i", video]
    command += ["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    found = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return np.frombuffer(found, np.uint8).reshape(VIEW["video-size"], -1, 3).astype(float)


def test_half_speed_stays_in_step(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.wait_for_function("player.sound.currentTime > 0.1")
    page.get_by_role("button", name="Half speed").click()
    assert page.evaluate("player.sound.playbackRate") == 0.5
    button(page, "Deutsch")
    page.wait_for_function("player.sound.src.includes('_de') && player.sound.currentTime > 0.1")
    assert page.evaluate("player.sound.playbackRate") == 0.5  # of the next recording too
    page.evaluate("player.seek(0); player.playing || player.toggle()")
    page.evaluate(RECORD % JAW)
    page.wait_for_function("shown.length > 10 && player.sound.currentTime > 2.5")
    lag, *_, period = np.array(page.evaluate("shown"), float).T
    assert abs(np.median(lag)) < max(0.04, np.median(period))


def test_keys_and_mouse(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.wait_for_function("player.sound.currentTime > 0.2")
    page.locator("#viewer-stage").focus()
    page.keyboard.press("Space")
    assert page.evaluate("player.sound.paused")
    page.evaluate("player.seek(3)")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("player.sound.currentTime") == pytest.approx(2, abs=0.1)
    page.keyboard.press("ArrowRight")
    assert page.evaluate("player.sound.currentTime") == pytest.approx(3, abs=0.1)
    page.get_by_role("button", name="Repeat").click()
    assert page.evaluate("player.sound.loop")
    page.get_by_text("More options").click()  # Gradio sets what it mounts once more, a moment later
    angle = page.get_by_role("spinbutton", name="Camera angle")
    expect(angle).to_have_value("0")
    page.mouse.move(900, 300)
    page.mouse.down()
    page.mouse.move(800, 300)
    page.mouse.up()
    assert page.evaluate("viewer.orbit.angles") == [46, 0, 1]
    expect(angle).to_have_value("46")
    angle.fill("20")
    angle.press("Enter")
    page.wait_for_function("viewer.orbit.yaw === 20")
    page.locator("#viewer-canvas").dblclick()
    assert page.evaluate("viewer.head.camera") == {"yaw": 0, "pitch": 0, "zoom": 1}
    expect(angle).to_have_value("0")


def test_head_and_big_button_fit_a_phone(open_page: Callable[..., Page]) -> None:
    page = open_page(width=390)
    stays_in_place(page)
    for part in (
        page.locator("#viewer-canvas"),
        page.get_by_role("button", name="Record", exact=True),
    ):
        box = part.bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] < 700
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_role("button", name="Deutsch", exact=True).focus()  # its head moves, and no other
    loaded = "[...document.querySelectorAll('.moving')].map((picture) => picture.naturalWidth)"
    page.wait_for_function(f"{loaded}.join() === '0,0,112,0,0,0'")
    button(page, "Deutsch")  # below: the head comes into sight when it speaks
    page.wait_for_function("player.sound.src.includes('_de') && player.playing")
    page.wait_for_function(
        "(({ top, bottom }) => top > -1 && bottom < innerHeight + 1)"
        "(viewer.canvas.getBoundingClientRect())"
    )


def test_choices_change_during_playback(open_page: Callable[..., Page]) -> None:
    page = open_page()
    says_a_long_recording_to_its_end(page)
    button(page, "John F. Kennedy")
    page.wait_for_function("player.clip?.duration > 10 && player.sound.currentTime > 0.1")
    page.evaluate("player.sound.loop = true")  # however long the server takes
    wide = f"player.clip.at(3)[0][{load_head(1).blendshapes.index('eyeWideLeft')}]"
    assert page.evaluate(wide) < 0.1
    page.locator("label", has_text="Surprised").locator("visible=true").click()
    page.wait_for_function(f"{wide} > 0.5")
    widest = f"Math.max(...[...Array(40).keys()].map((n) => player.clip.at(n / 4)[0][{JAW}]))"
    before = page.evaluate(widest)
    page.get_by_label("range slider for Strength").locator("visible=true").evaluate(
        "slider => { slider.value = 0; slider.dispatchEvent(new Event('input')); }"
    )
    page.wait_for_function(f"{widest} < {before} / 2")  # of neutral, a still face
    assert page.evaluate("viewer.source === player && !player.sound.paused")


def test_typed_text_is_said(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.evaluate(
        """globalThis.heard = [];
        player.addEventListener("load", ({ detail }) => heard.push(detail));"""
    )
    page.locator("#say-text textarea").fill("Yes. " + "and so on " * 190)
    page.locator("#say-it").click()
    page.locator("#say-stop").click()
    expect(page.locator("#say-stop")).to_be_hidden()
    page.locator("#say-voice input").click()
    page.get_by_role("option", name="Deutsch · eSpeak NG").click()
    page.locator("#say-text textarea").fill("[surprised] Guten Morgen, Mama.")
    page.locator("#say-it").click()
    page.wait_for_function("player.sound.src.includes('espeak-de') && player.clip?.duration > 1")
    page.wait_for_function("player.sound.currentTime > 0.2")
    assert not page.evaluate("player.sound.muted")
    assert page.evaluate("player.clip.duration") < 5  # the tag is not said, but shown
    spoken = page.evaluate("heard.filter((address) => !address.includes('intro'))")
    assert len(spoken) == 1  # not what was stopped
    wide = load_head(1).blendshapes.index("eyeWideLeft")
    assert page.evaluate(f"player.clip.at(player.clip.duration / 2)[0][{wide}]") > 0.4
