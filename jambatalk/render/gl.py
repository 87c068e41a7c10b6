"""The OpenGL context: opened with what works here, and owned by one thread of the process.

A context opened in one thread cannot be used from another, closing one of several kills the
others, and a child forked after OpenGL was used hangs. So there is one context, one thread, and
both live as long as the process.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from jambatalk.errors import RenderError

log = logging.getLogger(__name__)

PACKAGES = {"egl": "libegl1 libgl1", "osmesa": "libosmesa6"}  # Debian's, best first
PROBE_SECONDS = 30

_lock = threading.Lock()
_thread: ThreadPoolExecutor | None = None
_process = 0  # the one in which _thread was started
_context: object = None  # collecting it would close it


def submit(work: Callable, *args: object) -> Future:
    """Runs `work(*args)` on the thread whose OpenGL context is current; any thread may ask.

    Raises:
        RenderError: no context can be opened here, or this process was forked from one that
            already had one.
    """
    global _thread, _process
    with _lock:
        if _thread is None:
            _thread, _process = _start(), os.getpid()
        elif _process != os.getpid():
            raise RenderError(
                "OpenGL cannot be used in a process forked from one that has drawn.",
                "Start worker processes with multiprocessing.get_context('spawn').",
            )
    return _thread.submit(work, *args)


def _start() -> ThreadPoolExecutor:
    backend, device = _choose()
    os.environ["PYOPENGL_PLATFORM"] = backend  # read by the first import of PyOpenGL
    os.environ.setdefault("PYGLET_HEADLESS", "1")  # else importing pyrender asks for X
    thread = ThreadPoolExecutor(1, thread_name_prefix="opengl")
    try:
        thread.submit(_open_context, backend, device).result()
    except Exception as error:  # whatever the driver, PyOpenGL or pyrender came upon
        thread.shutdown()
        raise RenderError(
            f"OpenGL ({backend}) could not be opened ({error or type(error).__name__}).",
            f"Try PYOPENGL_PLATFORM={'osmesa' if backend == 'egl' else 'egl'}.",
        ) from error
    return thread


def _choose() -> tuple[str, int]:
    """The back end to use and the number of its device. PYOPENGL_PLATFORM settles the first."""
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
    script = Path(__file__).with_name("probe.py")
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


def _open_context(backend: str, device: int) -> None:
    global _context
    # Not through an OffscreenRenderer: each of those opens a context of its own.
    if backend == "egl":
        from pyrender.platforms import egl

        _context = egl.EGLPlatform(1, 1, device=egl.get_device_by_index(device))
    else:
        from pyrender.platforms.osmesa import OSMesaPlatform

        _context = OSMesaPlatform(1, 1)
    _context.init_context()
    _context.make_current()
