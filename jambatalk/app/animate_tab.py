"""The tab *Animate*: one voice, one style, one head."""

from __future__ import annotations

import gradio as gr

from jambatalk.app.controls import Controls, check_voice, strength_slider
from jambatalk.app.inputs import Inputs
from jambatalk.app.studio import Order, Studio

EXPORTS = {".glb": "3D head", ".csv": "Weights", ".npz": "Motion"}


def tab(studio: Studio, inputs: Inputs) -> None:
    """Builds the tab where it is called."""
    styles, notes = studio.talking_head.styles, studio.talking_head.style_notes
    with gr.Tab("Animate"):
        style = gr.Radio(styles, value=styles[0], label="Speaking style")
        note = gr.Markdown(notes.get(styles[0], ""), elem_classes="note")
        strength = strength_slider()
        controls = Controls.build("Animate")
        with gr.Row():
            film, *exports = [
                gr.DownloadButton(f"{what} ({suffix})", interactive=False, size="md", min_width=130)
                for suffix, what in {".mp4": "Video", **EXPORTS}.items()
            ]

    style.change(
        lambda style: notes.get(style, ""),
        style,
        note,
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )

    def check(speech: str | None, *_: object) -> list[dict]:
        return [check_voice(speech)]

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
        progress: gr.Progress = gr.Progress(),  # noqa: B008  Gradio knows it by its default
    ) -> tuple[str | None, ...]:
        """Speech to a video of a talking head (.mp4) and its motion (.glb, .csv, .npz)."""
        look = (size, background, yaw, shading)
        order = Order(speech, [style], strength, head, *look, nonverbal, seed, (*EXPORTS,))
        video, files = await studio.make(order, progress, request.session_hash)
        return str(video), *(str(file) if file else None for file in files)

    controls.connect(
        animate,
        [inputs.voice, style, strength, inputs.head, *inputs.view, *inputs.life],
        [controls.video, *exports],
        [film, *exports],
        check,
    )
