"""Controls that several tabs share: style, strength and mood, buttons, the video."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from jambatalk.app.javascript import call
from jambatalk.app.orders import VIDEOS
from jambatalk.model.speaking_style import MAX_STRENGTH
from jambatalk.motion.mood import MAX_INTENSITY, MOODS, VOICE
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
    .find(result => result.offsetParent)?.scrollIntoView({block: "nearest"})"""

ENABLED = "() => ({__type__: 'update', interactive: true})"
VISIBLE = ENABLED.replace("interactive", "visible")
DISABLED = ENABLED.replace("true", "false")
HIDDEN = VISIBLE.replace("true", "false")


@dataclass(frozen=True)
class Controls:
    """The buttons and the video of one tab."""

    start: gr.Button
    stop: gr.Button
    video: gr.Video

    @classmethod
    def build(cls, label: str, main: bool = True) -> Controls:
        """Build them in the enclosing Gradio context.

        Args:
            label: the start button's.
            main: whether the video is what the tab shows; else it appears once it is asked for.
        """
        with gr.Row():
            start = gr.Button(
                label,
                variant="primary" if main else "secondary",
                scale=3,
                elem_classes="start" if main else None,
            )
            stop = gr.Button("Stop", scale=1, min_width=80)
        video = gr.Video(
            label="Talking head",
            show_label=False,
            autoplay=main,  # else the viewer may be speaking
            interactive=False,
            buttons=[],
            visible=main,
            elem_classes="result",
        )
        return cls(start, stop, video)

    def connect(
        self,
        render: Callable[..., Any],
        voice: gr.Audio,
        inputs: Sequence[Component],
        outputs: Sequence[Component],
        download: gr.DownloadButton | None = None,
        check_style: Callable[..., dict] | None = None,
    ) -> None:
        """Connect the buttons with their functions.

        Args:
            render: takes the voice and `inputs` and returns `outputs`; its name becomes the API
                endpoint's.
            download: offers the video; without it, the video is saved as soon as it is there.
            check_style: validates the first of `inputs`, with the others at hand, before the
                request is queued.
        """

        enable_with_voice(voice, self.start)
        if not self.video.visible:
            self.start.click(fn=None, js=VISIBLE, outputs=self.video)
        self.start.click(fn=None, js=SHOW_RESULT)
        rendering = self.start.click(
            render,
            [voice, *inputs],
            outputs,
            validator=checker(inputs, check_style),
            api_name=render.__name__,
            concurrency_limit=1,
            concurrency_id=VIDEOS,  # one at a time over both tabs
        )
        if download:
            rendering.success(
                lambda file: gr.DownloadButton(value=file, interactive=True),
                self.video,
                download,
                queue=False,
                show_progress="hidden",
                api_visibility="private",
            )
        else:
            rendering.success(fn=None, inputs=self.video, js=call("animate", "save"))
        self.stop.click(fn=None, cancels=rendering)


def checker(
    inputs: Sequence[Component], check_first: Callable[..., dict] | None = None
) -> Callable[..., list[dict]]:
    """Return a validator of a voice and the values of `inputs`."""

    def check(recording: str | None, *values: Any) -> list[dict]:
        checks = [  # programs may send null
            gr.validate(
                value is not None or isinstance(component, gr.File),
                f"{component.label} needs a value.",
            )
            for component, value in zip(inputs, values, strict=True)
        ]
        if check_first is not None:
            checks[0] = check_first(*values)
        has_voice = gr.validate(bool(recording), "Record your voice or choose a file first.")
        return [has_voice, *checks]

    return check


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


def mood_dial() -> tuple[gr.Radio, gr.Slider]:
    """Build the choice of a mood and the slider of its intensity."""
    return (
        gr.Radio(
            [*((mood.capitalize(), mood) for mood in MOODS), ("From the voice", VOICE)],
            value=MOODS[0],
            label="Mood",
            info="From the voice: livelier where it is higher, louder or faster, by a rule",
        ),
        gr.Slider(
            0,
            MAX_INTENSITY,
            value=1,
            step=0.05,
            label="Mood intensity",
            info="0 none, 1 plain to see, 1.5 exaggerated; the lips say the same",
        ),
    )
