"""Triangle meshes and templates (the faces at rest of a data set's subjects) from files."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from jambatalk.errors import DataError, FaceError
from jambatalk.files.arrays import read_npz
from jambatalk.files.origins import origin
from jambatalk.files.safe_pickle import read_pickle

CURE = "Add templates.pkl or templates.npz (subject to vertices), or templates/SUBJECT.ply."


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


def read_templates(path: str | Path, cure: str = CURE) -> dict[str, np.ndarray]:
    """Read the face at rest of every subject: subject → (V, 3) float32.

    Args:
        path: a folder, of which the first of these is read: `templates.pkl` (subject → array, as
            VOCASET comes), `templates.npz` (the same), `templates/SUBJECT.obj` or `.ply`; or one
            such file.
        cure: what to do where there are none, for the message.

    Raises:
        DataError: none of them is there, or it is damaged or holds something else.
        FaceError: a mesh cannot be read.
    """
    path, found = Path(path), {}
    if (file := _file(path, "templates.pkl")).is_file():
        found = read_pickle(file)
    elif (file := _file(path, "templates.npz")).is_file():
        found = read_npz(file, cure="Save it with numpy.savez, or download it again.")
    elif is_mesh(file := path):
        found = {file.stem: read_mesh(file)[0]}
    elif (file := path / "templates").is_dir():
        found = {mesh.stem: read_mesh(mesh)[0] for mesh in sorted(file.iterdir()) if is_mesh(mesh)}
    if not isinstance(found, Mapping) or not found:
        raise DataError(f"There are no templates in {path}.", cure)
    return {str(subject): _vertices(value, subject, file) for subject, value in found.items()}


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


def _file(path: Path, name: str) -> Path:
    """Find a file in a folder, or take the file itself if it is one of that kind."""
    return path if path.suffix == Path(name).suffix else path / name


def _vertices(value: object, subject: object, path: Path) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind not in "iuf" or not array.size or array.size % 3:
        raise DataError(
            f"The template of '{subject}' in {path} is not a list of vertices "
            f"({array.dtype}, shape {array.shape}).",
            "Give (V, 3) numbers for each subject.",
        )
    if not np.isfinite(array).all():
        raise DataError(f"The template of '{subject}' in {path} holds NaN or infinity.")
    return array.reshape(-1, 3).astype(np.float32)
