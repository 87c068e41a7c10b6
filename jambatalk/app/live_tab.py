"""The tab *Live*: speak, and the head on the page moves with you."""

from __future__ import annotations

import gradio as gr

from jambatalk import TalkingHead
from jambatalk.app.controls import strength_slider, wait_for_voice
from jambatalk.app.inputs import Inputs
from jambatalk.app.studio import Studio
from jambatalk.errors import JambaTalkError

STAGE = """
<div id="live-stage">
  <canvas id="live-canvas" role="img" aria-label="The head that moves"></canvas>
  <p id="live-status" role="status">Press Speak and talk, or play the voice that you chose.</p>
  <p id="live-figures"></p>
</div>
"""


def is_possible(talking_head: TalkingHead) -> bool:
    """Whether this checkpoint can move blendshapes while it is spoken to."""
    try:
        talking_head.stream()
    except JambaTalkError:
        return False
    return not talking_head.model.config.vertices


def tab(studio: Studio, inputs: Inputs) -> None:
    """Builds the tab where it is called.

    What it does is done in the browser, by `jambatalk/live/page/live.js`.
    """
    styles = studio.talking_head.styles
    with gr.Tab("Live", elem_id="live") as live:
        gr.HTML(STAGE)
        with gr.Row():
            speak = gr.Button("Speak", variant="primary", scale=2, min_width=120)
            play = gr.Button("Play the voice", scale=2, min_width=120, elem_classes="make")
            stop = gr.Button("Stop", scale=1, min_width=80)
        style = gr.Radio(styles, value=styles[0], label="Speaking style")
        strength = strength_slider()
        hear = gr.Checkbox(
            label="Hear me, as late as the head moves", info="Only with headphones, or it echoes"
        )

    wait_for_voice(inputs.voice, play)
    choices = [style, strength, inputs.head]
    live.select(fn=None, inputs=inputs.head, js=_call("show"))
    speak.click(fn=None, inputs=[*choices, hear], js=_call("speak"))
    play.click(fn=None, inputs=[inputs.voice, *choices], js=_call("play"))
    stop.click(fn=None, js=_call("stop"))
    hear.change(fn=None, inputs=hear, js=_call("hear"))
    for choice in choices:
        choice.change(fn=None, inputs=choices, js=_call("choose"))


def _call(function: str) -> str:
    """JavaScript that calls one of live.js, with the values of the inputs, once the tab was
    seen."""
    return f"""async (...values) => {{
        if (!document.getElementById("live-canvas")) return;
        const page = new URL("live/page/live.js", document.baseURI);
        (await import(page)).{function}(...values);
    }}"""
