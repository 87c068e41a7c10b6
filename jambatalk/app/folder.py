"""The folder of uploads and results: bounded in bytes and time."""

from __future__ import annotations

import shutil
import stat
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from jambatalk.errors import JambaTalkError

SHARE = 4  # an address may hold this part of the folder
RESERVE = 100 * 2**20  # bytes of the disk that stay free, for what is made of an upload
STALLED = 60.0  # seconds after which an unfinished upload is given up
MEGABYTE = 2**20
FULL = "This server is full. Try again in a few minutes."


class FullError(JambaTalkError):
    """No room for a file."""


@dataclass(frozen=True)
class _Entry:
    """What lies in the folder under one name: an upload, or the files of a result."""

    path: Path
    changed: float  # seconds
    size: int  # bytes


class Folder:
    """A folder whose entries are deleted after a time, and the oldest ones when it is full.

    Args:
        keep: seconds for which entries are kept.
        most: bytes of all entries; an address may upload a SHARE of them.
    """

    def __init__(self, path: Path, keep: float, most: int) -> None:
        self.path = path
        self.in_use: Callable[[], Collection[Path]] = tuple  # files that are not deleted
        self._keep, self._most = keep, most
        self._permanent: set[Path] = set()
        self._owners: dict[Path, str] = {}  # entry → address
        self._coming: list[tuple[str, int]] = []  # (address, bytes)
        self._lock = Lock()

    def make_permanent(self) -> None:
        """Keep what is in the folder now, the page's own files."""
        self._permanent = set(self.path.iterdir())

    def sweep(self) -> None:
        """Delete what is old, what was not uploaded to its end, and the oldest of too much."""
        with self._lock:
            now, used = time.time(), self._used()
            for entry in self._entries():
                if entry.path in used:
                    continue
                partial = entry.path.is_file()  # Gradio moves complete uploads into a folder
                if now - entry.changed > (min(STALLED, self._keep) if partial else self._keep):
                    self._delete(entry)
            self._shrink(self._entries(), self._most, used)

    def make_room(self, address: str, size: int) -> None:
        """Delete the oldest uploads, until an address may upload so many bytes.

        Raises:
            FullError: there is no room, because of files that are in use or of a full disk.
        """
        with self._lock:
            used, entries = self._used(), self._entries()
            own = [entry for entry in entries if self._owners.get(entry.path) == address]
            coming = sum(bytes_ for owner, bytes_ in self._coming if owner == address)
            if not self._shrink(own, self._most // SHARE - size - coming, used):
                share = self._most // SHARE // MEGABYTE
                raise FullError(
                    f"Your recordings may take {share} MB here.", "Wait until one is animated."
                )
            coming = sum(bytes_ for _, bytes_ in self._coming)
            fits = self._shrink(self._entries(), self._most - size - coming, used)
            if not fits or shutil.disk_usage(self.path).free < size + coming + RESERVE:
                raise FullError(FULL)

    @contextmanager
    def receiving(self, address: str, size: int, uploaded: Callable[[], list[str]]) -> Iterator:
        """Count an upload that is coming, in this context.

        Args:
            uploaded: returns its files afterwards; none if it failed.
        """
        coming = address, size
        self._coming.append(coming)
        try:
            yield
        finally:
            self._coming.remove(coming)
            for path in uploaded():
                self._owners[self.path / Path(path).relative_to(self.path).parts[0]] = address
            if not self._coming:  # what is still unfinished never will be
                for entry in self._entries():
                    if entry.path.is_file():
                        self._delete(entry)

    def _used(self) -> set[Path]:
        folder = self.path
        files = (path for path in self.in_use() if path.is_relative_to(folder) and path != folder)
        return {folder / path.relative_to(folder).parts[0] for path in files}

    def _entries(self) -> list[_Entry]:
        """Return what may be deleted, the oldest first."""
        found = []
        for path in self.path.iterdir():
            if path in self._permanent:
                continue
            with suppress(FileNotFoundError):  # moved meanwhile
                parts = [part.stat() for part in (path, *path.rglob("*"))]
                size = sum(part.st_size for part in parts if stat.S_ISREG(part.st_mode))
                found.append(_Entry(path, max(part.st_mtime for part in parts), size))
        return sorted(found, key=lambda entry: entry.changed)

    def _shrink(self, entries: list[_Entry], most: int, used: set[Path]) -> bool:
        """Delete the oldest until no more than `most` bytes are left; return whether so few are."""
        total = sum(entry.size for entry in entries)
        for entry in entries:
            if total <= most:
                break
            if entry.path not in used and entry.path.is_dir():
                self._delete(entry)
                total -= entry.size
        return total <= most

    def _delete(self, entry: _Entry) -> None:
        self._owners.pop(entry.path, None)
        if entry.path.is_dir():
            shutil.rmtree(entry.path, ignore_errors=True)
        else:
            entry.path.unlink(missing_ok=True)
