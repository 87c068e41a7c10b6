"""The OpenGL context: which backend works on this system, and opening it.

Linux draws offscreen through EGL or OSMesa, Windows and macOS through a hidden window of their own
(WGL and CGL). A context belongs to the thread that opened it, and closing one of several breaks the
others; so each render worker has one, as long as it runs (`worker_process.py`).
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from jambatalk.errors import RenderError

if TYPE_CHECKING:
    from pyrender.platforms import Platform

NATIVE = "native"  # the backend of Windows and macOS
PACKAGES = {  # backend, best first → package manager → packages
    "egl": {
        "apt-get": "libegl1 libgl1",
        "dnf": "mesa-libEGL libglvnd-opengl mesa-dri-drivers",
    },
    "osmesa": {"apt-get": "libosmesa6", "dnf": "mesa-compat-libOSMesa"},
}
LIBRARIES = {"egl": "libEGL or libGL", "osmesa": "libOSMesa", NATIVE: "OpenGL"}
SOFTWARE = b"EGL_MESA_device_software"  # extension of a device without hardware


def backends() -> tuple[str, ...]:
    """Return the backends of this system, best first.

    On Linux the variable PYOPENGL_PLATFORM chooses between EGL and OSMesa.
    """
    if sys.platform in ("win32", "darwin"):
        return (NATIVE,)
    requested = os.environ.get("PYOPENGL_PLATFORM")
    if requested and requested not in PACKAGES:
        raise RenderError(
            f"PYOPENGL_PLATFORM={requested} cannot draw offscreen.",
            f"Unset it, or set it to {' or '.join(PACKAGES)}.",
        )
    return (requested,) if requested else tuple(PACKAGES)


def advice() -> str:
    """Return advice on how to get OpenGL on this system."""
    if sys.platform == "win32":
        return "Install the graphics card's driver: OpenGL 3.3 is needed, also in a remote session."
    if sys.platform == "darwin":
        return "Run it as the user who is logged in at the screen: macOS needs one to draw."
    for manager in ("apt-get", "dnf"):
        if shutil.which(manager):
            names = [packages[manager] for packages in PACKAGES.values()]
            return "Install it: " + " or ".join(f"'{manager} install {name}'" for name in names)
    return "Install the EGL or the OSMesa library of Mesa."


def open_context(backend: str) -> Platform:
    """Open a context in this thread; it is closed when the result is garbage-collected.

    Raises:
        RenderError: the driver, PyOpenGL or pyrender failed.
    """
    if backend != NATIVE:
        os.environ["PYOPENGL_PLATFORM"] = backend  # read by the first import of PyOpenGL
        os.environ.setdefault("PYGLET_HEADLESS", "1")  # else importing pyrender needs X
    reason = "no device opens an OpenGL 4.1 context"
    contexts = _contexts(backend)
    while True:
        try:
            context = next(contexts)
            context.init_context()
            context.make_current()
            return context
        except StopIteration:
            raise RenderError(f"{backend}: {reason}.", advice()) from None
        except (AttributeError, ImportError):  # PyOpenGL found no library
            reason = f"{LIBRARIES[backend]} is missing"
        except Exception as error:
            reason = str(error) or reason  # failed assertions have no message


def _contexts(backend: str) -> Iterator[Platform]:
    """Yield contexts to try, one for each EGL device, GPUs first. (An OffscreenRenderer of pyrender
    would open another context for each clip.)"""
    if backend == "egl":
        from OpenGL.EGL import EGL_EXTENSIONS
        from pyrender.platforms import egl

        def is_software(device: egl.EGLDevice) -> bool:
            query = egl._eglQueryDeviceStringEXT
            return query is not None and SOFTWARE in (query(device._display, EGL_EXTENSIONS) or b"")

        if number := os.environ.get("EGL_DEVICE_ID"):
            devices = [egl.get_device_by_index(int(number))]
        else:
            devices = sorted(egl.query_devices(), key=is_software)
        for device in devices:
            yield egl.EGLPlatform(1, 1, device=device)
    elif backend == "osmesa":
        from pyrender.platforms.osmesa import OSMesaPlatform

        yield OSMesaPlatform(1, 1)
    else:
        from pyrender.platforms.pyglet_platform import PygletPlatform

        yield PygletPlatform(1, 1)
