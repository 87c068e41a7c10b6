"""The visitor's choices: the browser keeps them until the next visit, and the address holds them.

So a page can be shared, reloaded and gone back to; the server keeps nothing.
"""

from __future__ import annotations

import re
from typing import Any

import gradio as gr
from gradio.components import Component

from jambatalk.app.javascript import call
from jambatalk.voices import list_voices

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
TAB = "tab"  # name of the open tab in the address


def remember_choices(page: gr.Blocks, tabs: gr.Tabs) -> None:
    """Restore the choices of all tabs when the page is opened, and keep their changes.

    Call it in the context of the page, when all of it is built; `live/page/choices.js` reads and
    writes the address. Choices in the address go before those that the browser keeps.
    """
    components = _components(page)
    names = [tab.id for tab in tabs.children if isinstance(tab, gr.Tab)]
    stored = gr.BrowserState({}, storage_key=KEY, secret=KEY)  # or a restart would forget them
    back = gr.Button("", visible="hidden", elem_id="choices-back")  # the browser presses it
    settings: dict[str, Any] = {
        "queue": False,
        "show_progress": "hidden",
        "api_visibility": "private",
    }

    def restore(values: Any) -> Any:
        if not isinstance(values, dict) or not values:
            return gr.skip()  # or what is chosen meanwhile would be undone
        return [
            gr.Tabs(selected=values[TAB]) if values.get(TAB) in names else gr.skip(),
            *(
                values[name] if name in values and _fits(component, values[name]) else gr.skip()
                for name, component in components.items()
            ),
        ]

    restored = [tabs, *components.values()]
    served = {TAB: names[0]} | {name: component.value for name, component in components.items()}
    spoken = {voice.language.split("-")[0]: voice.name for voice in reversed(list_voices())}
    opening = call("choices", "open", served, {"spoken-by": spoken})
    page.load(restore, stored, restored, js=opening, **settings)
    back.click(restore, stored, restored, js=call("choices", "restore"), **settings)
    changes = [component.change for component in components.values()]
    gr.on(changes, None, [*components.values()], stored, js=call("choices", "keep"), **settings)


def _components(page: gr.Blocks) -> dict[str, Any]:
    """Name the choices by their labels, and by the tab that they are in."""
    named = {}
    for block in page.blocks.values():
        if isinstance(block, CHOICES):
            parent = block.parent
            while parent is not None and not isinstance(parent, gr.Tab):
                parent = parent.parent
            name = f"{parent.id} {block.label}" if parent else str(block.label)
            named[re.sub(r"\W+", "-", name.lower())] = block
    return named


def _fits(component: Component, value: Any) -> bool:
    """Return whether a component takes a value: styles and heads come and go between versions."""
    try:
        component.preprocess(value)
    except (gr.Error, TypeError, ValueError):
        return False
    return True
