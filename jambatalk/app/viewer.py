"""The viewer: the head on the page, which `live/page/viewer.js` draws and its neighbours move."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr
from gradio.components import Component

from jambatalk.app.controls import checker, enable_with_voice, style_title
from jambatalk.app.inputs import Inputs
from jambatalk.app.javascript import call
from jambatalk.app.live.clips import INTRO, pack_motion
from jambatalk.app.orders import MOTIONS
from jambatalk.app.video_request import VideoRequest
from jambatalk.app.video_service import SMALL, VideoService
from jambatalk.motion.motion import Motion
from jambatalk.talking_head import TalkingHead

ELEMENT = "viewer-block"  # of the page

VIEWER = """
<div id="viewer" data-tab="animate">
  <div id="viewer-stage" tabindex="0" role="group" data-text="Drop it: the head says it"
    aria-label="Talking head. Space plays and pauses, arrow keys seek; drag turns the head.">
    <div id="viewer-titles"></div>
    <p id="viewer-caption" translate="no" aria-live="off"></p>
    <button id="viewer-unmute" type="button" hidden>Sound on</button>
  </div>
  <canvas id="viewer-waveform" aria-hidden="true"></canvas>
  <div id="viewer-transport">
    <button id="viewer-play" type="button" aria-label="Play the head"></button>
    <input id="viewer-seek" type="range" min="0" max="1" step="0.01" value="0"
      aria-label="Place in the recording">
    <span id="viewer-time">0:00 / 0:00</span>
    <button id="viewer-loop" type="button" aria-label="Repeat" aria-pressed="false"></button>
    <button id="viewer-slow" type="button" aria-label="Half speed" aria-pressed="false"></button>
    <button id="viewer-close" type="button" aria-label="Close-up" aria-pressed="false"></button>
    <button id="viewer-single" type="button" aria-label="One style at a time; B shows the next"
      aria-pressed="false" hidden></button>
    <button id="viewer-full" type="button" aria-label="Full screen"></button>
  </div>
  <p id="viewer-status" role="status"></p>
  <details id="viewer-details">
    <summary id="viewer-delay"></summary><p id="viewer-figures"></p>
  </details>
</div>
"""


def can_draw(talking_head: TalkingHead) -> bool:
    """Return whether a browser can draw this checkpoint's motion: blendshape weights."""
    return not talking_head.model.config.vertices


def build_viewer() -> None:
    """Build the viewer in the enclosing Gradio context."""
    gr.HTML(VIEWER, elem_id=ELEMENT, padding=False)


def connect_player(
    service: VideoService,
    tab: str,
    start: gr.Button,
    voice: gr.Audio,
    inputs: Sequence[Component],
    request: Callable[..., VideoRequest],
    check_first: Callable[..., dict] | None = None,
) -> None:
    """Let the viewer play the motions of a tab: of a new voice at once, and of other choices.

    Args:
        tab: its name, see :func:`connect_viewer`; the enclosing Gradio context is the tab.
        start: plays the voice from its start.
        request: makes a request of the voice and the values of `inputs`.
        check_first: validates the first of `inputs`, with the others at hand.
    """
    motions, rest, changed, phones, opened = (gr.JSON(visible="hidden") for _ in range(5))
    settings: dict[str, Any] = {
        "show_progress": "hidden",
        "api_visibility": "private",
        "concurrency_limit": SMALL,
        "concurrency_id": MOTIONS,
    }

    def pack(
        wanted: VideoRequest, motions: Sequence[Motion], length: int | None = None
    ) -> list[dict[str, Any]]:
        return [
            pack_motion(motion, length) | {"title": style_title(style)}
            for motion, style in zip(motions, wanted.heads, strict=True)
        ]

    async def predict_beginning(
        visit: gr.Request, speech: str | None, *values: Any
    ) -> list[dict[str, Any]] | None:
        if not speech:  # it was cleared, or this tab is not open
            return None
        wanted = replace(request(speech, *values), session=visit.session_hash)
        return pack(wanted, *await service.predict_beginning(wanted))

    async def predict(
        visit: gr.Request, speech: str | None, *values: Any
    ) -> list[dict[str, Any]] | None:
        if not speech:  # all of it is there already
            return None
        wanted = replace(request(speech, *values), session=visit.session_hash)
        return pack(wanted, await service.predict(wanted))

    async def predict_again(
        visit: gr.Request, opened: bool, speech: str | None, *values: Any
    ) -> list[dict[str, Any]] | None:
        if not opened or (check_first and not check_first(*values)["is_valid"]):
            return None
        return await predict(visit, speech or str(INTRO), *values)

    async def recognise(
        visit: gr.Request, speech: str | None, *values: Any
    ) -> list[tuple[str, float, float]] | None:
        if not speech:
            return None
        wanted = replace(request(speech, *values), session=visit.session_hash)
        return await service.recognise(wanted)

    enable_with_voice(voice, start)
    values = [voice, *inputs]
    # All tabs see a new voice or head; only the open one works on it.
    is_open = f'document.getElementById("viewer").dataset.tab === "{tab}"'
    pressed = {"validator": checker(inputs, check_first), "js": call("animate", "expect", tab)}
    new_voice = {"js": call("animate", "expectNew", tab)}
    for trigger, options in ((start.click, pressed), (voice.change, new_voice)):
        predicting = trigger(predict_beginning, values, motions, **options, **settings)
        predicting.failure(fn=None, js=call("animate", "fail"))
        playing = predicting.success(
            fn=None, inputs=[motions, voice], js=call("animate", "play", tab)
        )
        going_on = playing.then(predict, values, rest, js=call("animate", "askForRest"), **settings)
        going_on.success(fn=None, inputs=rest, js=call("animate", "addRest", tab))
        recognising = going_on.then(
            recognise,
            values,
            phones,
            js=f"(voice, ...choices) => [{is_open} ? voice : null, ...choices]",
            **settings,
        )
        recognising.success(fn=None, inputs=[phones, voice], js=call("animate", "showPhones"))
    changes = [choice.change for choice in inputs]  # type: ignore[attr-defined]
    predicting = gr.on(
        changes,
        predict_again,
        [opened, *values],
        changed,
        js=f"(_, ...values) => [{is_open}, ...values]",
        trigger_mode="always_last",
        **settings,
    )
    predicting.success(fn=None, inputs=changed, js=call("animate", "change", tab))


def connect_viewer(inputs: Inputs, tabs: Mapping[str, gr.Tab]) -> None:
    """Let the viewer show the head and the view that are chosen, for the tab that is open.

    Args:
        tabs: by the names under which `live/page/` knows them.
    """
    inputs.head.change(fn=None, inputs=inputs.head, js=call("animate", "showHead"))
    inputs.background.change(fn=None, inputs=inputs.background, js=call("animate", "setBackground"))
    inputs.light.change(fn=None, inputs=inputs.light, js=call("animate", "setLight"))
    inputs.shading.change(fn=None, inputs=inputs.shading, js=call("animate", "showShading"))
    for choice in inputs.camera:
        choice.change(fn=None, inputs=[*inputs.camera], js=call("animate", "setCamera"))
    turned = gr.Button("", visible="hidden", elem_id="viewer-turned")  # `orbit.js` presses it
    turned.click(fn=None, outputs=[*inputs.camera], js=call("animate", "readCamera"))
    for name, tab in tabs.items():
        tab.select(fn=None, js=call("tabs", "open", name))
