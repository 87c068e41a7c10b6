"""Speaking styles on the page: titles, notes with their origin, and the strength slider."""

from __future__ import annotations

import gradio as gr

from jambatalk.model.jambatalk import MAX_STRENGTH
from jambatalk.talking_head import TalkingHead

TITLES = {
    "english-man": "Captured: English man",
    "mandarin-woman": "Captured: Mandarin speaker (woman)",
}
ORIGINS = {"Designed: ": "designed", "Captured: ": "from a real person"}  # note prefix → badge


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


def strength_slider(interactive: bool = True) -> gr.Slider:
    """Build the slider of the style's strength."""
    return gr.Slider(
        0,
        MAX_STRENGTH,
        value=1,
        step=0.05,
        label="Strength",
        info="How much of the style: 0 none, 1 normal, 1.5 exaggerated",
        interactive=interactive,
    )


def disable_for_neutral(strength: gr.Slider, style: gr.Radio, neutral: str) -> None:
    """Disable the slider while the neutral style is chosen, on which strength has no effect."""
    style.change(
        fn=None,
        inputs=style,
        outputs=strength,
        js=f"(style) => ({{__type__: 'update', interactive: style !== {neutral!r}}})",
    )
