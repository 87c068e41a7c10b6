"""Controls that several tabs share: speaking style and its strength, buttons, the video."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from jambatalk.model.speaking_style import MAX_STRENGTH
from jambatalk.talking_head import TalkingHead

TITLES = {
    "english-man": "English man",
    "mandarin-woman": "Mandarin speaker (woman)",
}
ORIGINS = {  # note prefix → badge
    "Designed: ": "designed",
    "Captured: ": "from a real person",
    "Own: ": "own",
}

SHOW_RESULT = """() => [...document.querySelectorAll(".result")]
    .find(result => result.offsetParent)?.scrollIntoView({behavior: "smooth", block: "nearest"})"""

ENABLED = "() => ({__type__: 'update', interactive: true})"
DISABLED = ENABLED.replace("true", "false")


@dataclass(frozen=True)
class Controls:
    """The buttons and the video of one tab."""

    start: gr.Button
    stop: gr.Button
    video: gr.Video

    @classmethod
    def build(cls, label: str) -> Controls:
        """Build them in the enclosing Gradio context; `label` is the start button's."""
        with gr.Row():
            start = gr.Button(label, variant="primary", scale=3, elem_classes="start")
            stop = gr.Button("Stop", scale=1, min_width=80)
        video = gr.Video(
            label="Talking head",
            show_label=False,
            autoplay=True,
            interactive=False,
            buttons=[],
            elem_classes="result",
        )
        return cls(start, stop, video)

    def connect(
        self,
        render: Callable[..., Any],
        voice: gr.Audio,
        inputs: Sequence[Component],
        outputs: Sequence[Component],
        downloads: Sequence[gr.DownloadButton],
        check_style: Callable[[Any], dict] | None = None,
    ) -> None:
        """Connect the buttons with their functions.

        Args:
            render: takes the voice and `inputs` and returns `outputs`; its name becomes the API
                endpoint's.
            downloads: the first offers the video; the others are among `outputs`.
            check_style: validates the first of `inputs` before the request is queued.
        """

        def check(recording: str | None, *values: Any) -> list[dict]:
            checks = [  # programs may send null
                gr.validate(value is not None, f"{component.label} needs a value.")
                for component, value in zip(inputs, values, strict=True)
            ]
            if check_style is not None:
                checks[0] = check_style(values[0])
            has_voice = gr.validate(bool(recording), "Record your voice or choose a file first.")
            return [has_voice, *checks]

        def offer(*files: str | None) -> dict[gr.DownloadButton, gr.DownloadButton]:
            return {
                button: gr.DownloadButton(value=file, interactive=file is not None)
                for button, file in zip(downloads, files, strict=True)
            }

        enable_with_voice(voice, self.start)
        self.start.click(fn=None, js=SHOW_RESULT)
        rendering = self.start.click(
            render,
            [voice, *inputs],
            outputs,
            validator=check,
            api_name=render.__name__,
            concurrency_limit=1,
            concurrency_id="render",  # one at a time over both tabs
        )
        rendering.success(
            offer,
            [self.video, *downloads[1:]],
            downloads,
            queue=False,
            show_progress="hidden",
            api_visibility="private",
        )
        self.stop.click(fn=None, cancels=rendering)


def enable_with_voice(voice: gr.Audio, button: gr.Button) -> None:
    """Disable a button from the start of a recording until it is uploaded.

    The recording can be played before that, so the page looks ready too early.
    """
    voice.start_recording(fn=None, outputs=button, js=DISABLED)
    voice.change(fn=None, outputs=button, js=ENABLED)


def style_title(style: str) -> str:
    """Return the title under which the page shows a style."""
    return TITLES.get(style, style.capitalize())


def style_choices(talking_head: TalkingHead) -> list[tuple[str, str]]:
    """Return (title, name) of every style, as Gradio's choices."""
    return [(style_title(style), style) for style in talking_head.styles]


def style_note(talking_head: TalkingHead, style: str) -> str:
    """Return a style's note as Markdown, its origin as a badge."""
    note = talking_head.style_notes.get(style, "")
    for prefix, badge in ORIGINS.items():
        if note.startswith(prefix):
            return f"`{badge}` {note.removeprefix(prefix)}"
    return note


def strength_slider() -> gr.Slider:
    """Build the slider of the style's strength."""
    return gr.Slider(
        0,
        MAX_STRENGTH,
        value=1,
        step=0.05,
        label="Strength",
        info="0 neutral, 1 normal, 1.5 exaggerated; of Neutral itself, 0 is a still face",
    )
