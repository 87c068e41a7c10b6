"""The wheel: what it holds, what it declares, and that it works away from the clone."""

import ast
import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
import tomllib
import urllib.request
from importlib.metadata import packages_distributions
from pathlib import Path
from socket import socket
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parent.parent
VOICE = ROOT / "assets" / "voices" / "pico_en.wav"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with nothing but the wheel; its dependencies come from the one that tests."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    install = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        str(wheel),
    ]
    subprocess.run(install, check=True, capture_output=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    # after the environment's own packages, so that its jambatalk comes first
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def variables(**more: str) -> dict[str, str]:
    """Return the environment's variables without those that add to Python's path."""
    return {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")} | more


def run(environment: Path, folder: Path, *command: str) -> str:
    done = subprocess.run(
        [str(environment / "bin" / command[0]), *command[1:]],
        cwd=folder,
        env=variables(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_wheel_holds_heads_voices_and_checkpoint_but_no_recipes(wheel: Path) -> None:
    names = ZipFile(wheel).namelist()
    bundled = {name.split("/")[2] for name in names if name.startswith("jambatalk/bundled/")}
    assert bundled == {"checkpoint", "heads", "voices"}
    assert "jambatalk/py.typed" in names
    assert "jambatalk/app/live/page/examples/jfk_still.webp" in names
    assert "jambatalk/render/shaders/mesh.frag" in names
    assert "jambatalk/app/live/page/live.js" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"jambatalk"}
    assert wheel.stat().st_size < 60e6


def test_commands_work_from_another_folder(environment: Path, tmp_path: Path) -> None:
    where = run(
        environment, tmp_path, "python", "-c", "import jambatalk; print(jambatalk.__file__)"
    )
    assert Path(where.strip()).is_relative_to(environment)
    version = run(environment, tmp_path, "jambatalk", "--version").split()[1]
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert "mara" in run(environment, tmp_path, "jambatalk", "list")
    run(environment, tmp_path, "jambatalk", "animate", str(VOICE), "-o", "out.mp4", "--size", "64")
    assert (tmp_path / "out.mp4").stat().st_size > 10_000


def test_five_lines_of_python_work(environment: Path, tmp_path: Path) -> None:
    code = f"""
from jambatalk import TalkingHead
talking_head = TalkingHead.from_pretrained()
motion = talking_head.animate({str(VOICE)!r}, style="crisp", head="mara")
motion.save("motion.npz")
print(motion.weights.shape[1])
"""
    assert run(environment, tmp_path, "python", "-c", code).strip() == "53"


@pytest.mark.slow
def test_declared_dependencies_suffice(wheel: Path, tmp_path: Path) -> None:
    """Install the wheel with what it declares, in the locked versions, and animate a voice."""
    folder = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    command = [str(folder / "bin" / "pip"), "install", "--quiet", "--constraint"]
    command += [str(ROOT / "requirements.txt"), str(wheel)]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    run(folder, tmp_path, "jambatalk", "animate", str(VOICE), "-o", "out.mp4", "--size", "64")
    assert (tmp_path / "out.mp4").stat().st_size > 10_000
    assert (tmp_path / "out.mp4").read_bytes()[4:8] == b"ftyp"


def test_page_is_served(environment: Path, tmp_path: Path) -> None:
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = variables(JAMBATALK_PORT=str(port))
    command = [str(environment / "bin" / "jambatalk"), "app"]
    with subprocess.Popen(command, cwd=tmp_path, env=settings) as page:
        try:
            assert b"JambaTalk" in fetch(f"http://127.0.0.1:{port}/", page)
        finally:
            page.send_signal(signal.SIGTERM)
            page.wait(20)


def fetch(url: str, process: subprocess.Popen) -> bytes:
    """Fetch a page as soon as it is served, within a minute."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return urllib.request.urlopen(url, timeout=5).read()
        except OSError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)


def declared(requirements: list[str]) -> set[str]:
    return {re.match(r"[\w.-]+", line)[0].lower().replace("_", "-") for line in requirements}


def imported(folder: Path) -> dict[str, Path]:
    """Map each imported top-level module outside the standard library to a file that imports it."""
    found = {}
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            else:
                continue
            found |= {name.split(".")[0]: file for name in names}
    return {name: file for name, file in found.items() if name not in sys.stdlib_module_names}


@pytest.mark.parametrize("folder", ["jambatalk", "recipes"])
def test_every_import_is_declared(folder: str) -> None:
    extras = PROJECT["optional-dependencies"]
    known = declared(
        PROJECT["dependencies"] + [line for extra in extras.values() for line in extra]
    )
    distributions = packages_distributions()
    own = {"jambatalk", "recipes"} if folder == "recipes" else {"jambatalk"}
    for module, file in imported(ROOT / folder).items():
        # optional packages need not be installed here: then the module's name has to do
        names = {name.lower().replace("_", "-") for name in distributions.get(module, [module])}
        assert module in own or names & known, f"{file} imports {module}, which is not declared"
