"""What all tabs start from: a voice, a head, how it is looked at, and what is alive in it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from io import BytesIO

import gradio as gr
from PIL import Image

from jambatalk import View
from jambatalk.face.library import HeadLibrary
from jambatalk.files.bundled import VOICES
from jambatalk.motion.nonverbal import PARTS
from jambatalk.render.view import MAX_YAW, SHADINGS

EXAMPLES = {  # label → file
    "John F. Kennedy": "jfk.flac",
    "English": "pico_en.wav",
    "Deutsch": "pico_de.wav",
    "Español": "pico_es.wav",
    "Français": "pico_fr.wav",
    "Italiano": "pico_it.wav",
}
NONVERBAL = {
    "Blinks": "blinks",
    "Brows": "brows",
    "Gaze": "gaze",
    "Head": "head_motion",
}  # label → part
SIZES = (256, 384, 512, 768, 1024)  # pixels
PORTRAIT = 144  # pixels, of a thumbnail on the page


@dataclass(frozen=True)
class Inputs:
    """The components that the tabs read."""

    voice: gr.Audio
    head: gr.Radio
    view: tuple[gr.Dropdown, gr.ColorPicker, gr.Slider, gr.Radio]  # size, background, yaw, shading
    life: tuple[gr.CheckboxGroup, gr.Number]  # nonverbal and seed


def inputs(heads: HeadLibrary) -> Inputs:
    """Builds them where it is called."""
    voice = gr.Audio(
        label="Voice",
        sources=["microphone", "upload"],
        type="filepath",
        buttons=[],
        elem_id="voice",
    )
    _examples(voice)
    _video_upload(voice)
    head = gr.Radio(
        [(title.replace(" · ", "\n"), name) for name, title in heads.titles.items()],
        value=heads.names[0],
        label="Head",
        elem_id="heads",
    )
    with gr.Accordion("More options", open=False):
        life = _life()
        view = _view()
    return Inputs(voice, head, view, life)


def _examples(voice: gr.Audio) -> None:
    """Voices to try: a click loads one and presses the open tab's button."""
    gr.Examples(
        [[str(VOICES / file)] for file in EXAMPLES.values()],
        inputs=voice,
        label="Or hear one of these",
        example_labels=list(EXAMPLES),
        cache_examples=False,
        api_visibility="private",
    ).load_input_event.success(
        fn=None,
        js="() => [...document.querySelectorAll('button.make')].find(b => b.offsetParent)?.click()",
    )


def _video_upload(voice: gr.Audio) -> None:
    upload = gr.UploadButton(
        "Take the voice of a video", file_types=["video"], size="sm", elem_id="video-upload"
    )
    upload.upload(lambda file: file, upload, voice, api_visibility="private", queue=False)


def _life() -> tuple[gr.CheckboxGroup, gr.Number]:
    return (
        gr.CheckboxGroup(
            list(NONVERBAL.items()),
            value=list(PARTS),
            label="Beyond the lips",
            info="What moves beside the mouth",
            show_select_all=True,
        ),
        gr.Number(
            value=0,
            minimum=0,
            precision=0,
            label="Seed",
            info="Another number: other blinks and glances, the same words",
        ),
    )


def _view() -> tuple[gr.Dropdown, gr.ColorPicker, gr.Slider, gr.Radio]:
    usual = View()
    return (
        gr.Dropdown(SIZES, value=usual.size, label="Size", info="Pixels a side"),
        gr.ColorPicker(value=usual.background, label="Background"),
        gr.Slider(
            -MAX_YAW,
            MAX_YAW,
            value=usual.yaw,
            step=5,
            label="Camera",
            info="Degrees round the head; 0 looks it in the face",
        ),
        gr.Radio(SHADINGS, value=usual.shading, label="Shading"),
    )


def portraits(heads: HeadLibrary) -> str:
    """CSS that shows each head's thumbnail in its choice."""
    rules = []
    for name in heads.names:
        if not heads.thumbnail(name).exists():  # made where there was no OpenGL
            continue
        file = BytesIO()
        with Image.open(heads.thumbnail(name)) as picture:
            picture.convert("RGB").resize((PORTRAIT, PORTRAIT)).save(file, "WEBP", quality=80)
        data = base64.b64encode(file.getvalue()).decode()
        rules.append(
            f'#heads label:has(input[value="{name}"])::before'
            f" {{ background-image: url(data:image/webp;base64,{data}); }}"
        )
    return "\n".join(rules)
