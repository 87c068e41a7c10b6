"""A user's own template mesh as a face that can be animated: FLAME's, BIWI's, or any other."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from jambatalk.errors import FaceError
from jambatalk.face.check_face import MAX_VERTICES
from jambatalk.face.face import Face
from jambatalk.face.mesh import read_mesh
from jambatalk.face.mouth_landmarks import find_landmarks
from jambatalk.files.arrays import open_array
from jambatalk.files.regular import damaged
from jambatalk.files.safe_pickle import read_pickle

log = logging.getLogger(__name__)

SKIN, LIPS, WHITE, IRIS = (214, 168, 146), (192, 126, 114), (236, 232, 228), (74, 56, 44)  # sRGB
SKIN_GLOSS, LIPS_GLOSS, EYES_GLOSS = 0.25, 0.4, 1.0
IRIS_ANGLE = np.radians(27)  # at the centre of the eyeball, from straight ahead to the iris' edge
CUBE = 0.01  # of the extents of a template: those that differ less are no head's
HEAD_HEIGHT = 0.25  # metres, roughly
UNITS = (1.0, 0.1, 0.01, 0.001)  # metres: metre, decimetre, centimetre, millimetre
UPPER_FACE = ("forehead", "eye_region")  # FLAME's masks of the region that FDD measures


def read_mask(path: str | Path) -> dict[str, np.ndarray]:
    """Read FLAME's masks, name → vertex indices; a bare list of indices, as BIWI's, is "lips".

    Args:
        path: a .pkl, or an .npy of indices.

    Raises:
        FaceError: it holds something else. DataError: it is missing, damaged, or refused.
    """
    path = Path(path)
    stored = open_array(path) if path.suffix == ".npy" else read_pickle(path)
    masks = stored if isinstance(stored, dict) else {"lips": stored}
    cure = "Give FLAME_masks.pkl, BIWI_lip.pkl, or an .npy of whole numbers from 0 on."
    try:
        masks = {str(name): np.asarray(index).ravel() for name, index in masks.items()}
    except ValueError as error:
        raise damaged(path, error, FaceError, "a list of vertex indices", cure) from error
    masks = {k: index for k, index in masks.items() if index.dtype.kind in "iu" and index.size}
    if "lips" not in masks:
        raise FaceError(f"'{path}' holds no vertex indices of lips.", cure)
    for index in masks.values():
        if not 0 <= index.min() <= index.max() < MAX_VERTICES:
            raise FaceError(f"'{path}' holds indices that are not of a mesh.", cure)
    return {name: index.astype(np.int64) for name, index in masks.items()}


def guess_unit(vertices: np.ndarray) -> float:
    """Guess how many metres one unit of a head's coordinates (V, 3) is.

    Metre, decimetre, centimetre or millimetre, whichever brings it nearest to a head's height.
    """
    heights = np.ptp(vertices[:, 1]) * np.array(UNITS)
    return UNITS[int(np.argmin(np.abs(np.log(np.maximum(heights, 1e-9) / HEAD_HEIGHT))))]


def is_scaled(template: np.ndarray) -> bool:
    """Tell whether a head (V, 3) was scaled along each axis, to be as wide as high and deep."""
    extents = np.ptp(template, axis=0)
    return bool(np.ptp(extents) < CUBE * extents.max())


def make_face(
    name: str,
    vertices: np.ndarray,
    triangles: np.ndarray,
    masks: Mapping[str, np.ndarray],
    title: str = "",
) -> Face:
    """Make a face without blendshapes, in plain colours.

    Args:
        vertices: (V, 3) metres, x to the head's own left, y up, z out of the face.
        masks: vertex indices of "lips" at least; FLAME's "left_eyeball" and "right_eyeball" are
            painted as eyes, its `UPPER_FACE` becomes the region "upper_face".

    Raises:
        FaceError: the masks belong to another mesh.
    """
    count = len(vertices)
    if max(index.max(initial=0) for index in masks.values()) >= count:
        raise FaceError(
            f"The masks are not those of a mesh with {count} vertices.", "Give masks of this mesh."
        )
    lips = np.unique(masks["lips"])
    landmarks = find_landmarks(vertices, triangles, lips)
    if "inner_lip_upper" not in landmarks:
        log.warning("No mouth was found on %s: its lip aperture cannot be measured.", name)
    colors = np.tile(np.array(SKIN, np.uint8), (count, 1))
    gloss = np.full(count, SKIN_GLOSS, np.float32)
    if "face" in masks or "eye_region" in masks:  # only FLAME's mask of lips has no skin in it
        colors[lips], gloss[lips] = LIPS, LIPS_GLOSS
    eyeballs = [masks[side] for side in ("left_eyeball", "right_eyeball") if side in masks]
    for ball in eyeballs:
        points = vertices[ball]
        points = points - (points.min(0) + points.max(0)) / 2
        ahead = points[:, 2] / np.maximum(np.linalg.norm(points, axis=1), 1e-9)
        colors[ball] = np.where(ahead[:, None] > np.cos(IRIS_ANGLE), IRIS, WHITE)
        gloss[ball] = EYES_GLOSS
    eyes = np.unique(np.concatenate(eyeballs)) if eyeballs else np.array([], np.int64)
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
    mesh: Path,
    templates: Mapping[str, np.ndarray],
    masks: Mapping[str, np.ndarray],
    unit: float | np.ndarray,
) -> list[Face]:
    """Make a face for every template, or for the mesh itself if there is none.

    Args:
        mesh: a .ply or .obj with the triangles.
        templates: name → vertices (V, 3), see :func:`jambatalk.face.mesh.read_templates`.
        unit: metres that one unit of their coordinates is, also (3,) along x, y and z; negative
            where two axes are turned round.

    Raises:
        FaceError: a file cannot be used, or a template has another number of vertices.
    """
    vertices, triangles = read_mesh(mesh)
    first = make_face(mesh.stem, vertices * np.float32(unit), triangles, masks)
    for name, template in templates.items():
        if template.shape != vertices.shape:
            raise FaceError(
                f"Template '{name}' has {len(template)} vertices, '{mesh}' has {len(vertices)}.",
                "Give templates of one mesh.",
            )
    return [
        replace(first, name=name, title=name, template=template * np.float32(unit))
        for name, template in (templates or {mesh.stem: vertices}).items()
    ]
