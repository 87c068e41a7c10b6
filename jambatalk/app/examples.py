"""The examples: a card for each recording to try, with a small head that moves while it is touched.

`recipes/examples.py` films the heads.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gradio as gr
import soundfile

from jambatalk.app.live.server import PAGE
from jambatalk.files.bundled import VOICES

PICTURES = PAGE / "examples"


@dataclass(frozen=True)
class Example:
    """A recording to try.

    Attributes:
        file: in `VOICES`.
        title: who speaks, or the language in itself.
        tag: of the title's language, BCP 47.
        language: in English, if the title does not say it.
    """

    file: str
    title: str
    tag: str
    language: str = ""


EXAMPLES = (
    Example("jfk.flac", "John F. Kennedy", "en", "English"),
    Example("pico_en.wav", "English", "en"),
    Example("pico_de.wav", "Deutsch", "de"),
    Example("pico_es.wav", "Español", "es"),
    Example("pico_fr.wav", "Français", "fr"),
    Example("pico_it.wav", "Italiano", "it"),
)
LABEL = "Or try one: click and watch"
# A card presses the button of its number in Gradio's list, which is not seen.
PRESS_EXAMPLE = """element.addEventListener("click", ({ target }) => {
    const { number } = target.closest("button")?.dataset ?? {};
    if (number) document.querySelectorAll("#examples-list button")[number].click();
});"""
# A tab with the viewer starts by itself, at every change of the voice.
PRESS_START = """() => [...document.querySelectorAll("button.start")]
    .find(button => button.offsetParent)?.click()"""


def build_examples(voice: gr.Audio, files: str) -> None:
    """Build the cards; a click loads a recording and presses the open tab's start button.

    Args:
        files: address of the page's files, see :func:`~jambatalk.app.live.server.live_routes`.
    """
    cards = "".join(_card(example, number, files) for number, example in enumerate(EXAMPLES))
    gr.HTML(
        f'<p id="examples-label">{LABEL}</p>'
        f'<div role="group" aria-labelledby="examples-label">{cards}</div>',
        js_on_load=PRESS_EXAMPLE,
        apply_default_css=False,
        elem_id="examples",
    )
    gr.Examples(
        [[str(VOICES / example.file)] for example in EXAMPLES],
        inputs=voice,
        elem_id="examples-list",
        example_labels=[example.title for example in EXAMPLES],
        cache_examples=False,
        api_visibility="private",
        visible="hidden",
    ).load_input_event.success(fn=None, js=PRESS_START)


def _card(example: Example, number: int, files: str) -> str:
    seconds = round(soundfile.info(VOICES / example.file).duration)
    detail = f"{example.language}, {seconds} s" if example.language else f"{seconds} s"
    picture = f"{files}/examples/{Path(example.file).stem}"
    size = 'width="56" height="56" alt="" loading="lazy"'
    return f"""<button type="button" data-number="{number}"
        aria-describedby="example-{number}-detail">
        <span class="picture"><img src="{picture}_still.webp" {size}>
        <img class="moving" src="{picture}.webp" {size}></span>
        <span><span lang="{example.tag}" translate="no">{example.title}</span>
        <span id="example-{number}-detail" aria-hidden="true">{detail}</span></span>
    </button>"""
