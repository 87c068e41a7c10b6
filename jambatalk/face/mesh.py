"""Triangle meshes and templates (the faces at rest of a data set's subjects) from files."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from jambatalk.errors import DataError, FaceError, brief
from jambatalk.files.arrays import read_npz
from jambatalk.files.regular import damaged, read_file
from jambatalk.files.safe_pickle import read_pickle

GIVE_MESH = "Give a .ply or an .obj of triangles."
LARGEST = 32 << 20  # bytes
MAX_HEADER = 100_000  # bytes of a .ply
MAX_CORNERS = 1000  # of a polygon
FARTHEST = 1e6  # in whatever unit
CURE = "Add templates.pkl or templates.npz (subject to vertices), or templates/SUBJECT.ply."


def read_mesh(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Read vertices (V, 3) float32 and triangles (F, 3) int32, in the file's order.

    Raises:
        FaceError: the file is missing, or not a triangle mesh in .ply or .obj.
    """
    path = Path(path)
    if not is_mesh(path):
        raise FaceError(f"'{path}' is not a mesh.", GIVE_MESH)
    data = read_file(path, FaceError, "a mesh", GIVE_MESH, LARGEST)
    try:
        vertices, triangles = (_read_obj if path.suffix.lower() == ".obj" else _read_ply)(data)
        if vertices.ndim != 2 or vertices.shape[1] != 3 or not len(vertices):
            raise ValueError("it has no vertices")
        if triangles.ndim != 2 or triangles.shape[1] != 3 or not len(triangles):
            raise ValueError("it has no triangles")
        if not 0 <= triangles.min() <= triangles.max() < len(vertices):
            raise ValueError("its triangles have vertices that are not in it")
        if not (np.abs(vertices) <= FARTHEST).all():  # NaN fails too
            raise ValueError(f"positions that are NaN, infinite or beyond {FARTHEST:g}")
    except Exception as error:  # trimesh raises many kinds
        raise damaged(path, error, FaceError, "a triangle mesh", GIVE_MESH) from error
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
    if (file := _file(path, "templates.pkl")).exists():
        found = read_pickle(file)
    elif (file := _file(path, "templates.npz")).exists():
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


def _read_ply(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    import trimesh

    header = data[:MAX_HEADER].partition(b"end_header")[0]
    for count in re.findall(rb"^element\s+\S+\s+(\S+)", header, re.MULTILINE):
        if not 0 <= int(count) <= len(data):  # before memory is taken for them
            raise ValueError(f"it declares {brief(int(count))} elements")
    mesh = trimesh.load_mesh(io.BytesIO(data), file_type="ply", process=False)
    return np.asarray(mesh.vertices), np.asarray(mesh.faces)


def _read_obj(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    # trimesh duplicates vertices along texture seams; a network's outputs go by the file's order.
    vertices, triangles = [], []
    for line in data.decode("utf-8", "replace").splitlines():
        word, *rest = line.split() or [""]
        if word == "v":
            vertices.append([float(number) for number in rest[:3]])
        elif word == "f":
            if len(rest) > MAX_CORNERS:
                raise ValueError(f"a polygon of {len(rest)} corners")
            corners = [int(corner.split("/")[0]) for corner in rest]
            corners = [c - 1 if c > 0 else len(vertices) + c for c in corners]
            triangles += [(corners[0], *pair) for pair in pairwise(corners[1:])]
    return np.array(vertices, np.float64), np.array(triangles, np.int64)


def _file(path: Path, name: str) -> Path:
    """Find a file in a folder, or take the file itself if it is one of that kind."""
    return path if path.suffix == Path(name).suffix else path / name


def _vertices(value: object, subject: object, path: Path) -> np.ndarray:
    name, cure = brief(subject), "Give (V, 3) numbers for each subject."
    try:
        array = np.asarray(value)
    except ValueError as error:  # lists of different lengths
        raise damaged(path, error, DataError, "a list of templates", cure) from error
    if array.dtype.kind not in "iuf" or not array.size or array.size % 3:
        raise DataError(
            f"The template of '{name}' in {path} is not a list of vertices "
            f"({array.dtype}, shape {brief(array.shape)}).",
            cure,
        )
    if not (np.abs(array) <= FARTHEST).all():  # NaN fails too
        raise DataError(
            f"The template of '{name}' in {path} holds NaN, infinity or numbers beyond "
            f"{FARTHEST:g}.",
            cure,
        )
    return array.reshape(-1, 3).astype(np.float32)
