"""What the page computed before is not computed again, and nobody else gets it."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import wavfile

from jambatalk import Speech, TalkingHead
from jambatalk.app.recent import Recent
from jambatalk.app.settings import Settings
from jambatalk.app.video_request import VideoRequest
from jambatalk.app.video_service import VideoService
from jambatalk.files.bundled import VOICES
from jambatalk.speech import SAMPLE_RATE


def test_results_are_bounded_and_a_sessions_own(tmp_path: Path) -> None:
    recent = Recent(100, 3)
    files = [str(tmp_path / name) for name in ("one.wav", "two.wav")]
    for file in files:
        Path(file).touch()
    recent.keep("ann", files[0], "a", 1, 40)
    recent.keep("ann", files[1], "b", 2, 40)
    recent.keep(None, files[0], "c", 3, 40)  # nobody's
    recent.keep("ann", files[0], "d", 4, 101)  # too large
    assert recent.size == 80
    assert recent.find("bob", files[0], "a") is None
    assert recent.find("ann", files[0], "a") == 1
    recent.keep("bob", files[0], "a", 5, 30)  # in the place of what was not used for longest
    assert [recent.find("ann", file, key) for file, key in zip(files, "ab", strict=True)] == [
        1,
        None,
    ]
    for key in "xyz":
        recent.keep("ann", files[1], key, key, 0)
    assert recent.size == 0  # three, and none of those before
    recent.keep("bob", files[0], "a", 5, 30)
    Path(files[1]).unlink()
    recent.sweep()
    assert recent.find("ann", files[1], "z") is None
    recent.forget("ann")
    assert recent.find("bob", files[0], "a") == 5
    recent.forget("bob")
    assert recent.find("bob", files[0], "a") is None


@pytest.fixture(scope="module")
def talking_head() -> TalkingHead:
    return TalkingHead.from_pretrained(device="cpu")


@pytest.fixture
def request_(tmp_path: Path) -> VideoRequest:
    path = tmp_path / "voice.wav"
    wavfile.write(path, SAMPLE_RATE, Speech.read(VOICES / "jfk.flac").samples[: 2 * SAMPLE_RATE])
    return VideoRequest(str(path), ["neutral", "crisp"], 1, "mara", session="ann")


def done(work: Coroutine[Any, Any, Any]) -> Any:
    """Return the result of work, in a thread, which has no event loop yet."""
    with ThreadPoolExecutor() as thread:
        return thread.submit(asyncio.run, work).result()


def counting(of: object, name: str, monkeypatch: pytest.MonkeyPatch) -> list:
    """Return a list that grows with every call of a method."""
    calls: list = []
    method: Callable = getattr(of, name)
    monkeypatch.setattr(of, name, lambda *a, **o: calls.append(a) or method(*a, **o))
    return calls


def test_another_choice_needs_no_encoding(
    talking_head: TalkingHead, request_: VideoRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = VideoService(talking_head, Settings())
    encoded = counting(talking_head.model.encoder, "hidden_states", monkeypatch)
    first = done(service.predict(request_))
    once = len(encoded)
    strong = replace(request_, styles=["crisp", "smiling"], strength=1.5, mood="sad", seed=2)
    others = done(service.predict(strong))
    assert done(service.recognise(request_))
    again = done(service.predict(replace(request_, styles=["crisp"], exports=[".glb"])))
    assert again[0] is first[1]
    assert len(encoded) == once
    service.forget("ann")
    expected = talking_head.compare(
        request_.recording, ["crisp", "smiling"], 1.5, "mara", seed=2, mood="sad"
    )
    for motion, true in zip(others, expected, strict=True):
        np.testing.assert_array_equal(motion.weights, true.weights)
        np.testing.assert_array_equal(motion.pose, true.pose)
    assert len(encoded) == 2 * once
    for session in ("bob", "ann"):  # who has not asked; whose session has ended
        done(service.predict(replace(request_, session=session)))
    assert len(encoded) == 4 * once


def test_the_same_video_is_rendered_once(
    talking_head: TalkingHead,
    request_: VideoRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "served"))
    monkeypatch.setattr(talking_head, "video", lambda *a: Path(a[2]).touch())
    service = VideoService(talking_head, Settings())
    rendered = counting(talking_head, "video", monkeypatch)

    def render(**choices: object) -> Path:
        video, _ = done(service.render(replace(request_, **choices), lambda *_, **__: None))
        assert video.exists()
        return video

    video = render()
    assert render() == video
    assert len(rendered) == 1
    for choices in ({"yaw": 20.0}, {"session": "bob"}, {"styles": ["crisp", "neutral"]}):
        assert render(**choices) != video
    video.unlink()  # it was kept for long enough
    assert render() != video
    assert len(rendered) == 5
