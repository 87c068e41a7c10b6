"""Gradio's page and queue, with places for each address and a sentence for each failure."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import HTTPException
from gradio.exceptions import Error
from gradio.queueing import Event, Queue

from jambatalk.app.settings import Settings
from jambatalk.app.visitor import address_of, log_failure

log = logging.getLogger(__name__)

VIDEOS = "render"  # concurrency_id of the orders that take long; they are worked on one at a time
MOTIONS = "predict"  # of those of motions, files and phones
MAX_SMALL = 10  # other requests of an address that may wait: a page sends up to six at once
PATIENCE = 15  # seconds for which an order is worked on without anyone who listens for its result
FAILED = "Something went wrong on this server; your recording is not the cause. Try again."


class Sentence(gr.Error):
    """A message for the user, which Gradio neither quotes nor logs with a traceback."""

    def __init__(self, message: str) -> None:
        super().__init__(message, print_exception=False)

    def __str__(self) -> str:
        return self.message


class Page(gr.Blocks):
    """A page whose every request waits in the queue, and whose every failure is a sentence."""

    orders: Orders

    async def preprocess_data(
        self, block_fn: Any, inputs: list[Any], *rest: Any, **more: Any
    ) -> Any:
        """Convert what a client sent.

        Raises:
            Sentence: a value does not fit; it is not repeated, since Gradio prints the sentence.
        """
        try:
            return await super().preprocess_data(block_fn, inputs, *rest, **more)
        except Exception as error:
            raise Sentence(_unfit(block_fn.inputs, inputs)) from error

    async def process_api(self, *given: Any, **more: Any) -> dict[str, Any]:
        """Answer a request.

        Raises:
            gr.Error: whatever went wrong, as a sentence.
        """
        try:
            return await super().process_api(*given, **more)
        except Error:
            raise
        except Exception as error:
            log_failure(log, "A request of the page failed", error)
            raise Sentence(FAILED) from error

    def order(self, settings: Settings, leave: Callable[[str | None], None]) -> None:
        """Let all requests wait in one bounded order, `orders`.

        Args:
            leave: is told the session whose results nobody waits for.
        """
        for function in self.fns.values():
            if not function.queue:  # small ones; else they could be sent around the queue
                function.queue, function.concurrency_limit = True, None
        self.queue(api_open=False)
        self._queue = self.orders = Orders(self, settings, leave)


class Orders(Queue):
    """Gradio's queue, in which all visitors and each address have so many places.

    It knows who listens for results (:meth:`listening`), and gives up an order without listener.
    """

    def __init__(self, page: Page, settings: Settings, leave: Callable[[str | None], None]) -> None:
        super().__init__(
            live_updates=True,
            concurrency_count=page.max_threads,
            update_intervals=1,
            max_size=None,  # counted here, in words
            blocks=page,
        )
        self._settings, self._leave = settings, leave
        self._listeners: Counter[str] = Counter()
        self._alone: dict[str, int] = {}  # seconds for which nobody has listened to a session

    async def push(self, body: Any, request: Any, username: str | None) -> Any:
        """Put a request into the queue.

        Raises:
            HTTPException: no place is free, of all or of this address.
        """
        function = self.blocks.fns.get(body.fn_index)
        if function is None:
            return False, "The page has no such function. Reload it.", "error"
        self._check_places(function.concurrency_id, address_of(request))
        pushed = await super().push(body, request, username)
        session = body.session_hash  # Gradio invents one for programs
        if pushed[0] and session:
            if session not in self._alone:
                watching = asyncio.create_task(self._watch(session))
                self._asyncio_tasks.add(watching)
                watching.add_done_callback(self._asyncio_tasks.discard)
            self._alone[session] = 0
        return pushed

    def _check_places(self, kind: str, address: str) -> None:
        waiting = self.waiting()
        if len(waiting) >= self._settings.max_waiting:
            raise HTTPException(
                429, f"{len(waiting)} requests wait here already. Try again in a few minutes."
            )
        most = self._settings.max_each if kind == VIDEOS else MAX_SMALL
        own = [event for event in waiting if event.concurrency_id == kind]
        if sum(address_of(event.request) == address for event in own) >= most:
            raise HTTPException(
                429,
                f"No more than {most} of your requests may wait here."
                " Wait until one is made, or press Stop.",
            )

    def waiting(self) -> list[Event]:
        """Return the requests that wait, without the small ones that never do."""
        queues = self.event_queue_per_concurrency_id.values()
        return [event for queue in queues if queue.concurrency_limit for event in queue.queue]

    def files(self) -> set[Path]:
        """Return the files that requests that wait or are being worked on were given."""
        active = [event for job in list(self.active_jobs) for event in job or ()]
        return {
            path
            for event in [*self.waiting(), *active]
            if event.data is not None
            for path in _paths(event.data.data)
        }

    def knows(self, name: str) -> bool:
        """Return whether a session or an order has results to come."""
        return name in self.pending_messages_per_session or any(
            name in ids for ids in self.pending_event_ids_session.values()
        )

    @contextmanager
    def listening(self, name: str) -> Iterator[None]:
        """Count who listens to a session or an order, in this context."""
        self._listeners[name] += 1
        try:
            yield
        finally:
            self._listeners[name] -= 1
            if not self._listeners[name]:
                del self._listeners[name]

    async def _watch(self, session: str) -> None:
        """Give up the orders of a session that nobody listens to, and forget their results."""
        while self._alone[session] < PATIENCE:
            await asyncio.sleep(1)
            ids = self.pending_event_ids_session.get(session, ())
            heard = any(name in self._listeners for name in (session, *ids))
            self._alone[session] = 0 if heard else self._alone[session] + 1
        del self._alone[session]
        self._leave(session)
        await self.clean_events(session_hash=session)
        self.pending_event_ids_session.pop(session, None)
        self.pending_messages_per_session.pop(session, None)


def _unfit(inputs: list[Any], values: list[Any]) -> str:
    """Return which value does not fit its input."""
    if len(values) != len(inputs):
        return f"{len(inputs)} values are needed, not {len(values)}."
    for block, value in zip(inputs, values, strict=True):
        if not block.data_model:
            try:
                block.preprocess(value)
            except Exception:
                return f"{block.label} does not take this value. Choose another."
    given = zip(inputs, values, strict=True)
    files = [block.label for block, value in given if block.data_model and value]
    return f"{' or '.join(files) or 'A file'} does not take this file. Choose another."


def _paths(value: Any) -> Iterator[Path]:
    """Yield the paths in the JSON of a request."""
    if isinstance(value, dict) and isinstance(value.get("path"), str):
        yield Path(value["path"])
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _paths(item)
