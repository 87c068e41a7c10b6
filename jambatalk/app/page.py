"""The page: header, tabs, footer and theme."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from jambatalk.app import animate_tab, compare_tab, live_tab
from jambatalk.app.api import build_list
from jambatalk.app.choices import remember_choices
from jambatalk.app.inputs import build_inputs
from jambatalk.app.javascript import call
from jambatalk.app.orders import Page
from jambatalk.app.settings import in_words
from jambatalk.app.video_service import VideoService
from jambatalk.app.viewer import build_viewer, can_draw, connect_viewer
from jambatalk.face.library import BUNDLED

HERE = Path(__file__).parent

HEADER = """
# JambaTalk
Speak, and a 3D head says it.
"""
BUNDLED_FOOTER = """
Our own network, not the weights of the paper. [The paper](https://arxiv.org/abs/2408.01627)

Code: Apache-2.0. Heads: MIT, made of ICT-FaceKit and MakeHuman.
"""
OTHER_FOOTER = """
Code: Apache-2.0. For the licences of the network and the heads see their model card.
"""
PRIVACY = """
Recordings and videos are deleted from this server after about {kept} and stored nowhere else.
"""


def build_page(service: VideoService) -> Page:
    """Build the page, ready to launch. Its users share the service's network and no data."""
    talking_head, settings = service.talking_head, service.settings

    def leave(request: gr.Request) -> None:
        service.forget(request.session_hash)

    with Page(title="JambaTalk", analytics_enabled=False) as page:
        gr.Markdown(HEADER, elem_id="header")
        with gr.Row(elem_id="main"):
            with gr.Column(scale=2, min_width=320, elem_id="inputs"):
                inputs = build_inputs(talking_head)
                link = gr.Button("Copy link to these choices", size="sm", elem_id="copy-link")
            with gr.Column(scale=3, min_width=320, elem_id="outputs"):
                if can_draw(talking_head):
                    with gr.Column(min_width=320, elem_id="viewer-column"):
                        build_viewer()
                with gr.Column(min_width=320, elem_id="tabs"), gr.Tabs() as pane:
                    tabs = {"animate": animate_tab.build_tab(service, inputs)}
                    if len(talking_head.styles) > 1:
                        tabs["compare"] = compare_tab.build_tab(service, inputs)
                    if live_tab.can_stream(talking_head):
                        tabs["live"] = live_tab.build_tab(talking_head, inputs)
        if can_draw(talking_head):
            connect_viewer(inputs, tabs)
        link.click(fn=None, js=call("choices", "copyLink"))
        remember_choices(page, pane)
        build_list(talking_head)
        bundled = talking_head.heads is BUNDLED
        privacy = PRIVACY.format(kept=in_words(settings.keep))
        gr.Markdown((BUNDLED_FOOTER if bundled else OTHER_FOOTER) + privacy, elem_id="footer")
        page.unload(leave)
    page.order(settings, service.cancel)
    return page


def _theme() -> gr.themes.Base:
    # Contrast of small print: at least 4.5:1.
    small_print = {
        name + suffix: shade
        for name in ("body_text_color_subdued", "block_info_text_color", "block_label_text_color")
        for suffix, shade in (("", "*neutral_600"), ("_dark", "*neutral_300"))
    }
    return gr.themes.Default(
        primary_hue="indigo",
        secondary_hue="indigo",
        neutral_hue="slate",
        radius_size="lg",
        # System fonts, so that nothing is fetched from other servers.
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    ).set(
        color_accent="*primary_600",  # .dark: page.css
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_dark="*primary_600",
        link_text_color_dark="*primary_300",
        **small_print,
    )


THEME = _theme()
