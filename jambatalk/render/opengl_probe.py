"""Try to open an OpenGL context through EGL or OSMesa (Linux).

Run as a separate script (`python opengl_probe.py egl`), since a driver may crash or hang, and the
first import of PyOpenGL binds a process to one of the two. Prints the number of the first device
that works, or the reason why none does. Only the standard library, so that it starts at once.
"""

import ctypes
import os
import sys
from ctypes import POINTER, byref, c_char_p, c_int, c_void_p

# From the registries of EGL and OSMesa.
EGL_PLATFORM_DEVICE = 0x313F
EGL_OPENGL_API = 0x30A2
EGL_NONE = 0x3038
EGL_EXTENSIONS = 0x3055
SOFTWARE = b"EGL_MESA_device_software"  # extension of a device without hardware
CONFIG = (0x3033, 0x0001, 0x3025, 24, 0x3040, 0x0008, EGL_NONE)  # pbuffer, 24 bits depth, OpenGL
CORE_41 = (0x3098, 4, 0x30FB, 1, 0x30FD, 0x0001, EGL_NONE)
CORE_33 = (0x22, 0x1908, 0x30, 24, 0x33, 0x34, 0x36, 3, 0x37, 3, 0)


class NoContextError(Exception):
    """The reason, in a few words."""


def main() -> None:
    """Print the device and exit with 0, or the reason and exit with 1."""
    try:
        print({"egl": open_egl, "osmesa": open_osmesa}[sys.argv[1]]())
    except NoContextError as error:
        print(error)
        sys.exit(1)


def open_egl() -> int:
    """Return the first EGL device that opens a context; those without a GPU come last."""
    _load("OpenGL", "GL")
    egl = _load("EGL")
    egl.eglGetProcAddress.restype = c_void_p
    query_address, display_address, string_address = (
        egl.eglGetProcAddress(name)
        for name in (
            b"eglQueryDevicesEXT",
            b"eglGetPlatformDisplayEXT",
            b"eglQueryDeviceStringEXT",
        )
    )
    if not (query_address and display_address):
        raise NoContextError("libEGL cannot list its devices")
    query = ctypes.CFUNCTYPE(c_int, c_int, POINTER(c_void_p), POINTER(c_int))(query_address)
    get_display = ctypes.CFUNCTYPE(c_void_p, c_int, c_void_p, c_void_p)(display_address)
    devices, count = (c_void_p * 16)(), c_int()
    if not query(16, devices, byref(count)) or not count.value:
        raise NoContextError("libEGL finds no device")
    describe = string_address and ctypes.CFUNCTYPE(c_char_p, c_void_p, c_int)(string_address)

    def in_software(number: int) -> bool:
        return bool(describe) and SOFTWARE in (describe(devices[number], EGL_EXTENSIONS) or b"")

    wanted = os.environ.get("EGL_DEVICE_ID")
    for number in [int(wanted)] if wanted else sorted(range(count.value), key=in_software):
        display = get_display(EGL_PLATFORM_DEVICE, devices[number], None)
        if display and _opens(egl, c_void_p(display)):
            return number
    raise NoContextError("no EGL device gives an OpenGL 4.1 context")


def _opens(egl: ctypes.CDLL, display: c_void_p) -> bool:
    config, found = c_void_p(), c_int()
    egl.eglCreateContext.restype = c_void_p
    if not egl.eglInitialize(display, None, None) or not egl.eglBindAPI(EGL_OPENGL_API):
        return False
    egl.eglChooseConfig(display, (c_int * len(CONFIG))(*CONFIG), byref(config), 1, byref(found))
    if not found.value:
        return False
    context = egl.eglCreateContext(display, config, None, (c_int * len(CORE_41))(*CORE_41))
    return bool(context) and bool(egl.eglMakeCurrent(display, None, None, c_void_p(context)))


def open_osmesa() -> int:
    """Open a context; OSMesa has one device, number 0."""
    mesa = _load("OSMesa")
    mesa.OSMesaCreateContextAttribs.restype = c_void_p
    context = mesa.OSMesaCreateContextAttribs((c_int * len(CORE_33))(*CORE_33), None)
    pixel = (ctypes.c_ubyte * 4)()
    if not context or not mesa.OSMesaMakeCurrent(c_void_p(context), pixel, 0x1401, 1, 1):
        raise NoContextError("libOSMesa gives no OpenGL 3.3 context")
    return 0


def _load(*names: str) -> ctypes.CDLL:
    """Load the first library of these names, as PyOpenGL looks for it."""
    for name in names:
        for version in ("", *(f".{number}" for number in range(9, -1, -1))):
            try:
                return ctypes.CDLL(f"lib{name}.so{version}", ctypes.RTLD_GLOBAL)
            except OSError:
                continue
    raise NoContextError(f"lib{names[-1]} is missing")


if __name__ == "__main__":
    main()
