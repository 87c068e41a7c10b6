"""The page: header, tabs and footer, theme, and the server."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path

import gradio as gr

from jambatalk.app import animate_tab, compare_tab, live_tab
from jambatalk.app.choices import remember_choices
from jambatalk.app.inputs import build_inputs, head_thumbnails_css
from jambatalk.app.live.server import PAGE, live_routes
from jambatalk.app.video_service import VideoService
from jambatalk.app.viewer import build_viewer, can_draw, connect_viewer, head_html
from jambatalk.errors import JambaTalkError
from jambatalk.face.library import BUNDLED
from jambatalk.files.bundled import DEFAULT_CHECKPOINT
from jambatalk.talking_head import TalkingHead

HERE = Path(__file__).parent
MAX_UPLOAD = "200mb"  # ten minutes of 16-bit stereo at 48 kHz are 115 MB
MAX_QUEUE = 20  # requests; at half a minute each the last one waits for ten minutes
CLEANUP_PERIOD, MAX_FILE_AGE = 600, 3600  # seconds

HEADER = """
# JambaTalk
Speak, and a 3D head says it.
"""
BUNDLED_FOOTER = """
Our own network, not the weights of [the paper](https://arxiv.org/abs/2408.01627).
Code: Apache-2.0. Heads: MIT, made of ICT-FaceKit and MakeHuman.
"""
OTHER_FOOTER = """
Code: Apache-2.0. For the licences of the network and the heads see their model card.
"""
PRIVACY = """
Recordings and videos are deleted from this server after about an hour and stored nowhere else.
"""


def build_page(service: VideoService) -> gr.Blocks:
    """Build the page, ready to launch. Its users share the service's network and no data."""
    talking_head = service.talking_head
    with gr.Blocks(
        title="JambaTalk", analytics_enabled=False, delete_cache=(CLEANUP_PERIOD, MAX_FILE_AGE)
    ) as page:
        gr.Markdown(HEADER, elem_id="header")
        with gr.Row(elem_id="main"):
            with gr.Column(scale=2, min_width=320, elem_id="inputs"):
                inputs = build_inputs(talking_head.heads)
            if can_draw(talking_head):
                with gr.Column(scale=3, min_width=320, elem_id="viewer-column"):
                    build_viewer()
            with gr.Column(scale=3, min_width=320, elem_id="tabs"), gr.Tabs():
                tabs = {"animate": animate_tab.build_tab(service, inputs)}
                if len(talking_head.styles) > 1:
                    tabs["compare"] = compare_tab.build_tab(service, inputs)
                if live_tab.can_stream(talking_head):
                    tabs["live"] = live_tab.build_tab(talking_head, inputs)
        if can_draw(talking_head):
            connect_viewer(inputs, tabs)
        remember_choices(page)
        bundled = talking_head.heads is BUNDLED
        gr.Markdown((BUNDLED_FOOTER if bundled else OTHER_FOOTER) + PRIVACY, elem_id="footer")
        page.unload(service.cancel)
    return page.queue(max_size=MAX_QUEUE, api_open=False)  # no request goes round the queue


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
    ).set(**small_print)


def launch(
    checkpoint: str | Path = DEFAULT_CHECKPOINT,
    device: str = "auto",
    port: int | None = None,
    styles: Sequence[Path] = (),
) -> None:
    """Load a network and serve the page until it is interrupted or terminated.

    The address is set as in any Gradio application: GRADIO_SERVER_NAME, GRADIO_SERVER_PORT and
    GRADIO_ROOT_PATH. Uploads and results lie in a temporary folder that is removed at the end,
    unless GRADIO_TEMP_DIR names another.

    Args:
        device: see :func:`jambatalk.model.device.choose_device`.
        port: overrides GRADIO_SERVER_PORT.
        styles: files of own styles, which the page offers too.

    Raises:
        ModelError: no such checkpoint, device or style. JambaTalkError: no port is free.
    """
    if port is not None and not 1 <= port <= 65535:
        raise JambaTalkError(f"There is no port {port}.", "Choose 1 to 65535.")
    talking_head = TalkingHead.from_pretrained(checkpoint, device)
    for path in styles:
        talking_head.add_style(path)
    service = VideoService(talking_head)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop as on Ctrl-C
    with tempfile.TemporaryDirectory(prefix="jambatalk-", ignore_cleanup_errors=True) as folder:
        os.environ.setdefault("GRADIO_TEMP_DIR", folder)
        page = build_page(service)
        try:
            page.launch(
                server_port=port,
                theme=_theme(),
                css=head_thumbnails_css(talking_head.heads),
                css_paths=[HERE / "page.css", PAGE / "viewer.css"],
                js=(HERE / "queue_text.js").read_text("utf-8"),
                head=head_html(talking_head.heads.names[0]) if can_draw(talking_head) else None,
                favicon_path=HERE / "icon.svg",
                footer_links=["api"],
                run_history=False,  # recordings are personal: browsers do not store them
                max_file_size=MAX_UPLOAD,
                ssr_mode=False,
                app_kwargs={"routes": live_routes(talking_head)},
            )
        except OSError as error:  # Gradio's own message speaks of its parameters
            place = f"port {port}" if port else "any of the usual ports"
            raise JambaTalkError(
                f"The page cannot be served on {place}, which is in use.", "Choose another --port."
            ) from error
        finally:
            service.close()
