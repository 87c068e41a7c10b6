"""Gradio's components where they do not suit programs.

They are changed one by one: Gradio writes a file beside each module that holds a class of them.
"""

from __future__ import annotations

import logging
from pathlib import Path
from urllib.parse import unquote, urlsplit

import gradio as gr
from gradio.utils import is_in_or_equal

from jambatalk.app.orders import Sentence
from jambatalk.errors import brief

log = logging.getLogger(__name__)

SERVED = "/gradio_api/file="  # before the path of a file, in its address


def describe_integers(dropdown: gr.Dropdown) -> gr.Dropdown:
    """Let the API describe a list of integers as such: Gradio calls all of them text."""
    schema = {"type": "integer", "enum": [value for _, value in dropdown.choices]}
    dropdown.api_info = lambda: schema  # type: ignore[method-assign]
    return dropdown


def take_own_files(recording: gr.Audio) -> gr.Audio:
    """Let a recording also be the address of a file that this page has made or taken."""
    fetch = recording.async_move_resource_to_block_cache

    async def find(url_or_file_path: str | Path | None) -> str | None:
        _, found, path = unquote(urlsplit(str(url_or_file_path)).path).partition(SERVED)
        if found and is_in_or_equal(path, recording.GRADIO_CACHE):
            url_or_file_path = path
        try:
            return await fetch(url_or_file_path)
        except Exception as error:  # of many kinds; addresses in this server's network too
            log.info("A recording could not be fetched: %s", type(error).__name__)
            raise Sentence(
                f"The recording could not be fetched from {brief(url_or_file_path)}."
            ) from error

    recording.async_move_resource_to_block_cache = find  # type: ignore[method-assign]
    return recording
