"""The box of text: what is typed becomes the voice, as a recording does."""

from __future__ import annotations

import asyncio
import shutil
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import gradio as gr

from jambatalk.app.api import describe_arguments
from jambatalk.app.controls import HIDDEN
from jambatalk.app.spoken_moods import speak
from jambatalk.app.video_service import messages, new_folder
from jambatalk.app.work import in_thread, stoppable
from jambatalk.talking_head import TalkingHead
from jambatalk.voices import INSTALL, MAX_CHARACTERS, Voice, list_voices, load_voice

EXAMPLE = "[happy] You came! [sad] And it rains."
LABEL = "Or type what it should say"
LANGUAGES = {  # tag → name in itself
    "en-US": "English (US)",
    "en-GB": "English (UK)",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "it": "Italiano",
    "pt-BR": "Português (Brasil)",
    "hi": "हिन्दी",
    "zh": "中文",
    "nl": "Nederlands",
    "sv": "Svenska",
    "da": "Dansk",
    "nb": "Norsk",
    "fi": "Suomi",
    "pl": "Polski",
    "cs": "Čeština",
    "hu": "Magyar",
    "el": "Ελληνικά",
    "ru": "Русский",
    "uk": "Українська",
    "tr": "Türkçe",
    "ar": "العربية",
}
SIGNS = {"woman": "♀", "man": "♂"}  # words in voices' titles
STOPPABLE = "(text) => ({__type__: 'update', visible: Boolean(text?.trim())})"
SPEAKERS = 1  # texts that are spoken at a time


def build_say_box(voice: gr.Audio, talking_head: TalkingHead) -> None:
    """Build it in the enclosing Gradio context; it speaks into `voice`."""
    voices = list_voices()
    text = gr.Textbox(
        label=LABEL,
        placeholder=EXAMPLE if voices else f"No voice is installed here. {INSTALL}",
        max_lines=5,
        max_length=MAX_CHARACTERS,
        interactive=bool(voices),
        elem_id="say-text",
    )
    if not voices:
        return
    with gr.Row(elem_id="say-row"):
        speaker = gr.Dropdown(
            [(_title(known), known.name) for known in voices],
            value=voices[0].name,
            label="Spoken by",
            show_label=False,
            container=False,
            scale=3,
            elem_id="say-voice",
        )
        button = gr.Button("Say it", scale=1, min_width=90, elem_id="say-it")
        stop = gr.Button("Stop", scale=1, min_width=70, visible=False, elem_id="say-stop")

    threads = ThreadPoolExecutor(SPEAKERS, "voices")

    @describe_arguments
    async def say(text: str, voice: str, progress: gr.Progress = gr.Progress()) -> str:  # noqa: B008  Gradio requires this default
        """Say a text with a synthetic voice: a sound file (.wav) for `animate` and `compare`.

        Moods in the text, such as "[happy]", take the place of theirs.
        """
        return str(await say_text(text, voice, talking_head, threads, progress))

    speaking: list[dict[str, Any]] = []
    for trigger, visibility in ((button.click, "public"), (text.submit, "private")):
        trigger(fn=None, inputs=text, outputs=stop, js=STOPPABLE)
        saying = trigger(
            say,
            [text, speaker],
            voice,
            validator=_check,
            show_progress_on=voice,
            api_name="say" if visibility == "public" else None,
            api_visibility=visibility,
            concurrency_limit=SPEAKERS,
            concurrency_id="say",
        )
        saying.then(fn=None, outputs=stop, js=HIDDEN)
        speaking.append(saying)
    stop.click(fn=None, outputs=stop, js=HIDDEN, cancels=speaking)


def _title(voice: Voice) -> str:
    """Return a voice's title: its language in that language, so that its speakers find it."""
    _, _, who = voice.title.partition(" · ")
    for word, sign in SIGNS.items():
        who = who.replace(f", {word}", f" {sign}")
    return f"{LANGUAGES.get(voice.language, voice.language)} · {who}"


def _check(text: str | None, voice: str | None) -> list[dict]:
    return [
        gr.validate(bool(text and text.strip()), "Type what it should say first."),
        gr.validate(bool(voice), "Choose who says it."),
    ]


async def say_text(
    text: str, name: str, talking_head: TalkingHead, threads: Executor, progress: gr.Progress
) -> Path:
    """Say a text into a file in a folder of its own, which Gradio serves and deletes.

    Raises:
        gr.Error: whatever went wrong, as a message for the user.
        asyncio.CancelledError: the user pressed Stop; the voice stops too, and leaves no file.
    """
    stopped = Event()
    report = stoppable(progress, stopped)

    def say() -> Path:
        with messages():
            voice, folder = load_voice(name), new_folder()
            try:
                return speak(text, voice, folder / f"{name}.wav", talking_head, report)
            except BaseException:
                shutil.rmtree(folder)
                raise

    try:
        return await in_thread(threads, say)
    except asyncio.CancelledError:
        stopped.set()
        raise
