"""The tab *Animate*: one voice, one style, one head."""

from __future__ import annotations

import gradio as gr

from jambatalk.app.controls import (
    Controls,
    strength_slider,
    style_choices,
    style_note,
)
from jambatalk.app.inputs import Inputs
from jambatalk.app.video_service import VideoRequest, VideoService

EXPORTS = {".glb": "Blender, Unity, web", ".csv": "Unreal / Live Link", ".npz": "Python"}


def build_tab(service: VideoService, inputs: Inputs) -> None:
    """Build the tab in the enclosing Gradio context."""
    talking_head = service.talking_head
    neutral = talking_head.styles[0]
    with gr.Tab("Animate"):
        style = gr.Radio(style_choices(talking_head), value=neutral, label="Speaking style")
        note = gr.Markdown(style_note(talking_head, neutral), elem_classes="note")
        strength = strength_slider()
        controls = Controls.build("Animate")
        with gr.Row():
            video_download, sound_download = _downloads({".mp4": "Video", ".wav": "Sound"})
        with gr.Row():
            export_downloads = _downloads(EXPORTS)
    downloads = [*export_downloads, sound_download]

    style.change(
        lambda style: style_note(talking_head, style),
        style,
        note,
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )

    async def animate(
        speech: str,
        style: str,
        strength: float,
        head: str,
        size: int,
        background: str,
        yaw: float,
        shading: str,
        nonverbal: list[str],
        seed: int,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  Gradio requires this default
    ) -> tuple[str | None, ...]:
        """Animate speech: a video (.mp4), its motion (.glb, .csv, .npz) and sound (.wav)."""
        view = size, background, yaw, shading
        wanted = VideoRequest(speech, [style], strength, head, *view, nonverbal, seed, [*EXPORTS])
        video, files = await service.render(wanted, progress, request.session_hash)
        return str(video), *(str(file) if file else None for file in files)

    controls.connect(
        animate,
        inputs.voice,
        [style, strength, inputs.head, *inputs.view, *inputs.nonverbal],
        [controls.video, *downloads],
        [video_download, *downloads],
    )


def _downloads(labels: dict[str, str]) -> list[gr.DownloadButton]:
    return [
        gr.DownloadButton(
            f"{label} ({suffix})",
            interactive=False,
            size="sm",
            min_width=140,
            elem_classes="download",
        )
        for suffix, label in labels.items()
    ]
