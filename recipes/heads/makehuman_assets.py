"""Read MakeHuman's assets (skins, hair, brows, lashes, clothes), and fit them to other heads.

MakeHuman's assets, CC0: http://www.makehumancommunity.org. An `.mhclo` file binds a proxy mesh to
the base mesh hm08: each vertex of the proxy lies on a triangle of the base, or at one vertex.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from jambatalk.errors import DataError
from recipes.heads.bend_base import bend_base
from recipes.heads.ict_facekit import IctFaceKit
from recipes.heads.makehuman_targets import Targets

DECIMETRE = 0.1  # metres
WOMAN = "macrodetails/caucasian-female-young"
CURE = "See recipes/README.md for the files."


@dataclass(frozen=True, eq=False)
class BentBase:
    """MakeHuman's base mesh, bent onto ICT-FaceKit's mean head.

    Attributes:
        positions: (19158, 3) metres in the frame of :class:`IctFaceKit`.
        source: (19158, 3), the base as MakeHuman has it (a young Caucasian woman), metres.
    """

    positions: np.ndarray
    source: np.ndarray

    @classmethod
    def bend(cls, ict: IctFaceKit, makehuman: Path, targets: Targets) -> BentBase:
        """Bend the base of MakeHuman's assets; takes ten seconds.

        Raises:
            DataError: a file is missing or damaged.
        """
        positions, skin = read_obj(makehuman / "base" / "base.obj", "body")
        source = positions * DECIMETRE + targets[WOMAN]
        return cls(bend_base(ict, source, skin.vertex[skin.triangles]), source)


@dataclass(frozen=True, eq=False)
class ProxyMesh:
    """A mesh as drawn: vertices are split where their texture coordinates differ.

    Attributes:
        vertex: (n,) for each vertex its number in the file.
        uv: (n, 2), v up.
        triangles: (f, 3).
    """

    vertex: np.ndarray
    uv: np.ndarray
    triangles: np.ndarray


def read_obj(path: Path, group: str | None = None) -> tuple[np.ndarray, ProxyMesh]:
    """Read positions, in the file's own unit, and the faces of one group or all.

    Raises:
        DataError: the file is missing or damaged.
    """
    positions, uv, triangles, current = [], [], [], ""
    numbers: dict[tuple[int, int], int] = {}
    try:
        for line in path.read_text("utf-8", errors="ignore").splitlines():
            kind, *values = line.split() or [""]
            if kind == "v":
                positions.append([float(value) for value in values[:3]])
            elif kind == "vt":
                uv.append([float(value) for value in values[:2]])
            elif kind == "g":
                current = values[0] if values else ""
            elif kind == "f" and group in (None, current):
                pairs = [tuple(int(n) - 1 for n in value.split("/")[:2]) for value in values]
                ids = [numbers.setdefault((p[0], p[-1]), len(numbers)) for p in pairs]
                triangles += [[ids[0], ids[k], ids[k + 1]] for k in range(1, len(ids) - 1)]
    except (OSError, ValueError, IndexError) as error:
        raise DataError(f"'{path}' cannot be read ({error}).", CURE) from error
    vertex, texture = np.array(list(numbers)).T
    return np.array(positions), ProxyMesh(vertex, np.array(uv)[texture], np.array(triangles))


def fit_proxy(path: Path, base: np.ndarray) -> np.ndarray:
    """Compute the vertices (n, 3) of a proxy on a base (19158, 3), by its `.mhclo` file.

    Offsets are scaled along each axis by the size of the base there.

    Raises:
        DataError: the file is missing or damaged.
    """
    found, scale, inside = [], np.ones(3), False
    try:
        for line in path.read_text("utf-8", errors="ignore").splitlines():
            words = line.split()
            if not words:
                continue
            if words[0] in ("x_scale", "y_scale", "z_scale"):
                axis = "xyz".index(words[0][0])
                i, j, size = int(words[1]), int(words[2]), float(words[3])
                scale[axis] = abs(base[i, axis] - base[j, axis]) / size
            elif words[0] == "verts":
                inside = True
            elif words[0] in ("weights", "delete_verts"):
                inside = False
            elif inside:
                try:
                    numbers = [float(word) for word in words]
                except ValueError:
                    continue  # a keyword between the lines
                if len(numbers) == 1:
                    found.append(base[int(numbers[0])])
                else:
                    corners = base[[int(n) for n in numbers[:3]]]
                    offset = np.array(numbers[6:9]) * scale
                    found.append(np.array(numbers[3:6]) @ corners + offset)
    except (OSError, ValueError, IndexError) as error:
        raise DataError(f"'{path}' cannot be read ({error}).", CURE) from error
    return np.array(found)


def read_picture(path: Path, mode: str) -> Image.Image:
    """Read a picture in one of Pillow's modes, as published (.png) or converted (.webp).

    Args:
        path: without its suffix.

    Raises:
        DataError: it is missing or damaged.
    """
    for suffix in (".webp", ".png"):
        if (file := path.with_name(path.name + suffix)).is_file():
            try:
                with Image.open(file) as image:
                    return image.convert(mode)
            except OSError as error:
                raise DataError(f"'{file}' cannot be read ({error}).", CURE) from error
    raise DataError(f"'{path}' cannot be read: there is no such picture.", CURE)
