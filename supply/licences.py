"""The licences of what is installed to run JambaTalk, and which of them may be there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent

# SPDX names.
PERMISSIVE = {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "ISC"}
PERMISSIVE |= {"MIT", "MIT-0", "MIT-CMU", "PSF-2.0", "Zlib"}
# Copyleft for the package's own files alone: whoever changes them shows the changes.
BY_FILE = {
    "certifi": "MPL-2.0",
    "orjson": "MPL-2.0",
    "tqdm": "MPL-2.0",
    "soxr": "LGPL-2.1-or-later",
}
# Libraries and programs in packages whose metadata do not name their copyleft: start of the
# file's name → SPDX expression.
CARRIED = {
    "ffmpeg-core.": "GPL-2.0-or-later",  # gradio; run by browsers, not by this page
    "ffmpeg-linux": "GPL-3.0-or-later",  # imageio-ffmpeg
    "ffmpeg-macos": "GPL-3.0-or-later",
    "ffmpeg-win": "GPL-3.0-or-later",
    "libgfortran": "GPL-3.0-or-later WITH GCC-exception-3.1",  # numpy, scipy
    "libgomp": "GPL-3.0-or-later WITH GCC-exception-3.1",  # scikit-learn, torch
    "libquadmath": "LGPL-2.1-or-later",  # numpy, scipy
    "libsndfile": "LGPL-2.1-or-later",  # soundfile
}
# What a package's licence file says where its metadata name none.
READ = {"pyglet": "BSD-3-Clause"}
CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
NAMES = {"Apache 2.0": "Apache-2.0", "BSD": "BSD-3-Clause", "3-Clause BSD License": "BSD-3-Clause"}


@dataclass(frozen=True)
class Locked:
    """A package of the lock.

    Attributes:
        name, version: as the lock has them.
        hashes: SHA-256 of all its files.
        applies: whether it is installed on this platform.
    """

    name: str
    version: str
    hashes: tuple[str, ...]
    applies: bool


def locked_packages(lock: Path = ROOT / "requirements.lock") -> list[Locked]:
    """Read a lock that `./run lock` has written."""
    found = []
    for entry in re.split(r"\n(?=\w)", lock.read_text("utf-8"))[1:]:
        pin, *hashes = (part.strip() for part in entry.split("\\\n"))
        requirement = Requirement(pin)
        (version,) = requirement.specifier
        marker: Marker | None = requirement.marker
        applies = marker is None or marker.evaluate()
        sums = tuple(each.removeprefix("--hash=sha256:") for each in hashes)
        found.append(Locked(requirement.name, version.version, sums, applies))
    return found


def licence(package: Distribution) -> str:
    """Return a package's licence as an SPDX expression; "" where its metadata tell none."""
    data = package.metadata
    if data["Name"].lower() in READ:
        return READ[data["Name"].lower()]
    if expression := data.get("License-Expression"):
        return expression
    text = (data.get("License") or "").strip()
    text = NAMES.get(text, text)
    if re.fullmatch(r"[\w.+-]+( AND [\w.+-]+)*", text) and text not in CLASSIFIERS:
        return text
    groups = [each.split(" :: ")[-1] for each in data.get_all("Classifier") or []]
    return " AND ".join(CLASSIFIERS[each] for each in groups if each in CLASSIFIERS)


def is_allowed(name: str, expression: str) -> bool:
    """Return whether a package may be shipped under a licence."""
    allowed = PERMISSIVE | {BY_FILE.get(name.lower(), "")}
    plain = re.sub(r" WITH LLVM-exception|[()]", "", expression)
    return bool(plain) and all(
        any(choice in allowed for choice in part.split(" OR ")) for part in plain.split(" AND ")
    )


def installed(package: Locked) -> Distribution | None:
    """Return the installed package, or None where it is not."""
    try:
        return distribution(package.name)
    except PackageNotFoundError:
        return None


def carried(package: Distribution) -> dict[str, str]:
    """Return file name → licence of the libraries and programs of CARRIED that a package brings."""
    names = {Path(file).name for file in package.files or ()}
    return {
        name: expression
        for name in sorted(names)
        for start, expression in CARRIED.items()
        if name.startswith(start)
    }
