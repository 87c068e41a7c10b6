"""The page's box of text, without a browser."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from jambatalk import TalkingHead
from jambatalk.app import say_box
from jambatalk.app.spoken_moods import kept_moods, speak
from jambatalk.progress import Progress, no_progress
from jambatalk.voices import load_voice


def test_stop_ends_the_voice_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    speaking, ended = Event(), Event()

    class Endless:
        def write(self, text: str, path: Path, progress: Progress) -> Path:
            path.write_bytes(b"RIFF")
            try:
                while True:
                    progress("Speaking the text", 0.5)
                    speaking.set()
            finally:
                ended.set()

    def folder() -> Path:
        path = tmp_path / "say"
        path.mkdir()
        return path

    monkeypatch.setattr(say_box, "load_voice", lambda name: Endless())
    monkeypatch.setattr(say_box, "new_folder", folder)

    async def press_stop(threads: ThreadPoolExecutor) -> None:
        said = say_box.say_text("Hello", "any", None, threads, lambda *_, **__: None)
        saying = asyncio.create_task(said)
        await asyncio.to_thread(speaking.wait)
        saying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await saying
        assert await asyncio.to_thread(ended.wait, 60)

    with ThreadPoolExecutor() as threads:
        asyncio.run(press_stop(threads))
    assert not list(tmp_path.iterdir())


def test_moods_of_a_text_are_kept_beside_its_sound(tmp_path: Path) -> None:
    talking_head, voice = TalkingHead.from_pretrained(), load_voice("espeak-en-us")
    text = "Well. [happy] You came! [sad 0.5] It rains."
    sound = speak(text, voice, tmp_path / "tagged.wav", talking_head, no_progress)
    first, second = kept_moods(sound)
    assert 0 < first[0] < second[0]
    assert [first[1], second[1]] == [{"happy": 1.0}, {"sad": 0.5}]
    plain = speak("Well.", voice, tmp_path / "plain.wav", talking_head, no_progress)
    assert kept_moods(plain) is None
