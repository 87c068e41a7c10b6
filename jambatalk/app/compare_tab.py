"""The tab *Compare styles*: one voice in two to four styles, in one video."""

from __future__ import annotations

import gradio as gr

from jambatalk.app.controls import Controls, check_voice, strength_slider
from jambatalk.app.inputs import Inputs
from jambatalk.app.studio import Order, Studio

FEWEST, SHOWN, MOST = 2, 3, 4  # styles in one video; those chosen at first


def tab(studio: Studio, inputs: Inputs) -> None:
    """Builds the tab where it is called."""
    names, notes = studio.talking_head.styles, studio.talking_head.style_notes
    with gr.Tab("Compare styles", elem_id="compare"):
        styles = gr.CheckboxGroup(
            names,
            value=list(names[:SHOWN]),
            label="Speaking styles",
            info=f"{FEWEST} to {MOST}, side by side in one video",
        )
        gr.Markdown(
            "\n".join(f"- **{name}**: {note}" for name, note in notes.items()),
            elem_classes="note",
        )
        strength = strength_slider()
        controls = Controls.build("Compare")
        film = gr.DownloadButton("Video (.mp4)", interactive=False, size="md")

    def check(speech: str | None, styles: list[str], *_: object) -> list[dict]:
        fits = FEWEST <= len(styles) <= MOST
        return [check_voice(speech), gr.validate(fits, f"Choose {FEWEST} to {MOST} styles.")]

    async def compare(
        speech: str,
        styles: list[str],
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
    ) -> str:
        """The same speech in 2 to 4 styles, side by side in one video (.mp4)."""
        look = (size, background, yaw, shading)
        order = Order(speech, styles, strength, head, *look, nonverbal, seed)
        video, _ = await studio.make(order, progress, request.session_hash)
        return str(video)

    controls.connect(
        compare,
        [inputs.voice, styles, strength, inputs.head, *inputs.view, *inputs.life],
        [controls.video],
        [film],
        check,
    )
