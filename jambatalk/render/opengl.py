"""The OpenGL context: which kind works here, and opening it.

A context belongs to the thread that opened it, and closing one of several kills the others. So a
process that draws has one, for as long as it lives, see `worker.py`.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

from jambatalk.errors import RenderError

log = logging.getLogger(__name__)

PACKAGES = {"egl": "libegl1 libgl1", "osmesa": "libosmesa6"}  # Debian's, best first
PROBE_SECONDS = 30


def choose() -> tuple[str, int]:
    """The back end to use and the number of its device. PYOPENGL_PLATFORM settles the first.

    Raises:
        RenderError: no context can be opened here; the message names what to install.
    """
    wanted = os.environ.get("PYOPENGL_PLATFORM")
    if wanted and wanted not in PACKAGES:
        raise RenderError(
            f"PYOPENGL_PLATFORM={wanted} cannot draw offscreen.",
            f"Unset it, or set it to {' or '.join(PACKAGES)}.",
        )
    reasons = []
    for backend in [wanted] if wanted else PACKAGES:
        works, answer = _probe(backend)
        if works:
            log.info("Drawing with OpenGL through %s.", backend)
            return backend, int(answer)
        reasons.append(f"{backend}: {answer}")
    raise RenderError(
        f"There is no offscreen OpenGL here ({'; '.join(reasons)}).",
        " or ".join(f"'apt-get install {names}'" for names in PACKAGES.values())
        + " installs it on Debian and Ubuntu.",
    )


def _probe(backend: str) -> tuple[bool, str]:
    """Whether a context opens in a process of its own, and what that process says."""
    script = Path(__file__).with_name("opengl_probe.py")
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(script), backend],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=PROBE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return False, "it hangs"
    return done.returncode == 0, done.stdout.strip() or f"it crashes ({done.returncode})"


def open_context(backend: str, device: int) -> object:
    """Opens a context in this thread; it closes when the result is collected.

    Raises:
        RenderError: the driver, PyOpenGL or pyrender came upon something.
    """
    os.environ["PYOPENGL_PLATFORM"] = backend  # read by the first import of PyOpenGL
    os.environ.setdefault("PYGLET_HEADLESS", "1")  # else importing pyrender asks for X
    # Not through an OffscreenRenderer: each of those opens a context of its own.
    try:
        if backend == "egl":
            from pyrender.platforms import egl

            context = egl.EGLPlatform(1, 1, device=egl.get_device_by_index(device))
        else:
            from pyrender.platforms.osmesa import OSMesaPlatform

            context = OSMesaPlatform(1, 1)
        context.init_context()
        context.make_current()
    except Exception as error:
        raise RenderError(
            f"OpenGL ({backend}) could not be opened ({error or type(error).__name__}).",
            f"Try PYOPENGL_PLATFORM={'osmesa' if backend == 'egl' else 'egl'}.",
        ) from error
    return context
