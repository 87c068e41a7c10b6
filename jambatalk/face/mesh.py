"""Triangle meshes in .ply and .obj files."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from jambatalk.errors import FaceError
from jambatalk.files.origins import origin


def read_mesh(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Read vertices (V, 3) float32 and triangles (F, 3) int32, in the file's order.

    Raises:
        FaceError: the file is missing, or not a triangle mesh in .ply or .obj.
    """
    path = Path(path)
    if not is_mesh(path):
        raise FaceError(f"'{path}' is not a mesh.", "Give a .ply or an .obj.")
    try:
        vertices, triangles = (_read_obj if path.suffix.lower() == ".obj" else _read_ply)(path)
    except FileNotFoundError:
        raise FaceError(f"There is no mesh '{path}'.", origin(path)) from None
    except OSError as error:
        raise FaceError(f"The mesh '{path}' cannot be read ({error.strerror}).") from error
    except Exception as error:  # trimesh raises many kinds
        raise FaceError(f"'{path}' is not a triangle mesh ({error}).") from error
    inside = len(triangles) and triangles.min() >= 0 and triangles.max() < len(vertices)
    if not inside or not np.isfinite(vertices).all():
        raise FaceError(f"'{path}' is not a triangle mesh.")
    return vertices.astype(np.float32), triangles.astype(np.int32)


def is_mesh(path: Path) -> bool:
    """Tell whether a file's suffix is .ply or .obj."""
    return path.suffix.lower() in (".ply", ".obj")


def _read_ply(path: Path) -> tuple[np.ndarray, np.ndarray]:
    import trimesh

    with path.open("rb") as file:
        mesh = trimesh.load_mesh(file, file_type="ply", process=False)
    return np.asarray(mesh.vertices), np.asarray(mesh.faces)


def _read_obj(path: Path) -> tuple[np.ndarray, np.ndarray]:
    # trimesh duplicates vertices along texture seams; a network's outputs go by the file's order.
    vertices, triangles = [], []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        word, *rest = line.split() or [""]
        if word == "v":
            vertices.append([float(number) for number in rest[:3]])
        elif word == "f":
            corners = [int(corner.split("/")[0]) for corner in rest]
            corners = [c - 1 if c > 0 else len(vertices) + c for c in corners]
            triangles += [(corners[0], *pair) for pair in pairwise(corners[1:])]
    return np.array(vertices), np.array(triangles)
