"""Templates: the faces at rest of the subjects of a data set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from jambatalk.errors import DataError
from jambatalk.face.mesh import is_mesh, read_mesh
from jambatalk.files.arrays import read_npz
from jambatalk.files.safe_pickle import read_pickle

CURE = "Add templates.pkl or templates.npz (subject to vertices), or templates/SUBJECT.ply."


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
