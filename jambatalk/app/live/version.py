"""The version of what a browser keeps: it changes with the program, the network and the heads."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from jambatalk.talking_head import TalkingHead

PACKAGE = Path(__file__).parents[2]
KINDS = {".py", ".js", ".json", ".css", ".webp", ".vert", ".frag", ".glsl"}
LENGTH = 16  # hexadecimal digits


@lru_cache(4)
def version(talking_head: TalkingHead) -> str:
    """Return a hash of all that the files for a browser are made of."""
    total = hashlib.sha256()
    program = (path for path in PACKAGE.rglob("*") if path.suffix in KINDS)
    for path in sorted([*program, *talking_head.heads.folder.rglob("*.*")]):
        total.update(path.name.encode() + path.read_bytes())
    for name, values in talking_head.model.state_dict().items():
        total.update(name.encode() + values.cpu().numpy().tobytes())
    return total.hexdigest()[:LENGTH]
