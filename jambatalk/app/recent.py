"""What was computed of late, so that it is not computed again: each session's own, and bounded."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any


@dataclass(frozen=True)
class _Result:
    value: Any
    size: int  # bytes


class Recent:
    """Results of recordings, of which those that were not used for longest make room for others.

    A result is given to the session alone that asked for it, and dropped when that ends or the
    recording is deleted.

    Args:
        most_bytes: of all results.
        most: results.
    """

    def __init__(self, most_bytes: int, most: int) -> None:
        self._most_bytes, self._most = most_bytes, most
        self._results: OrderedDict[tuple[str, str, Hashable], _Result] = OrderedDict()
        self._lock = Lock()

    def find(self, session: str | None, recording: str, key: Hashable) -> Any:
        """Return what was kept, or None."""
        place = (session or "", recording, key)
        with self._lock:
            if place not in self._results:
                return None
            self._results.move_to_end(place)
            return self._results[place].value

    def keep(
        self, session: str | None, recording: str, key: Hashable, value: Any, size: int
    ) -> None:
        """Keep a value; nothing is kept for nobody, nor what is too large.

        Args:
            session: its Gradio session hash.
            recording: the path of the file that it was computed of.
            key: what it is.
            size: bytes of memory.
        """
        if not session or size > self._most_bytes:
            return
        with self._lock:
            self._results[session, recording, key] = _Result(value, size)
            self._results.move_to_end((session, recording, key))
            while len(self._results) > self._most or self.size > self._most_bytes:
                self._results.popitem(last=False)

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return sum(result.size for result in self._results.values())

    def forget(self, session: str | None) -> None:
        """Drop the results of a session that has ended."""
        self._drop(lambda owner, _: owner == session)

    def sweep(self) -> None:
        """Drop the results of recordings that have been deleted."""
        self._drop(lambda _, recording: not Path(recording).exists())

    def _drop(self, condition: Callable[[str, str], bool]) -> None:
        with self._lock:
            for session, recording, key in list(self._results):
                if condition(session, recording):
                    del self._results[session, recording, key]
