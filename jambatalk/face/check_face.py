"""The check that arrays from a file make a face, before anything is computed with them."""

from __future__ import annotations

import numpy as np

from jambatalk.errors import brief
from jambatalk.face.face import PICTURES, Face
from jambatalk.face.material import KINDS
from jambatalk.files.pictures import check_picture

MAX_VERTICES = 1_000_000
LONGEST_NAME = 100  # characters
FARTHEST = 1e4  # metres


def check_face(face: Face) -> None:
    """Raise a ValueError unless the arrays of a face fit each other, and index inside them.

    It says which one does not. Colours, regions and blendshapes are all that it needs; the rest is
    checked where a face has it.
    """
    vertices, triangles, shapes = len(face.template), len(face.triangles), len(face.blendshapes)
    if not 1 <= vertices <= MAX_VERTICES:
        raise ValueError(f"{vertices} vertices; 1 to {MAX_VERTICES} are allowed")
    for name, shape in {
        "template": (vertices, 3),
        "deltas": (shapes, vertices, 3),
        "gloss": (vertices,),
        "uv": (vertices, 2),
        "occlusion": (vertices,),
    }.items():
        _check_numbers(name, getattr(face, name), shape)
    _check_shape("colors", face.colors, (vertices, 3), "u")
    _check_index("triangles", face.triangles, (triangles, 3), vertices)
    _check_index("weld", face.weld, (vertices,), vertices)
    _check_index("material_index", face.material_index, (triangles,), len(face.materials))
    for group in (face.regions, face.landmarks):
        for name, index in group.items():
            _check_index(brief(name), index, (index.size,), vertices)
    _check_landmarks(face)
    names = (face.name, *face.blendshapes, *face.regions, *face.landmarks)
    if not all(isinstance(name, str) and name.isprintable() for name in names):
        raise ValueError("names that are not text")
    if max(map(len, names)) > LONGEST_NAME or len(set(face.blendshapes)) < shapes:
        raise ValueError(f"a name of more than {LONGEST_NAME} letters, or one that is there twice")
    _check_materials(face)


def _check_landmarks(face: Face) -> None:
    counts = {name: index.size for name, index in face.landmarks.items()}
    upper, lower = (counts.get(f"inner_lip_{side}") for side in ("upper", "lower"))
    if 0 in counts.values() or counts.get("mouth_corners", 2) != 2 or upper != lower:
        raise ValueError(f"landmarks of {brief(counts)} vertices")


def _check_materials(face: Face) -> None:
    if not face.materials:
        raise ValueError("no materials")
    for material in face.materials:
        if not isinstance(material.name, str) or material.kind not in KINDS:
            raise ValueError(f"a material of the kind {brief(repr(material.kind))}")
        cutout, two_sided = material.cutout, material.two_sided
        if not isinstance(cutout, int | float) or not 0 <= cutout <= 1:
            raise ValueError(f"a cutout of {brief(repr(cutout))}")
        if not isinstance(two_sided, bool):
            raise ValueError(f"two_sided is {brief(repr(two_sided))}")
        for kind in PICTURES:
            if (picture := getattr(material, kind)) is not None:
                if face.uv is None:
                    raise ValueError("a picture, and no texture coordinates")
                check_picture(picture)


def _check_numbers(name: str, array: np.ndarray | None, shape: tuple[int, ...]) -> None:
    _check_shape(name, array, shape, "f")
    if array is not None and not (np.abs(array) <= FARTHEST).all():  # NaN fails too
        raise ValueError(f"'{name}' holds NaN, infinity or more than {FARTHEST:g}")


def _check_index(name: str, array: np.ndarray | None, shape: tuple[int, ...], count: int) -> None:
    _check_shape(name, array, shape, "iu")
    if array is not None and array.size and not 0 <= array.min() <= array.max() < count:
        raise ValueError(f"'{name}' names {array.min()} or {array.max()} of {count}")


def _check_shape(name: str, array: np.ndarray | None, shape: tuple[int, ...], kinds: str) -> None:
    if array is not None and (array.shape != shape or array.dtype.kind not in kinds):
        raise ValueError(f"'{name}' of the shape {brief(array.shape)} and type {array.dtype}")
