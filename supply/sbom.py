"""Write out/sbom.json (CycloneDX 1.6): what is installed here to run JambaTalk, and its parts."""

from __future__ import annotations

import re
import sys
from importlib.metadata import distribution
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import jambatalk

sys.path.insert(0, str(Path(__file__).parent.parent))
from supply.licences import ROOT, Locked, carried, installed, licence, locked_packages

# What the wheel holds beside code: name → licence, and file that tells more.
BUNDLED = {
    "decoder": ("CC-BY-4.0", "checkpoints/default/README.md"),
    "encoder, distilled from Whisper tiny.en": ("MIT", "checkpoints/default/README.md"),
    "heads, of ICT-FaceKit": ("MIT", "assets/heads/LICENSE"),
    "example voices": ("Apache-2.0", "assets/voices/README.md"),
    "skins, hair and clothes, of MakeHuman": ("CC0-1.0", "assets/heads/LICENSE-CC0"),
}


def bill() -> Bom:
    """List jambatalk, what it bundles, and the packages of the lock that are installed."""
    own = _component("jambatalk", jambatalk.__version__, "Apache-2.0", ComponentType.APPLICATION)
    bom = Bom()
    bom.metadata.component = own
    packages = [each for each in locked_packages() if each.applies and installed(each)]
    packages.append(Locked("torch", distribution("torch").version, (), True))
    components = {canonicalize_name(each.name): _package(each) for each in packages}
    for name, (expression, file) in BUNDLED.items():
        part = _component(name, jambatalk.__version__, expression, ComponentType.DATA)
        part.description = file
        own.components.add(part)
    bom.components.update(components.values())
    bom.register_dependency(own, components.values())
    for name, component in components.items():
        wanted = (Requirement(line) for line in distribution(name).requires or ())
        names = {canonicalize_name(each.name) for each in wanted if _applies(each)}
        bom.register_dependency(component, [components[each] for each in names & {*components}])
    return bom


def _package(locked: Locked) -> Component:
    package = distribution(locked.name)
    name, version = canonicalize_name(locked.name), package.version
    component = _component(name, version, licence(package), ComponentType.LIBRARY)
    component.purl = PackageURL("pypi", name=name, version=version)
    component.hashes.update(HashType(alg=HashAlgorithm.SHA_256, content=h) for h in locked.hashes)
    for file, expression in carried(package).items():
        component.components.add(_component(file, version, expression, ComponentType.LIBRARY))
    return component


def _component(name: str, version: str, expression: str, kind: ComponentType) -> Component:
    return Component(
        name=name,
        version=version,
        type=kind,
        bom_ref=re.sub(r"\W+", "-", f"{name}-{version}"),
        licenses=[LicenseExpression(expression)],
    )


def _applies(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})


def main() -> None:
    """Write the bill and say where."""
    path = ROOT / "out" / "sbom.json"
    path.parent.mkdir(exist_ok=True)
    bom = bill()
    JsonV1Dot6(bom).output_to_file(str(path), allow_overwrite=True, indent=2)
    print(f"{len(bom.components)} packages: {path}")


if __name__ == "__main__":
    main()
