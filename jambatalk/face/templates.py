"""Templates: the faces at rest that belong to a set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from jambatalk.errors import DataError, FaceError
from jambatalk.face import user_face as template
from jambatalk.files.unpickle import read_pickle

MESHES = (".obj", ".ply")
CURE = "Add templates.pkl or templates.npz (subject to vertices), or templates/SUBJECT.ply."


def read_templates(folder: Path, cure: str = CURE) -> dict[str, np.ndarray]:
    """Reads every subject's face at rest: subject → (V, 3) float32.

    From the first of these that the folder holds: `templates.pkl` (subject → array, as VOCASET
    comes), `templates.npz` (the same), `templates/SUBJECT.obj` or `.ply`. One such file may be
    named itself instead of its folder.

    Args:
        cure: what to do where there are none.

    Raises:
        DataError: none of them, unreadable, or not of this kind.
    """
    if (path := _file(folder, "templates.pkl")).is_file():
        found = read_pickle(path)
    elif (path := _file(folder, "templates.npz")).is_file():
        found = _read_npz(path)
    elif _is_mesh(path := folder):
        found = {folder.stem: read_mesh(folder)}
    elif (path := folder / "templates").is_dir():
        found = {mesh.stem: read_mesh(mesh) for mesh in sorted(path.iterdir()) if _is_mesh(mesh)}
    else:
        found = {}
    if not isinstance(found, Mapping) or not found:
        raise DataError(
            f"There are no templates in {folder}.",
            cure,
        )
    return {str(subject): _vertices(value, subject, path) for subject, value in found.items()}


def read_mesh(path: Path) -> np.ndarray:
    """The vertices (V, 3) of an .obj or .ply file, in its order.

    Raises:
        DataError: it is none.
    """
    try:
        return template.read_mesh(path)[0]
    except FaceError as error:
        raise DataError(error.what, error.cure) from error


def _file(folder: Path, name: str) -> Path:
    """A file in a folder, or the file itself if it is one of that kind."""
    return folder if folder.suffix == Path(name).suffix else folder / name


def _is_mesh(path: Path) -> bool:
    return path.suffix.lower() in MESHES


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}).", "Save it with numpy.savez.") from error


def _vertices(value: object, subject: object, path: Path) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind not in "iuf" or not array.size or array.size % 3:
        raise DataError(
            f"The template of '{subject}' in {path} is no list of vertices "
            f"({array.dtype}, shape {array.shape}).",
            "Give (V, 3) numbers for each subject.",
        )
    if not np.isfinite(array).all():
        raise DataError(f"The template of '{subject}' in {path} holds values that are no numbers.")
    return array.reshape(-1, 3).astype(np.float32)
