"""The viewer: the head on the page, which `live/page/viewer.js` draws and its neighbours move."""

from __future__ import annotations

import json
from collections.abc import Mapping

import gradio as gr

from jambatalk.app.inputs import Inputs
from jambatalk.app.javascript import call
from jambatalk.app.live.server import PAGE
from jambatalk.talking_head import TalkingHead

VIEWER = """
<div id="viewer">
  <div id="viewer-stage" tabindex="0" role="group"
    aria-label="Talking head. Space plays and pauses, arrow keys seek; drag turns the head.">
    <p id="viewer-caption" aria-live="off"></p>
    <button id="viewer-unmute" type="button" hidden>Sound on</button>
  </div>
  <div id="viewer-transport">
    <button id="viewer-play" type="button" aria-label="Play the head"></button>
    <input id="viewer-seek" type="range" min="0" max="1" step="0.01" value="0"
      aria-label="Place in the recording">
    <span id="viewer-time">0:00 / 0:00</span>
    <button id="viewer-loop" type="button" aria-label="Repeat" aria-pressed="false"></button>
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
    gr.HTML(VIEWER, elem_id="viewer-block", padding=False)


def connect_viewer(inputs: Inputs, tabs: Mapping[str, gr.Tab]) -> None:
    """Let the viewer show the head and the view that are chosen, for the tab that is open."""
    _, background, yaw, _ = inputs.view
    inputs.head.change(fn=None, inputs=inputs.head, js=call("animate", "showHead"))
    for choice in (background, yaw):
        choice.change(fn=None, inputs=[background, yaw], js=call("animate", "setView"))
    for name, tab in tabs.items():
        tab.select(fn=None, js=call("tabs", "open", name))


def head_html(first_head: str) -> str:
    """Return what the page's HTML head holds: it loads the viewer before Gradio has started."""
    modules = sorted(path.name for path in PAGE.glob("*.js") if path.name != "worklet.js")
    preloads = [f'<link rel="modulepreload" href="live/page/{name}">' for name in modules]
    return f"""{"".join(preloads)}
        <script type="module">
            const page = new URL("live/page/animate.js", document.baseURI);
            (await import(page)).open({json.dumps(first_head)});
        </script>"""
