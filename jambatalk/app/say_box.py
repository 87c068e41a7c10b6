"""The box of text: what is typed becomes the voice, as a recording does."""

from __future__ import annotations

import asyncio
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from pathlib import Path

import gradio as gr

from jambatalk.app.api import describe_arguments
from jambatalk.app.video_service import messages, new_folder
from jambatalk.progress import Progress
from jambatalk.voices import INSTALL, MAX_CHARACTERS, Voice, list_voices, load_voice

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
SPEAKERS = 1  # texts that are spoken at a time


def build_say_box(voice: gr.Audio) -> None:
    """Build it in the enclosing Gradio context; it speaks into `voice`."""
    voices = list_voices()
    text = gr.Textbox(
        label=LABEL,
        placeholder=None if voices else f"No voice is installed here. {INSTALL}",
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

    speaking = ThreadPoolExecutor(SPEAKERS, "voices")

    @describe_arguments
    async def say(text: str, voice: str, progress: gr.Progress = gr.Progress()) -> str:  # noqa: B008  Gradio requires this default
        """Say a text with a synthetic voice: a sound file (.wav) for `animate` and `compare`."""

        def report(stage: str, done: float) -> None:
            progress(done, desc=stage)

        work = partial(copy_context().run, _say, text, voice, report)
        return str(await asyncio.get_running_loop().run_in_executor(speaking, work))

    for trigger, visibility in ((button.click, "public"), (text.submit, "private")):
        trigger(
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


def _say(text: str, name: str, progress: Progress) -> Path:
    with messages():
        voice = load_voice(name)
        folder = new_folder()
        try:
            return voice.write(text, folder / f"{name}.wav", progress)
        except BaseException:
            shutil.rmtree(folder)
            raise
