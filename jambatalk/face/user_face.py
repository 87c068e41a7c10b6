"""A user's own template mesh as a face that can be animated: FLAME's, BIWI's, or any other."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from jambatalk.errors import FaceError
from jambatalk.face.face import Face
from jambatalk.face.mouth_landmarks import find_landmarks
from jambatalk.files.arrays import open_array
from jambatalk.files.origins import origin
from jambatalk.files.unpickle import read_pickle

log = logging.getLogger(__name__)

SKIN, LIPS, WHITE, IRIS = (214, 168, 146), (192, 126, 114), (236, 232, 228), (74, 56, 44)  # sRGB
SKIN_GLOSS, LIPS_GLOSS, EYES_GLOSS = 0.25, 0.4, 1.0
IRIS_ANGLE = np.radians(27)  # from the middle of the eyeball, to each side of straight ahead
HEAD_HEIGHT = 0.25  # metres, roughly
UPPER_FACE = ("forehead", "eye_region")  # what FLAME's masks call what FDD looks at
UNITS = (1.0, 0.1, 0.01, 0.001)  # metres: metre, decimetre, centimetre, millimetre


def read_mesh(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) float32 and triangles (F, 3) int32 of a .ply or .obj, in the file's order.

    Raises:
        FaceError: no such file, or no triangle mesh.
    """
    path = Path(path)
    try:
        read = {".obj": _read_obj, ".ply": _read_ply}[path.suffix.lower()]
        vertices, triangles = read(path)
    except KeyError:
        raise FaceError(f"'{path}' is no template.", "Give a .ply or an .obj.") from None
    except FileNotFoundError:
        raise FaceError(f"There is no mesh '{path}'.", origin(path)) from None
    except OSError as error:
        raise FaceError(f"The template '{path}' cannot be read ({error.strerror}).") from error
    except Exception as error:  # trimesh raises many kinds
        raise FaceError(f"'{path}' is not a triangle mesh ({error}).") from error
    inside = len(triangles) and triangles.min() >= 0 and triangles.max() < len(vertices)
    if not inside or not np.isfinite(vertices).all():
        raise FaceError(f"'{path}' is not a triangle mesh.")
    return vertices.astype(np.float32), triangles.astype(np.int32)


def _read_ply(path: Path) -> tuple[np.ndarray, np.ndarray]:
    import trimesh

    with path.open("rb") as file:
        mesh = trimesh.load_mesh(file, file_type="ply", process=False)
    return np.asarray(mesh.vertices), np.asarray(mesh.faces)


def _read_obj(path: Path) -> tuple[np.ndarray, np.ndarray]:
    # trimesh doubles vertices along the seams of a texture; a network's outputs go by their order.
    vertices, triangles = [], []
    for line in path.read_text(errors="replace").splitlines():
        word, *rest = line.split() or [""]
        if word == "v":
            vertices.append([float(number) for number in rest[:3]])
        elif word == "f":
            corners = [int(corner.split("/")[0]) for corner in rest]
            corners = [c - 1 if c > 0 else len(vertices) + c for c in corners]
            triangles += [(corners[0], *pair) for pair in pairwise(corners[1:])]
    return np.array(vertices), np.array(triangles)


def read_templates(path: str | Path) -> dict[str, np.ndarray]:
    """Name → vertices (V, 3) float32: of a data set's `templates.pkl`, or of one .ply or .obj.

    Raises:
        FaceError: no such file, or it holds something else. DataError: the pickle is refused.
    """
    path = Path(path)
    if path.suffix.lower() != ".pkl":
        return {path.stem: read_mesh(path)[0]}
    stored = read_pickle(path)
    try:
        templates = {
            str(name): np.asarray(vertices, np.float32).reshape(-1, 3)
            for name, vertices in stored.items()
        }
    except (AttributeError, ValueError, TypeError) as error:
        raise FaceError(
            f"'{path}' does not hold templates.", "It should be a dictionary: name → vertices."
        ) from error
    return templates


def read_mask(path: str | Path) -> dict[str, np.ndarray]:
    """Name → vertex indices, of FLAME's masks; a bare list of indices, as BIWI's, is "lips".

    Args:
        path: a .pkl, or an .npy of indices.

    Raises:
        FaceError: it holds something else. DataError: it cannot be read, or is refused.
    """
    path = Path(path)
    stored = open_array(path) if path.suffix == ".npy" else read_pickle(path)
    masks = stored if isinstance(stored, dict) else {"lips": stored}
    try:
        masks = {str(name): np.asarray(index).ravel() for name, index in masks.items()}
    except ValueError as error:
        raise FaceError(f"'{path}' does not hold vertex indices ({error}).") from error
    lips = masks.get("lips", np.array([]))
    if not len(lips) or lips.dtype.kind not in "iu" or lips.min() < 0:
        raise FaceError(f"'{path}' holds no vertex indices of lips.")
    return {
        name: index.astype(np.int64) for name, index in masks.items() if index.dtype.kind in "iu"
    }


def guess_unit(vertices: np.ndarray) -> float:
    """Metres that one unit of a head's coordinates (V, 3) is: whichever of metre, decimetre,
    centimetre and millimetre makes it most nearly as tall as a head."""
    tall = np.ptp(vertices[:, 1]) * np.array(UNITS)
    return UNITS[int(np.argmin(np.abs(np.log(np.maximum(tall, 1e-9) / HEAD_HEIGHT))))]


def make_face(
    name: str,
    vertices: np.ndarray,
    triangles: np.ndarray,
    masks: dict[str, np.ndarray],
    title: str = "",
) -> Face:
    """A face without blendshapes, in plain colours.

    Args:
        vertices: (V, 3) metres, x to the head's own left, y up, z out of the face.
        masks: vertex indices of "lips" at least; FLAME's "left_eyeball" and "right_eyeball" are
            painted as eyes, its `UPPER_FACE` becomes the region "upper_face".

    Raises:
        FaceError: the masks belong to another mesh.
    """
    count = len(vertices)
    if max(index.max(initial=0) for index in masks.values()) >= count:
        raise FaceError(f"The masks are not those of a mesh with {count} vertices.")
    lips = np.unique(masks["lips"])
    landmarks = find_landmarks(vertices, triangles, lips)
    if "inner_lip_upper" not in landmarks:
        log.warning("No mouth was found on %s: how far its lips are apart cannot be told.", name)
    colors, gloss = np.tile(np.uint8(SKIN), (count, 1)), np.full(count, SKIN_GLOSS, np.float32)
    if "face" in masks or "eye_region" in masks:  # FLAME's: its lips are lips, BIWI's a rectangle
        colors[lips], gloss[lips] = LIPS, LIPS_GLOSS
    eyes = [masks[side] for side in ("left_eyeball", "right_eyeball") if side in masks]
    for ball in eyes:
        place = vertices[ball]
        place = place - (place.min(0) + place.max(0)) / 2
        ahead = place[:, 2] / np.maximum(np.linalg.norm(place, axis=1), 1e-9)
        colors[ball] = np.where(
            ahead[:, None] > np.cos(IRIS_ANGLE), np.uint8(IRIS), np.uint8(WHITE)
        )
        gloss[ball] = EYES_GLOSS
    eyes = np.unique(np.concatenate(eyes)) if eyes else np.array([], np.int64)
    regions = {"lips": lips, "eyes": eyes, "skin": np.setdiff1d(np.arange(count), eyes)}
    if masks.keys() >= set(UPPER_FACE):
        regions["upper_face"] = np.unique(np.concatenate([masks[name] for name in UPPER_FACE]))
    return Face(
        name=name,
        title=title or name,
        template=vertices.astype(np.float32),
        triangles=triangles,
        colors=colors,
        gloss=gloss,
        blendshapes=(),
        deltas=np.zeros((0, count, 3), np.float32),
        regions=regions,
        landmarks=landmarks,
    )


def make_heads(
    mesh: Path, people: Mapping[str, np.ndarray], masks: dict[str, np.ndarray], unit: float
) -> list[Face]:
    """A face for every template, or for the mesh itself if there is none.

    Args:
        mesh: a .ply or .obj with the triangles.
        people: name → template (V, 3), see :func:`read_templates`.
        unit: metres that one unit of their coordinates is.

    Raises:
        FaceError: a file cannot be used, or a template has another number of vertices.
    """
    vertices, triangles = read_mesh(mesh)
    first = make_face(mesh.stem, vertices * np.float32(unit), triangles, masks)
    for name, place in people.items():
        if place.shape != vertices.shape:
            raise FaceError(
                f"Template '{name}' has {len(place)} vertices, and '{mesh}' has {len(vertices)}.",
                "Give templates of one mesh.",
            )
        if not np.isfinite(place).all():
            raise FaceError(f"Template '{name}' holds positions that are not numbers.")
    if not people:
        return [first]
    return [
        replace(first, name=name, title=name, template=place * np.float32(unit))
        for name, place in people.items()
    ]
