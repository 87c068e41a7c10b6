"""What programs are told: the arguments of the page's functions, and the names that these take."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import gradio as gr

from jambatalk.app.controls import style_title
from jambatalk.model.speaking_style import MAX_STRENGTH
from jambatalk.motion.mood import MAX_INTENSITY, MOODS, VOICE
from jambatalk.render.view import MAX_PITCH, MAX_YAW, MAX_ZOOM
from jambatalk.talking_head import TalkingHead
from jambatalk.voices import MAX_CHARACTERS, list_voices

ARGUMENTS = {
    "text": f"what to say, {MAX_CHARACTERS} characters at most",
    "voice": "who says it, one of the `voices` of `list`",
    "speech": "a recording of speech: WAV, FLAC, MP3, OGG, M4A, WebM or a video with sound",
    "style": "the speaking style, one of the `styles` of `list`",
    "styles": "2 to 4 speaking styles, of the `styles` of `list`",
    "truth": "a saved motion (.npz), captured with the speech: one more head, beside 1 to 3 styles",
    "strength": f"how much of the style, 0 to {MAX_STRENGTH:g}: 0 neutral, 1 normal",
    "head": "who is seen, one of the `heads` of `list`",
    "size": "width and height of each head's picture, pixels",
    "background": "its colour, #RRGGBB",
    "yaw": f"camera angle, degrees from -{MAX_YAW:g} to {MAX_YAW:g}: 0 front, 90 side",
    "pitch": f"camera height, degrees from -{MAX_PITCH:g} to {MAX_PITCH:g}: 30 from above",
    "zoom": f"1 for the head, to {MAX_ZOOM:g}: the closer, the more at the lips",
    "shading": "how it is drawn",
    "light": "the lamps around it, fixed to the camera",
    "nonverbal": "what moves beside the mouth",
    "seed": "a whole number from 0; another gives other blinks and glances",
    "mood": "the mood, one of the `moods` of `list`",
    "intensity": f"how much of the mood, 0 to {MAX_INTENSITY:g}: 0 none, 1 plain to see",
}
Function = TypeVar("Function", bound=Callable[..., Any])


def describe_arguments(function: Function) -> Function:
    """Add the arguments to a function's docstring, from which its schemas take them."""
    names = [name for name in inspect.signature(function).parameters if name in ARGUMENTS]
    lines = [f"    {name}: {ARGUMENTS[name]}" for name in names]
    function.__doc__ = "\n".join([inspect.getdoc(function) or "", "", "Args:", *lines])
    return function


def build_list(talking_head: TalkingHead) -> None:
    """Offer the function `list` to programs, in the enclosing Gradio context."""

    def names() -> dict[str, dict[str, str]]:
        """List the names of styles, heads, moods and voices, each with what it is."""
        return {
            "styles": {
                style: talking_head.style_notes.get(style) or style_title(style)
                for style in talking_head.styles
            },
            "heads": dict(talking_head.heads.titles),
            "moods": {mood: mood.capitalize() for mood in MOODS} | {VOICE: "From the voice"},
            "voices": {voice.name: voice.title for voice in list_voices()},
        }

    names.__name__ = "list"  # its name for the Model Context Protocol
    gr.api(names, api_name="list", queue=False)
