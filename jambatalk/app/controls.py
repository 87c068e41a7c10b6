"""What both tabs end in: the buttons, the video, and what goes on between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from jambatalk.app.studio import ONE_AT_A_TIME
from jambatalk.model.jambatalk import MAX_STRENGTH

SHOW_RESULT = """() => [...document.querySelectorAll(".result")]
    .find(result => result.offsetParent)?.scrollIntoView({behavior: "smooth", block: "nearest"})"""

ENABLED = "() => ({__type__: 'update', interactive: true})"
DISABLED = ENABLED.replace("true", "false")


@dataclass(frozen=True)
class Controls:
    """One tab's buttons and its video."""

    make: gr.Button
    stop: gr.Button
    video: gr.Video

    @classmethod
    def build(cls, verb: str) -> Controls:
        """Builds them where it is called; `verb` is what the button says."""
        with gr.Row():
            make = gr.Button(verb, variant="primary", scale=3, elem_classes="make")
            stop = gr.Button("Stop", scale=1, min_width=80)
        video = gr.Video(
            label="Talking head",
            show_label=False,
            autoplay=True,
            interactive=False,
            buttons=[],
            elem_classes="result",
        )
        return cls(make, stop, video)

    def connect(
        self,
        make: Callable[..., Any],
        inputs: Sequence[Component],
        outputs: Sequence[Component],
        downloads: Sequence[gr.DownloadButton],
        check: Callable[..., Any],
    ) -> None:
        """Lets the buttons do something.

        Args:
            make: gets `inputs`, the voice first, gives `outputs`; its name is that of the API's
                endpoint.
            downloads: the first offers the video; the others are among `outputs`.
            check: gets `inputs` too, before the visitor is queued; its verdicts on the first ones.
        """

        def all_checked(*given: Any) -> list[dict | None]:
            checks = check(*given)
            return [*checks, *[None] * (len(given) - len(checks))]  # Gradio wants one an input

        def offer(*files: str | None) -> dict[gr.DownloadButton, gr.DownloadButton]:
            return {
                button: gr.DownloadButton(value=file, interactive=file is not None)
                for button, file in zip(downloads, files, strict=True)
            }

        wait_for_voice(inputs[0], self.make)
        self.make.click(fn=None, js=SHOW_RESULT)
        made = self.make.click(
            make,
            inputs,
            outputs,
            validator=all_checked,
            api_name=make.__name__,
            **ONE_AT_A_TIME,
        )
        made.success(
            offer,
            [self.video, *downloads[1:]],
            downloads,
            queue=False,
            show_progress="hidden",
            api_visibility="private",
        )
        self.stop.click(fn=None, cancels=made)


def wait_for_voice(voice: gr.Audio, button: gr.Button) -> None:
    """Lets nobody press a button too early: what was recorded is still being sent when it can be
    played already."""
    voice.start_recording(fn=None, outputs=button, js=DISABLED)
    voice.change(fn=None, outputs=button, js=ENABLED)


def strength_slider() -> gr.Slider:
    """How much of a style."""
    return gr.Slider(
        0,
        MAX_STRENGTH,
        value=1,
        step=0.05,
        label="Strength",
        info="0 is neutral, 1 the style as learned; more exaggerates it",
    )


def check_voice(voice: str | None) -> dict:
    """Whether there is a recording at all."""
    return gr.validate(bool(voice), "Record your voice or choose a file first.")
