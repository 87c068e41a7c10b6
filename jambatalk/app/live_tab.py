"""The tab *Live*: speak, and the head on the page moves with you."""

from __future__ import annotations

import gradio as gr

from jambatalk.app.controls import (
    enable_with_voice,
    strength_slider,
    style_choices,
)
from jambatalk.app.inputs import Inputs
from jambatalk.errors import JambaTalkError
from jambatalk.talking_head import TalkingHead

STAGE = """
<div id="live-stage">
  <canvas id="live-canvas" role="img" aria-label="Talking head"></canvas>
  <p id="live-status" role="status">Press Speak and talk, or play the voice that you chose.</p>
  <details id="live-details"><summary id="live-delay"></summary><p id="live-figures"></p></details>
</div>
"""


def can_stream(talking_head: TalkingHead) -> bool:
    """Return whether this checkpoint can stream blendshape weights."""
    try:
        talking_head.stream()
    except JambaTalkError:
        return False
    return not talking_head.model.config.vertices


def build_tab(talking_head: TalkingHead, inputs: Inputs) -> None:
    """Build the tab in the enclosing Gradio context; `live/page/live.js` runs it."""
    with gr.Tab("Live", elem_id="live") as tab:
        gr.HTML(STAGE)
        with gr.Row():
            speak = gr.Button("Speak", variant="primary", scale=2, min_width=80)
            play = gr.Button("Play voice", scale=3, min_width=120, elem_classes="start")
            stop = gr.Button("Stop", scale=2, min_width=80)
        styles = style_choices(talking_head)
        style = gr.Radio(styles, value=talking_head.styles[0], label="Speaking style")
        strength = strength_slider()
        monitor = gr.Checkbox(
            label="Play my voice back in sync with the head", info="Use headphones, or it echoes"
        )

    enable_with_voice(inputs.voice, play)
    choices: list[gr.Radio | gr.Slider] = [style, strength, inputs.head]
    tab.select(fn=None, inputs=inputs.head, js=_call("showHead"))
    speak.click(fn=None, inputs=[*choices, monitor], js=_call("startMicrophone"))
    play.click(fn=None, inputs=[inputs.voice, *choices], js=_call("startRecording"))
    stop.click(fn=None, js=_call("stop"))
    monitor.change(fn=None, inputs=monitor, js=_call("setMonitoring"))
    for choice in choices:
        choice.change(fn=None, inputs=choices, js=_call("setChoice"))


def _call(function: str) -> str:
    """Return JavaScript that calls a function of live.js with the inputs' values.

    It does nothing until the tab has been opened, so that the page loads no WebGL before.
    """
    return f"""async (...values) => {{
        if (!document.getElementById("live-canvas")) return;
        const page = new URL("live/page/live.js", document.baseURI);
        (await import(page)).{function}(...values);
    }}"""
