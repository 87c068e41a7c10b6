"""The inputs that all tabs share: voice, head, camera and nonverbal motion."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from io import BytesIO

import gradio as gr
from gradio.components import Component
from PIL import Image

from jambatalk.app.components import describe_integers, take_own_files
from jambatalk.app.examples import build_examples
from jambatalk.app.live.version import version
from jambatalk.app.say_box import build_say_box
from jambatalk.face.library import HeadLibrary
from jambatalk.motion.nonverbal import PARTS
from jambatalk.render.light import LIGHTS
from jambatalk.render.view import MAX_PITCH, MAX_YAW, MAX_ZOOM, SHADINGS, View
from jambatalk.talking_head import TalkingHead

NONVERBAL = {  # label → part
    "Blinks": "blinks",
    "Brows": "brows",
    "Cheeks": "cheeks",
    "Eyes": "gaze",
    "Head": "head_motion",
}
SIZES = (256, 384, 512, 768, 1024)  # pixels
THUMBNAIL = 144  # pixels, of a head's picture on the page


@dataclass(frozen=True)
class Inputs:
    """The shared components."""

    voice: gr.Audio
    head: gr.Radio
    size: gr.Dropdown
    background: gr.ColorPicker
    camera: tuple[gr.Slider, gr.Slider, gr.Slider]  # yaw, pitch, zoom
    shading: gr.Radio
    light: gr.Radio
    nonverbal: tuple[gr.CheckboxGroup, gr.Number]  # parts, seed

    @property
    def view(self) -> list[Component]:
        """The fields of :class:`jambatalk.View`, in its order."""
        return [self.size, self.background, *self.camera, self.shading, self.light]


def build_inputs(talking_head: TalkingHead) -> Inputs:
    """Build them in the enclosing Gradio context."""
    default, heads = View(), talking_head.heads
    voice = take_own_files(
        gr.Audio(
            label="Voice",
            sources=["microphone", "upload"],
            type="filepath",
            buttons=[],
            elem_id="voice",
        )
    )
    build_say_box(voice, talking_head)
    build_examples(voice, f"./live/v-{version(talking_head)}/page")
    upload = gr.UploadButton(
        "Use the sound of a video", file_types=["video"], size="sm", elem_id="video-upload"
    )
    upload.upload(lambda file: file, upload, voice, api_visibility="private", queue=False)
    head = gr.Radio(
        [(title.replace(" · ", "\n"), name) for name, title in heads.titles.items()],
        value=heads.names[0],
        label="Head",
        elem_id="heads",
    )
    with gr.Accordion("More options", open=False):
        nonverbal = (
            gr.CheckboxGroup(
                list(NONVERBAL.items()),
                value=list(PARTS),
                label="Also animate",
                info="Motion beside the mouth",
            ),
            gr.Number(
                value=0,
                minimum=0,
                precision=0,
                label="Variation",
                info="Another number gives other blinks and glances; the mouth stays the same",
            ),
        )
        shadings = [(shading.capitalize(), shading) for shading in SHADINGS]
        size = describe_integers(
            gr.Dropdown(
                SIZES, value=default.size, label="Video size", info="Width and height in pixels"
            )
        )
        light = gr.Radio(
            [(light.title, name) for name, light in LIGHTS.items()],
            value=default.light,
            label="Light",
        )
        background = gr.ColorPicker(value=default.background, label="Background")
        camera = (
            gr.Slider(
                -MAX_YAW,
                MAX_YAW,
                default.yaw,
                step=1,
                label="Camera angle",
                info="0 front, 90 side; or drag the head",
            ),
            gr.Slider(-MAX_PITCH, MAX_PITCH, default.pitch, step=1, label="Camera height"),
            gr.Slider(1, MAX_ZOOM, default.zoom, step=0.05, label="Zoom"),
        )
        shading = gr.Radio(shadings, value=default.shading, label="Shading")
    return Inputs(voice, head, size, background, camera, shading, light, nonverbal)


def head_thumbnails_css(heads: HeadLibrary) -> str:
    """Return CSS that shows each head's thumbnail in its radio button."""
    rules = []
    for name in heads.names:
        if not heads.thumbnail(name).exists():  # converted on a machine without OpenGL
            continue
        file = BytesIO()
        with Image.open(heads.thumbnail(name)) as picture:
            picture.convert("RGB").resize((THUMBNAIL, THUMBNAIL)).save(file, "WEBP", quality=80)
        data = base64.b64encode(file.getvalue()).decode()
        rules.append(
            f'#heads label:has(input[value="{name}"])::before'
            f" {{ background-image: url(data:image/webp;base64,{data}); }}"
        )
    return "\n".join(rules)
