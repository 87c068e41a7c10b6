"""A file and a server that no input may reach, and whether one has."""

from __future__ import annotations

import atexit
import os
import select
import shutil
import socket
import tempfile
from pathlib import Path
from uuid import uuid4

_FOLDER = Path(tempfile.mkdtemp(prefix="fuzz-canary-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
_SERVER = socket.create_server(("127.0.0.1", 0))
_SECRET = uuid4().hex
FILE = _FOLDER / "canary.txt"
FILE.write_text(f"{_SECRET}\n")
URL = f"http://127.0.0.1:{_SERVER.getsockname()[1]}/canary.wav"


def reached(text: str) -> str:
    """Return what was reached since the last call, "" if nothing; `text` is what became of it."""
    opened, connected = os.stat(FILE).st_atime_ns > 0, False
    os.utime(FILE, (0, FILE.stat().st_mtime))  # most disks note the first reading after a change
    while select.select([_SERVER], [], [], 0)[0]:
        _SERVER.accept()[0].close()
        connected = True
    found = {"its text was told": _SECRET in text, "file read": opened, "server asked": connected}
    return ", ".join(what for what, happened in found.items() if happened)


def prove() -> None:
    """Check that reaching them is noticed here.

    Raises:
        RuntimeError: it is not, as on a disk that notes no reading.
    """
    reached("")
    text = FILE.read_text()
    socket.create_connection(_SERVER.getsockname()).close()
    if reached(text).count(",") != 2 or reached(""):
        raise RuntimeError(f"The canaries cannot be watched: does {_FOLDER} note readings?")
