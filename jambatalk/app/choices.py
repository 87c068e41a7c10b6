"""The visitor's choices, which the browser keeps until the next visit; the server keeps none."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.components import Component

KEY = "jambatalk-choices"  # of the browser's storage
CHOICES = (
    gr.Radio,
    gr.CheckboxGroup,
    gr.Checkbox,
    gr.Dropdown,
    gr.Slider,
    gr.Number,
    gr.ColorPicker,
)


def remember_choices(page: gr.Blocks) -> None:
    """Restore the choices of all tabs when the page is opened, and keep their changes.

    Call it in the context of the page, when all of it is built.
    """
    chosen = [block for block in page.blocks.values() if isinstance(block, CHOICES)]
    components = {f"{n} {choice.label}": choice for n, choice in enumerate(chosen)}
    stored = gr.BrowserState({}, storage_key=KEY, secret=KEY)  # or a restart would forget them
    settings: dict[str, Any] = {
        "queue": False,
        "show_progress": "hidden",
        "api_visibility": "private",
    }

    def restore(values: Any) -> Any:
        if not isinstance(values, dict) or not values:
            return gr.skip()  # or what is chosen meanwhile would be undone
        return [
            values[name] if name in values and _fits(component, values[name]) else gr.skip()
            for name, component in components.items()
        ]

    def keep(*values: Any) -> dict[str, Any]:
        return dict(zip(components, values, strict=True))

    page.load(restore, stored, [*components.values()], **settings)
    changes = [component.change for component in components.values()]
    gr.on(changes, keep, [*components.values()], stored, **settings)


def _fits(component: Component, value: Any) -> bool:
    """Return whether a component takes a value: styles and heads come and go between versions."""
    try:
        component.preprocess(value)
    except (gr.Error, TypeError, ValueError):
        return False
    return True
