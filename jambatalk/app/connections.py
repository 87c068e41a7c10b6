"""Connections to the server: what a client may hold open without asking for anything."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE = 30.0  # seconds for the headers of a request
_BUSY = object()


class PatientProtocol(H11Protocol):
    """HTTP whose requests come in time; h11 bounds their headers, which httptools does not."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a first request."""
        super().connection_made(transport)
        self.loop.call_later(PATIENCE, self._look, None)

    def _look(self, before: Any) -> None:
        """Close the connection if it has had no request since the last look.

        Args:
            before: the answer that was complete then, None before the first one.
        """
        if self not in self.connections:  # closed, or a WebSocket now
            return
        idle = self.cycle is None or self.cycle.response_complete
        if idle and self.cycle is before:
            self.transport.close()
        else:
            self.loop.call_later(PATIENCE, self._look, self.cycle if idle else _BUSY)


def allow_many_files() -> None:
    """Let this process open as many files and connections as the system lets it."""
    with suppress(ImportError, OSError, ValueError):  # Windows has no such limit
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
