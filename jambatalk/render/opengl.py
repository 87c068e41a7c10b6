"""The OpenGL context: which backend works on this system, and opening it.

Linux draws offscreen through EGL or OSMesa, Windows and macOS through a hidden window of their own
(WGL and CGL). A context belongs to the thread that opened it, and closing one of several breaks the
others; so each render worker has one, as long as it runs (`worker_process.py`).
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

from jambatalk.errors import RenderError

log = logging.getLogger(__name__)

NATIVE = "native"  # the backend of Windows and macOS
PACKAGES = {  # backend, best first → package manager → packages
    "egl": {
        "apt-get": "libegl1 libgl1",
        "dnf": "mesa-libEGL libglvnd-opengl mesa-dri-drivers",
    },
    "osmesa": {"apt-get": "libosmesa6", "dnf": "mesa-compat-libOSMesa"},
}
PROBE_SECONDS = 30


def choose_backend() -> tuple[str, int]:
    """Return the backend to use and the number of its device.

    On Linux the variable PYOPENGL_PLATFORM chooses between EGL and OSMesa.

    Raises:
        RenderError: no context can be opened here; the message says how to get one.
    """
    if sys.platform in ("win32", "darwin"):
        return NATIVE, 0
    requested = os.environ.get("PYOPENGL_PLATFORM")
    if requested and requested not in PACKAGES:
        raise RenderError(
            f"PYOPENGL_PLATFORM={requested} cannot draw offscreen.",
            f"Unset it, or set it to {' or '.join(PACKAGES)}.",
        )
    reasons = []
    for backend in [requested] if requested else PACKAGES:
        works, answer = _probe(backend)
        if works:
            log.info("Rendering with OpenGL through %s.", backend)
            return backend, int(answer)
        reasons.append(f"{backend}: {answer}")
    raise RenderError(f"There is no offscreen OpenGL here ({'; '.join(reasons)}).", advice())


def advice() -> str:
    """Say how to get OpenGL on this system."""
    if sys.platform == "win32":
        return "Install the graphics card's driver: OpenGL 3.3 is needed, also in a remote session."
    if sys.platform == "darwin":
        return "Run it as the user who is logged in at the screen: macOS needs one to draw."
    for manager in ("apt-get", "dnf"):
        if shutil.which(manager):
            names = [packages[manager] for packages in PACKAGES.values()]
            return "Install it: " + " or ".join(f"'{manager} install {name}'" for name in names)
    return "Install the EGL or the OSMesa library of Mesa."


def _probe(backend: str) -> tuple[bool, str]:
    """Open a context in a process of its own: whether that works, and its device or the reason."""
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
        return False, "the driver hangs"
    return done.returncode == 0, done.stdout.strip() or f"the driver crashes ({done.returncode})"


def open_context(backend: str, device: int) -> object:
    """Open a context in this thread; it is closed when the result is garbage-collected.

    Raises:
        RenderError: the driver, PyOpenGL or pyrender failed.
    """
    if backend != NATIVE:
        os.environ["PYOPENGL_PLATFORM"] = backend  # read by the first import of PyOpenGL
        os.environ.setdefault("PYGLET_HEADLESS", "1")  # else importing pyrender needs X
    # Not through an OffscreenRenderer: each of those opens a context of its own.
    try:
        if backend == "egl":
            from pyrender.platforms import egl

            context = egl.EGLPlatform(1, 1, device=egl.get_device_by_index(device))
        elif backend == "osmesa":
            from pyrender.platforms.osmesa import OSMesaPlatform

            context = OSMesaPlatform(1, 1)
        else:
            from pyrender.platforms.pyglet_platform import PygletPlatform

            context = PygletPlatform(1, 1)
        context.init_context()
        context.make_current()
    except Exception as error:
        raise RenderError(
            f"OpenGL ({backend}) could not be opened ({error or type(error).__name__}).", advice()
        ) from error
    return context
