"""The triangles that are drawn: fewer than the mesh has, large ones where it is smooth.

They use some of its vertices. Attachments and shade are fitted to the whole mesh.
"""

from __future__ import annotations

import numpy as np

from jambatalk.face.face import Face
from recipes.heads.decimate import decimate
from recipes.heads.materials import MATERIALS

POINTS = 3500  # of the skin, besides those that stay
WHOLE = ("lips", "inner_mouth")  # regions that stay as they are
LIDS, CLOSING = ("eyeBlinkLeft", "eyeBlinkRight"), 0.001  # so do vertices that move as far, metres
# Poses in which the shape is kept: weights of blendshapes, of both sides.
POSES: tuple[dict[str, float], ...] = (
    {},
    {"jawOpen": 0.6},
    {"mouthSmile": 1.0, "browInnerUp": 1.0, "eyeBlink": 1.0},
    {"mouthPucker": 1.0, "noseSneer": 1.0, "browDown": 1.0},
    {"cheekPuff": 1.0, "eyeLookDown": 1.0},
)


def coarse_triangles(face: Face) -> dict[str, np.ndarray]:
    """Return the arrays `triangles` (n, 3) and `material_index` (n,) of a face with coarse skin."""
    assert face.material_index is not None
    assert face.weld is not None
    skin = face.material_index == MATERIALS.index("skin")
    triangles = face.triangles[skin]
    free = np.ones(len(face.template), bool)
    for name in WHOLE:
        free[face.weld[face.regions[name]]] = False
    for name in LIDS:
        moved = np.linalg.norm(face.deltas[face.blendshapes.index(name)], axis=1)
        free &= moved < CLOSING
    corners = face.weld[triangles]
    free &= np.isin(np.arange(len(free)), corners)
    poses = [face.vertices(_weights(face, pose)) for pose in POSES]
    _, _, coarse = decimate(poses, corners, triangles, [(free, POINTS)])
    others = face.triangles[~skin]
    index = np.repeat(np.uint8(MATERIALS.index("skin")), len(coarse))
    return {
        "triangles": np.concatenate([coarse, others]).astype(np.int32),
        "material_index": np.concatenate([index, face.material_index[~skin]]),
    }


def _weights(face: Face, pose: dict[str, float]) -> np.ndarray:
    stems = [name.removesuffix("Left").removesuffix("Right") for name in face.blendshapes]
    return np.array([pose.get(stem, 0.0) for stem in stems])
