"""Nothing that only POSIX systems have is needed: simulated here, not run on Windows or macOS."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe

from jambatalk.render.opengl import NATIVE, advice, backends

ROOT = Path(__file__).resolve().parent.parent

# Run by every Python process of the tests at its start: modules of this project do not find what
# only POSIX systems have; other packages, which look at the system's name instead, still do.
SITE = """
import builtins, os, signal, sys

MODULES = "fcntl grp pwd pty resource syslog termios tty".split()
NAMES = {
    os: "fork forkpty getpgid getuid killpg mkfifo nice pipe2 posix_fadvise posix_fallocate "
    "posix_spawn register_at_fork sched_getaffinity setsid statvfs sysconf uname wait3",
    signal: "SIGALRM SIGCHLD SIGHUP SIGKILL SIGUSR1 alarm pause pthread_sigmask setitimer sigwait",
}
import_module = builtins.__import__


def is_ours(name):
    return name.split(".")[0] in ("jambatalk", "__main__")


def guarded_import(name, globals=None, *others, **named):
    if name in MODULES and is_ours((globals or {}).get("__name__", "")):
        raise ImportError(name)
    return import_module(name, globals, *others, **named)


def hide(module, names):
    hidden = {name: vars(module).pop(name) for name in names if name in vars(module)}

    def getattr_unless_ours(name):
        caller = sys._getframe(1).f_globals.get("__name__", "")
        if name not in hidden or is_ours(caller):
            raise AttributeError(name)
        return hidden[name]

    module.__getattr__ = getattr_unless_ours


builtins.__import__ = guarded_import
for module, names in NAMES.items():
    hide(module, names.split())
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Environment of processes without POSIX functions."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(SITE)
    return {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{ROOT}"}


def run(code: str, environment: dict[str, str], folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def cut_voice(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    voice = ROOT / "assets" / "voices" / "jfk.flac"
    subprocess.run([get_ffmpeg_exe(), "-v", "error", "-t", "1", "-i", voice, path], check=True)


def test_commands_without_posix_functions(tmp_path: Path, environment: dict[str, str]) -> None:
    cut_voice(tmp_path / "voice.wav")
    code = """
import os
assert not hasattr(os, "fork")
from jambatalk.cli import main
for command in (
    "list",
    "animate voice.wav -o motion.npz",
    "export motion.npz -o head.glb",
    "animate voice.wav -o video.mp4 --size 64",
):
    assert main(command.split()) == 0, command
"""
    assert "neutral" in run(code, environment, tmp_path)
    for name in ("motion.npz", "head.glb", "video.mp4"):
        assert (tmp_path / name).stat().st_size > 1000, name


@pytest.mark.slow
def test_page_and_batch_without_posix_functions(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    cut_voice(tmp_path / "voices" / "voice.wav")
    code = """
if __name__ == "__main__":
    import jambatalk.app.page
    from jambatalk.cli import main
    assert main("batch voices results --formats npz --processes 1".split()) == 0
"""
    run(code, environment, tmp_path)
    assert (tmp_path / "results" / "voice.wav.neutral.npz").exists()


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_windows_and_macos_draw_through_their_own_opengl(
    platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv("PYOPENGL_PLATFORM", "egl")  # only Linux has a choice
    assert backends() == (NATIVE,)


@pytest.mark.parametrize(
    ("platform", "programs", "expected"),
    [
        ("linux", ["apt-get"], "apt-get install libegl1"),
        ("linux", ["dnf"], "dnf install mesa-libEGL"),
        ("linux", [], "EGL or the OSMesa library"),
        ("win32", ["apt-get"], "graphics card's driver"),
        ("darwin", [], "logged in"),
    ],
)
def test_advice_fits_the_system(
    platform: str, programs: list[str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr("shutil.which", lambda name: name if name in programs else None)
    assert expected in advice()
    assert ("install lib" in advice()) == (platform == "linux" and programs == ["apt-get"])


@pytest.mark.skipif(sys.platform != "linux", reason="needs EGL")
def test_hidden_window_draws_the_same_picture_as_egl(tmp_path: Path) -> None:
    code = """
import numpy as np
from jambatalk.face.library import load_head
from jambatalk.render.opengl import open_context
from jambatalk.render.view import View
context = open_context(BACKEND)
from jambatalk.render.renderer import ClipRenderer
head = load_head(1)
np.save(f"{BACKEND}.npy", ClipRenderer(head, View(size=64)).draw(head.template))
"""
    # pyglet's window of a Linux without a screen has an EGL context, too.
    environment = {**os.environ, "PYGLET_HEADLESS": "1", "PYOPENGL_PLATFORM": "egl"}
    environment["PYTHONPATH"] = str(ROOT)
    for backend in ("egl", NATIVE):
        run(code.replace("BACKEND", repr(backend)), environment, tmp_path)
    one, other = (np.load(tmp_path / f"{name}.npy").astype(int) for name in ("egl", NATIVE))
    assert one.std() > 10
    assert np.abs(one - other).max() <= 2
