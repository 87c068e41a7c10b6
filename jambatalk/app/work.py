"""Work in threads beside the event loop, which reports its progress until somebody stops it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import copy_context
from threading import Event
from typing import TypeVar

import gradio as gr

from jambatalk.errors import Stopped
from jambatalk.progress import Progress

Result = TypeVar("Result")


def in_thread(threads: Executor, work: Callable[[], Result]) -> asyncio.Future[Result]:
    """Start work in one of `threads`, in the context in which Gradio knows the request."""
    return asyncio.get_running_loop().run_in_executor(threads, copy_context().run, work)


def stoppable(progress: gr.Progress, stopped: Event) -> Progress:
    """Return a callback that shows progress on the page, and raises Stopped once that is set."""

    def report(stage: str, done: float) -> None:
        if stopped.is_set():
            raise Stopped("Stopped.")
        progress(done, desc=stage)

    return report
