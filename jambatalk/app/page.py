"""The page: what is said at its top and bottom, its look, and how it is served."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path
from typing import Any

import gradio as gr

from jambatalk import TalkingHead
from jambatalk.app import animate_tab as animate
from jambatalk.app import compare_tab as compare
from jambatalk.app import live_tab as live
from jambatalk.app.inputs import inputs, portraits
from jambatalk.app.live.server import PAGE, live_routes
from jambatalk.app.studio import Studio
from jambatalk.errors import JambaTalkError
from jambatalk.face.library import BUNDLED
from jambatalk.files.bundled import DEFAULT_CHECKPOINT

HERE = Path(__file__).parent
MAX_UPLOAD = "200mb"  # ten minutes of 16-bit stereo at 48 kHz are 115 MB
MAX_WAITING = 20  # visitors; at half a minute each the last waits for ten
SWEEP, KEEP = 600, 3600  # seconds: every ten minutes, files older than an hour are deleted

HEADER = """
# JambaTalk
Say something, and a head in 3D says it after you.
"""
BUNDLED_FOOTER = """
The bundled network is our own, trained on captured lips and on speech animated by rule; it is not
the JambaTalk paper's.
Code: Apache-2.0. HeadLibrary: CC0, made from MakeHuman's.
"""
OTHER_FOOTER = """
Code: Apache-2.0. The network and the heads have licences of their own: see their model card.
"""
PRIVACY = """
Recordings and videos are deleted from this server after about an hour, and are kept nowhere else.
"""


def build(studio: Studio) -> gr.Blocks:
    """The page, ready to launch; all that visitors share is the studio's network."""
    with gr.Blocks(title="JambaTalk", analytics_enabled=False, delete_cache=(SWEEP, KEEP)) as page:
        gr.Markdown(HEADER, elem_id="header")
        with gr.Row():
            with gr.Column(scale=2, min_width=320):
                given = inputs(studio.talking_head.heads)
            with gr.Column(scale=3, min_width=320), gr.Tabs():
                animate.tab(studio, given)
                if len(studio.talking_head.styles) > 1:
                    compare.tab(studio, given)
                if live.is_possible(studio.talking_head):
                    live.tab(studio, given)
        bundled = studio.talking_head.heads is BUNDLED
        gr.Markdown((BUNDLED_FOOTER if bundled else OTHER_FOOTER) + PRIVACY, elem_id="footer")
        page.unload(studio.leave)
    return page.queue(max_size=MAX_WAITING)


def _theme() -> gr.themes.Base:
    # The system's own: nothing is fetched from elsewhere.
    fonts = {"font": ["system-ui", "sans-serif"], "font_mono": ["ui-monospace", "monospace"]}
    # Small print dark enough to be read: 4.5:1 and more on its ground.
    small_print = {
        name + suffix: shade
        for name in ("body_text_color_subdued", "block_info_text_color", "block_label_text_color")
        for suffix, shade in (("", "*neutral_600"), ("_dark", "*neutral_300"))
    }
    return gr.themes.Default(
        primary_hue="indigo", secondary_hue="indigo", neutral_hue="slate", radius_size="lg", **fonts
    ).set(**small_print)


def look(talking_head: TalkingHead) -> dict[str, Any]:
    """How the page looks, and what it takes and tells: for whatever serves it."""
    return {
        "theme": _theme(),
        "css": portraits(talking_head.heads),
        "css_paths": [HERE / "page.css", PAGE / "live.css"],
        "favicon_path": HERE / "icon.svg",
        "footer_links": ["api"],
        "run_history": False,  # recordings are personal: no browser keeps them
        "max_file_size": MAX_UPLOAD,
        "ssr_mode": False,
        "app_kwargs": {"routes": live_routes(talking_head)},
    }


def launch(
    checkpoint: str | Path = DEFAULT_CHECKPOINT, device: str = "cpu", port: int | None = None
) -> None:
    """Load a network and serve the page until it is interrupted or terminated.

    The address is set as in any Gradio application: GRADIO_SERVER_NAME, GRADIO_SERVER_PORT and
    GRADIO_ROOT_PATH. Uploads and results lie in a temporary folder that is removed at the end,
    unless GRADIO_TEMP_DIR names another.

    Args:
        port: overrides GRADIO_SERVER_PORT.

    Raises:
        ModelError: no checkpoint. JambaTalkError: no port is free.
    """
    studio = Studio(TalkingHead.from_pretrained(checkpoint, device))
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as gentle an end as Ctrl-C
    with tempfile.TemporaryDirectory(prefix="jambatalk-", ignore_cleanup_errors=True) as folder:
        os.environ.setdefault("GRADIO_TEMP_DIR", folder)
        page = build(studio)
        try:
            page.launch(server_port=port, **look(studio.talking_head))
        except OSError as error:
            raise JambaTalkError(
                f"The page cannot be served ({error}).",
                "Choose another --port.",
            ) from error
        finally:
            studio.close()
