"""The tab *Live*: speak, and the head on the page moves with you."""

from __future__ import annotations

import gradio as gr

from jambatalk.app.controls import (
    enable_with_voice,
    mood_dial,
    strength_slider,
    style_choices,
)
from jambatalk.app.inputs import Inputs
from jambatalk.app.javascript import call
from jambatalk.app.viewer import can_draw
from jambatalk.errors import JambaTalkError
from jambatalk.talking_head import TalkingHead


def can_stream(talking_head: TalkingHead) -> bool:
    """Return whether this checkpoint can stream blendshape weights."""
    try:
        talking_head.stream()
    except JambaTalkError:
        return False
    return can_draw(talking_head)


def build_tab(talking_head: TalkingHead, inputs: Inputs) -> gr.Tab:
    """Build the tab in the enclosing Gradio context; `live/page/live.js` runs it."""
    with gr.Tab("Live", id="live", elem_id="live") as tab:
        with gr.Row():
            speak = gr.Button("Speak", variant="primary", scale=2, min_width=80)
            play = gr.Button("Play voice", scale=3, min_width=120, elem_classes="start")
            stop = gr.Button("Stop", scale=2, min_width=80)
        styles = style_choices(talking_head)
        style = gr.Radio(styles, value=talking_head.styles[0], label="Speaking style")
        strength = strength_slider()
        mood = mood_dial()
        monitor = gr.Checkbox(
            label="Play my voice back in sync with the head", info="Use headphones, or it echoes"
        )

    enable_with_voice(inputs.voice, play)
    choices: list[gr.Radio | gr.Slider] = [style, strength, inputs.head, *mood]
    speak.click(fn=None, inputs=[*choices, monitor], js=call("live", "startMicrophone"))
    play.click(fn=None, inputs=[inputs.voice, *choices], js=call("live", "startRecording"))
    stop.click(fn=None, js=call("live", "stop"))
    monitor.change(fn=None, inputs=monitor, js=call("live", "setMonitoring"))
    for choice in choices:
        choice.change(fn=None, inputs=choices, js=call("live", "setChoice"))
    return tab
