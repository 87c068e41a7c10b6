"""The tab *Animate*: one voice, one style, one head, in the viewer; files on request."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import gradio as gr

from jambatalk.app.api import describe_arguments
from jambatalk.app.controls import (
    Controls,
    checker,
    enable_with_voice,
    mood_dial,
    strength_slider,
    style_choices,
    style_note,
)
from jambatalk.app.inputs import Inputs
from jambatalk.app.javascript import call
from jambatalk.app.orders import MOTIONS, Sentence
from jambatalk.app.video_request import VideoRequest, motion_request
from jambatalk.app.video_service import PHONES, SMALL, VideoService, zip_files
from jambatalk.app.viewer import can_draw, connect_player

EXPORTS = {".glb": "Blender, Unity, web", ".csv": "Unreal / Live Link", ".npz": "Python"}
FILES = EXPORTS | {".wav": "Sound", PHONES: "Phones", ".zip": "All of them"}


def build_tab(service: VideoService, inputs: Inputs) -> gr.Tab:
    """Build the tab in the enclosing Gradio context."""
    talking_head = service.talking_head
    viewed = can_draw(talking_head)  # else the tab shows a video
    neutral = talking_head.styles[0]
    with gr.Tab("Animate", id="animate") as tab:
        if viewed:
            start = gr.Button("Animate", variant="primary", elem_id="animate")
        else:
            controls = Controls.build("Animate")
        style = gr.Radio(style_choices(talking_head), value=neutral, label="Speaking style")
        note = gr.Markdown(style_note(talking_head, neutral), elem_classes="note")
        strength = strength_slider()
        mood = mood_dial()
        if viewed:
            controls = Controls.build("Download video", main=False)
        with gr.Row():
            video = None if viewed else _download("Video (.mp4)", interactive=False)
            buttons = [
                gr.Button(f"{label} ({suffix})", size="sm", min_width=140, elem_classes="download")
                for suffix, label in FILES.items()
            ]
        files = {
            suffix: _download(f"{label} ({suffix})", visible="hidden")
            for suffix, label in FILES.items()
        }

    style.change(
        lambda style: style_note(talking_head, style),
        style,
        note,
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )

    @describe_arguments
    async def animate(
        speech: str,
        style: str,
        strength: float,
        head: str,
        size: int,
        background: str,
        yaw: float,
        pitch: float,
        zoom: float,
        shading: str,
        light: str,
        nonverbal: list[str],
        seed: int,
        mood: str,
        intensity: float,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  Gradio requires this default
    ) -> tuple[str | None, ...]:
        """Animate speech: a video (.mp4), its motion (.glb, .csv, .npz) and sound (.wav)."""
        view = size, background, yaw, pitch, zoom, shading, light
        moving = nonverbal, seed, mood, intensity
        session = request.session_hash
        wanted = VideoRequest(speech, [style], strength, head, *view, *moving, [*EXPORTS], session)
        video, files = await service.render(wanted, progress)
        return str(video), *(str(file) if file else None for file in files)

    controls.connect(
        animate,
        inputs.voice,
        [style, strength, inputs.head, *inputs.view, *inputs.nonverbal, *mood],
        [controls.video, *(files[suffix] for suffix in (*EXPORTS, ".wav"))],
        video,
    )
    motion_inputs = [style, strength, inputs.head, *inputs.nonverbal, *mood]
    saved = dict(zip(buttons, files.values(), strict=True))
    _connect_files(service, inputs.voice, motion_inputs, saved)
    if viewed:
        with tab:
            connect_player(service, "animate", start, inputs.voice, motion_inputs, motion_request)
    return tab


def _download(label: str, **settings: Any) -> gr.DownloadButton:
    return gr.DownloadButton(label, size="sm", min_width=140, elem_classes="download", **settings)


def _connect_files(
    service: VideoService,
    voice: gr.Audio,
    inputs: list[Any],
    files: dict[gr.Button, gr.DownloadButton],
) -> None:
    """Let each button write one file and save it."""

    def exporter(suffix: str) -> Callable[..., Coroutine[Any, Any, str]]:
        exports = {".wav": [".csv"], ".zip": [*EXPORTS, PHONES]}.get(suffix, [suffix])

        async def export(visit: gr.Request, *values: Any) -> str:
            session = visit.session_hash
            wanted = replace(motion_request(*values), exports=exports, session=session)
            paths = await service.export(wanted)
            if suffix == ".zip":
                return str(zip_files([path for path in paths if path]))
            path = paths[-1] if suffix == ".wav" else paths[0]  # sound is written beside a motion
            if path is None:
                raise Sentence(f"This motion cannot be written as {suffix}.")
            return str(path)

        return export

    for suffix, (button, file) in zip(FILES, files.items(), strict=True):
        enable_with_voice(voice, button)
        button.click(
            exporter(suffix),
            [voice, *inputs],
            file,
            validator=checker(inputs),
            show_progress_on=button,
            api_visibility="private",
            concurrency_limit=SMALL,
            concurrency_id=MOTIONS,
        ).success(fn=None, inputs=file, js=call("animate", "save"))
