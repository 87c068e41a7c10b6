"""What is shipped: locked by its hash, listed, and under licences that allow it."""

import json
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from supply import sbom  # noqa: E402  a folder of the repository, not of the package
from supply.licences import (  # noqa: E402
    BY_FILE,
    CARRIED,
    READ,
    Locked,
    carried,
    is_allowed,
    licence,
    locked_packages,
)


@pytest.fixture(scope="module")
def shipped() -> list[Locked]:
    """What is installed on this platform, in alphabetical order."""
    return [each for each in locked_packages() if each.applies] + [
        each for each in locked_packages(ROOT / "torch.lock") if each.name == "torch"
    ]


def test_every_version_is_locked_by_hashes() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    wanted = [Requirement(line) for line in lines if not line.startswith("#")]
    pins = {canonicalize_name(each.name): str(each.specifier) for each in wanted}
    locks = [locked_packages(), locked_packages(ROOT / "torch.lock")]
    for lock in locks:
        for each in lock:
            assert each.hashes, each.name
            assert all(len(bytes.fromhex(digest)) == 32 for digest in each.hashes), each.name
            expected = pins.get(canonicalize_name(each.name), "")
            assert expected in ("", f"=={each.version}"), f"./run lock: {each.name}"
    names = {canonicalize_name(each.name) for each in locks[0]}
    assert names | {"torch"} == {*pins}, "./run lock"
    for file in ("requirements.lock", "torch.lock"):
        assert "://" not in (ROOT / file).read_text()


def test_nothing_is_needed_that_the_locks_lack(shipped: list[Locked]) -> None:
    names = {canonicalize_name(each.name) for each in shipped}
    for each in shipped:
        needs = map(Requirement, distribution(each.name).requires or ())
        for need in needs:
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                assert canonicalize_name(need.name) in names, f"{each.name} needs {need.name}"


def test_licences_of_all_that_is_installed_are_allowed(shipped: list[Locked]) -> None:
    found = {each.name.lower(): licence(distribution(each.name)) for each in shipped}
    refused = {name: found[name] for name in found if not is_allowed(name, found[name])}
    assert not refused
    assert {*BY_FILE} <= {*found}  # no exception is left over
    assert {*READ} <= {*found}


@pytest.mark.parametrize(
    ("name", "expression", "allowed"),
    [
        ("a", "MIT", True),
        ("a", "MPL-2.0 OR MIT", True),
        ("a", "Apache-2.0 WITH LLVM-exception AND (ISC OR GPL-3.0-only)", True),
        ("a", "MIT AND GPL-3.0-or-later", False),
        ("a", "LGPL-2.1-or-later", False),
        ("soxr", "LGPL-2.1-or-later", True),
        ("a", "", False),
    ],
)
def test_what_is_allowed(name: str, expression: str, allowed: bool) -> None:
    assert is_allowed(name, expression) is allowed


def test_the_readme_names_all_copyleft(shipped: list[Locked]) -> None:
    readme = (ROOT / "README.md").read_text().split("## Licences")[1]
    files = {}
    for each in shipped:
        brought = carried(distribution(each.name))
        files |= brought
        if brought or each.name in BY_FILE:
            assert each.name in readme
    found = {start for start in CARRIED for file in files if file.startswith(start)}
    if sys.platform == "linux":  # every entry of the list is met
        assert found == {*CARRIED} - {"ffmpeg-macos", "ffmpeg-win"}
    for package in ("pyglet", "espeakng-loader"):
        assert package in readme


def test_the_bill_of_materials(shipped: list[Locked]) -> None:
    bom = sbom.bill()
    components = {each.name: each for each in bom.components}
    assert {*components} == {canonicalize_name(each.name) for each in shipped}
    assert all(each.licenses and each.purl and each.version for each in components.values())
    soundfile = components["soundfile"]
    assert soundfile.hashes
    assert [each.name.split("_")[0] for each in soundfile.components] == ["libsndfile"]
    (librosa,) = (each for each in bom.dependencies if each.ref == components["librosa"].bom_ref)
    assert soundfile.bom_ref in {each.ref for each in librosa.dependencies}
    text = sbom.JsonV1Dot6(bom).output_as_string()
    assert json.loads(text)["specVersion"] == "1.6"
    assert bom.validate()
