"""The text of the shaders in `shaders/`, for OpenGL here and for WebGL in a browser."""

from __future__ import annotations

import re
from pathlib import Path

SHADERS = Path(__file__).with_name("shaders")
STAGES = ("mesh.vert", "mesh.frag")


def shader_text(name: str) -> str:
    """Return a shader with the files that it includes."""
    text = (SHADERS / name).read_text("utf-8")
    return re.sub(r'#include "(.*)"', lambda found: shader_text(found[1]), text)
