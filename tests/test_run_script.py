"""What a user meets first: `./run`, and the files from which a Space or a container is built."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What `./run` needs of the repository, under a path with a space in it."""
    folder = tmp_path / "a checkout"
    folder.mkdir()
    for name in ("run", "requirements.txt", "pyproject.toml", "packages.txt"):
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
        for task in ("demo", "app", "test", "jambatalk"):
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


@pytest.mark.slow
def test_a_failed_set_up_says_so_and_is_begun_anew(checkout):
    offline = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}
    first = run(checkout, "demo", **offline)
    assert first.returncode == 1
    assert "could not be installed" in first.stderr
    leftover = checkout / ".venv" / "leftover"
    leftover.touch()
    second = run(checkout, "demo", **offline)
    assert second.returncode == 1
    assert not leftover.exists()


def test_everything_installed_is_pinned():
    pins = (ROOT / "requirements.txt").read_text().splitlines()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins += project["optional-dependencies"]["dev"]
    for pin in (line for line in pins if not line.startswith("#")):
        assert re.match(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*(\s+#.*)?$", pin), pin


def test_the_space_is_built_from_the_same_files():
    # A Space and the container hand every line of packages.txt to apt: no comments, nothing else.
    for line in (ROOT / "packages.txt").read_text().splitlines():
        assert re.fullmatch(r"[a-z0-9.+-]+", line), line
    _, front_matter, _ = (ROOT / "README.md").read_text().split("---\n", 2)
    space = yaml.safe_load(front_matter)
    assert space["sdk"] == "gradio"
    assert f"gradio=={space['sdk_version']}\n" in (ROOT / "requirements.txt").read_text()
    assert isinstance(space["python_version"], str)  # without quotes 3.10 would be 3.1
    assert len(space["short_description"]) <= 60  # the Hub refuses longer ones
    colors = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert {space["colorFrom"], space["colorTo"]} <= colors
