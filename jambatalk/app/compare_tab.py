"""The tab *Compare styles*: one voice in two to four heads, side by side; a video on request."""

from __future__ import annotations

from typing import Any

import gradio as gr

from jambatalk.app.api import describe_arguments
from jambatalk.app.controls import (
    Controls,
    mood_dial,
    strength_slider,
    style_choices,
    style_note,
    style_title,
)
from jambatalk.app.inputs import Inputs
from jambatalk.app.languages import language_of
from jambatalk.app.video_request import VideoRequest, motion_request
from jambatalk.app.video_service import VideoService
from jambatalk.app.viewer import can_draw, connect_player

MIN_STYLES, INITIAL_STYLES, MAX_STYLES = 2, 3, 4  # side by side


def build_tab(service: VideoService, inputs: Inputs) -> gr.Tab:
    """Build the tab in the enclosing Gradio context."""
    talking_head = service.talking_head
    viewed = can_draw(talking_head)  # else the tab shows a video
    with gr.Tab("Compare styles", id="compare", elem_id="compare") as tab:
        if viewed:
            start = gr.Button("Compare", variant="primary", elem_classes="start")
        styles = gr.CheckboxGroup(
            style_choices(talking_head),
            value=list(talking_head.styles[:INITIAL_STYLES]),
            label="Speaking styles",
            info=f"{MIN_STYLES} to {MAX_STYLES}, side by side",
        )
        with gr.Accordion("About the styles", open=False):
            gr.Markdown(
                "\n".join(
                    f"- **{style_title(style)}** {style_note(talking_head, style)}"
                    for style in talking_head.style_notes
                ),
                elem_classes="note",
            )
        strength = strength_slider()
        mood = mood_dial()
        with gr.Accordion("Captured motion", open=False):
            gr.Markdown(
                "A saved motion (.npz) of the same recording is shown beside "
                f"{MIN_STYLES - 1} to {MAX_STYLES - 1} styles.",
                elem_classes="note",
            )
            # Any name: what it holds is checked, and told in our words.
            truth = gr.File(label="Captured motion", show_label=False, height=120, elem_id="truth")
        if viewed:
            controls, download = Controls.build("Download video", main=False), None
        else:
            controls = Controls.build("Compare")
            download = gr.DownloadButton(
                "Video (.mp4)", interactive=False, size="sm", elem_classes="download"
            )

    def check_styles(styles: list[str] | None, *others: Any) -> dict:
        count, captured = len(styles or ()), bool(others[-1])
        fewest, most = MIN_STYLES - captured, MAX_STYLES - captured
        beside = " beside the captured motion" if captured else ""
        return gr.validate(fewest <= count <= most, f"Choose {fewest} to {most} styles{beside}.")

    @describe_arguments
    async def compare(
        speech: str,
        styles: list[str],
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
        truth: str | None = None,
        request: gr.Request = None,  # type: ignore[assignment]  # Gradio gives it
        progress: gr.Progress = gr.Progress(),  # noqa: B008  Gradio requires this default
    ) -> str:
        """Compare the same speech in 2 to 4 styles, side by side in one video (.mp4)."""
        view = size, background, yaw, pitch, zoom, shading, light
        moving = nonverbal, seed, mood, intensity
        wanted = VideoRequest(
            speech,
            styles,
            strength,
            head,
            *view,
            *moving,
            truth=truth,
            session=request.session_hash,
            language=language_of(request.headers),
        )
        video, _ = await service.render(wanted, progress)
        return str(video)

    controls.connect(
        compare,
        inputs.voice,
        [styles, strength, inputs.head, *inputs.view, *inputs.nonverbal, *mood, truth],
        [controls.video],
        download,
        check_styles,
    )
    if viewed:
        motion_inputs = [styles, strength, inputs.head, *inputs.nonverbal, *mood, truth]
        with tab:
            connect_player(
                service, "compare", start, inputs.voice, motion_inputs, motion_request, check_styles
            )
    return tab
