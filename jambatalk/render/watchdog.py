"""Timeouts for processes that are waited for without a timeout of their own, as through a pipe."""

from __future__ import annotations

import subprocess
from threading import Event, Thread

CHECKS = 10  # within the timeout


class Watchdog:
    """Kill a process that blocks its caller for too long.

    Every block of code that waits for the process is a `with watchdog:`; when the time is over it
    meets a closed pipe. The time during which this process itself is suspended does not count.

    Args:
        timeout: seconds that one block may take.

    Attributes:
        expired: whether the process was killed.
    """

    def __init__(self, process: subprocess.Popen, timeout: float) -> None:
        self.expired = False
        self._process, self._interval = process, timeout / CHECKS
        self._block: object = None  # the block under way
        self._closed = Event()
        Thread(target=self._watch, name="watchdog", daemon=True).start()

    def __enter__(self) -> None:
        self._block = object()

    def __exit__(self, *_: object) -> None:
        self._block = None

    def close(self) -> None:
        """Stop watching."""
        self._closed.set()

    def _watch(self) -> None:
        watched, checks = None, 0
        while not self._closed.wait(self._interval):
            block = self._block
            checks = checks + 1 if block is watched else 0
            watched = block
            if block is not None and checks == CHECKS:
                self.expired = True
                self._process.kill()
                return
