"""What a user meets first: `./run`, and the files from which a Space or a container is built."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What `./run` needs of the repository, under a path with a space in it."""
    folder = tmp_path / "a checkout"
    folder.mkdir()
    for name in (
        "run",
        "requirements.txt",
        "requirements.lock",
        "torch.lock",
        "requirements-dev.txt",
        "pyproject.toml",
        "packages.txt",
    ):
        shutil.copy(ROOT / name, folder)
    return folder


def run(checkout: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Call `./run` from another folder, with an apt and a sudo that do nothing."""
    tools = checkout.parent / "tools"
    tools.mkdir(exist_ok=True)
    for name in ("apt-get", "sudo"):
        (tools / name).write_text("#!/bin/sh\nexit 1\n")
        (tools / name).chmod(0o755)
    return subprocess.run(
        [checkout / "run", *arguments],
        cwd=checkout.parent,
        env=os.environ | {"PATH": f"{tools}:{os.environ['PATH']}"} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_without_a_task_it_says_what_it_can_do_and_sets_nothing_up(checkout):
    for arguments in ((), ("tset",)):
        result = run(checkout, *arguments)
        assert result.returncode == 2
        for task in ("demo", "app", "test", "bench", "jambatalk"):
            assert f"./run {task}" in result.stderr
    assert not (checkout / ".venv").exists()


def test_an_unfit_python_gives_an_error_with_the_cure(checkout):
    old = checkout / "python3.9"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    for python in (str(old), "no-such-python"):
        result = run(checkout, "demo", PYTHON=python)
        assert result.returncode == 1
        assert python in result.stderr
        assert "3.11" in result.stderr
        assert "sudo apt-get install python3" in result.stderr
    assert not (checkout / ".venv").exists()


def test_set_up_is_done_once_and_never_left_half_done(checkout):
    # A Python that is real but for pip, which fails without NETWORK and else leaves our command.
    python = checkout.parent / "python3"
    python.write_text(f"""#!/bin/sh
case "$1 $2" in
  "-m venv") mkdir -p "$3/bin" && ln -s "$0" "$3/bin/python" ;;
  "-m pip")
    [ -n "$NETWORK" ] || exit 1
    printf '#!/bin/sh\\necho "asked to: $*"\\n' >.venv/bin/jambatalk
    chmod +x .venv/bin/jambatalk ;;
  *) exec "{sys.executable}" "$@" ;;
esac
""")
    python.chmod(0o755)
    leftover = checkout / ".venv" / "leftover"

    offline = run(checkout, "demo", PYTHON=str(python))
    assert offline.returncode == 1
    assert "could not be installed" in offline.stderr
    leftover.touch()

    anew = run(checkout, "demo", PYTHON=str(python), NETWORK="1")
    assert anew.returncode == 0, anew.stderr
    assert "asked to: animate assets/voices/jfk.flac -o out/demo.mp4" in anew.stdout
    assert not leftover.exists()

    again = run(checkout, "jambatalk", "--help", PYTHON=str(python))
    assert again.stdout.endswith("asked to: --help\n")
    assert "Setting" in anew.stdout
    assert "Setting" not in again.stdout

    with (checkout / "requirements.lock").open("a") as requirements:
        requirements.write("one-more==1.0\n")
    assert "Setting" in run(checkout, "demo", PYTHON=str(python), NETWORK="1").stdout


def test_everything_installed_is_pinned():
    for file in ("requirements.txt", "requirements-dev.txt"):
        pins = (ROOT / file).read_text().splitlines()
        for pin in (line for line in pins if not line.startswith("#")):
            version, _, marker = pin.partition("; ")
            assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", version), pin
            assert re.fullmatch(r'(python_version >=|sys_platform ==) "[\w.]+"|', marker), pin


def test_the_lock_lies_in_the_declared_ranges():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    locked = {canonicalize_name(pin.name): pin for pin in map(Requirement, lines[3:])}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for line in project["dependencies"] + project["optional-dependencies"]["app"]:
        wanted = Requirement(line)
        (version,) = locked[canonicalize_name(wanted.name)].specifier
        assert version.version in wanted.specifier, line


def test_the_space_is_built_from_the_same_files():
    # A Space and the container hand every line of packages.txt to apt: no comments, nothing else.
    for line in (ROOT / "packages.txt").read_text().splitlines():
        assert re.fullmatch(r"[a-z0-9.+-]+", line), line
    _, front_matter, _ = (ROOT / "README.md").read_text().split("---\n", 2)
    space = yaml.safe_load(front_matter)
    assert space["sdk"] == "docker"
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert f"EXPOSE {space['app_port']}\n" in dockerfile
    assert f":{space['python_version']}." in dockerfile
    assert f"gradio=={space['sdk_version']}\n" in (ROOT / "requirements.txt").read_text()
    assert isinstance(space["python_version"], str)  # without quotes 3.10 would be 3.1
    assert len(space["short_description"]) <= 60  # the Hub refuses longer ones
    colors = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert {space["colorFrom"], space["colorTo"]} <= colors


def test_the_image_is_built_of_files_that_are_there_and_not_ignored():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    kept = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert "*" in ignored  # whatever else lies in the folder, such as data or other checkpoints
    assert ignored.index("checkpoints/*") < ignored.index("!checkpoints/default")
    copied = re.findall(r"^COPY (.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    for name in {*" ".join(copied).split(), *kept} - {"."}:
        assert (ROOT / name).exists(), name
        assert name in kept, name


def test_what_compose_starts_is_limited():
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["mem_limit"], name
    assert "ports" not in services["page"]  # reached by the proxy alone
