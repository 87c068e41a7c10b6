"""The published mesh as the heads draw it: parts, texture coordinates, and fewer vertices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recipes.heads.decimate import decimate
from recipes.heads.ict_facekit import PARTS, IctFaceKit
from recipes.heads.materials import ATLAS, FACE_SIZE, MATERIALS

# The parts that are drawn, by material. Not drawn are the eye sockets, which the eyeballs hide, the
# eyeballs and lashes, which are made afresh, and the tear film and shadows of the eye.
DRAWN = {"skin": ("face", "head"), "mouth": ("mouth_socket", "gums", "teeth")}
NO_PICTURE = -1
FRONT_TEETH = 0.004  # metres: canines and incisors are in front of it
OPEN = 0.5  # of jawOpen: the other pose in which the shape is kept
# How many vertices stay.
KEPT = {
    "front teeth": 850,
    "other teeth": 780,
    "tongue": 430,
    "gums": 720,
    "mouth socket": 520,
    "back of the head": 800,
    "scalp": 450,
    "neck": 1100,
}
CROWN = 0.014  # metres: the part of the teeth that sticks out of the gums, and some more


@dataclass(frozen=True, eq=False)
class ThinMesh:
    """Vertices split where texture coordinates differ, sorted by published vertex.

    Attributes:
        source: (V,) published vertices.
        triangles: (F, 3).
        material: (F,) uint8, number in MATERIALS.
        uv: (V, 2) in the atlas of the skin, v up; 0 where there is no picture.
    """

    source: np.ndarray
    triangles: np.ndarray
    material: np.ndarray
    uv: np.ndarray


def thin_out(
    ict: IctFaceKit, regions: Mapping[str, np.ndarray], blendshapes: Mapping[str, np.ndarray]
) -> ThinMesh:
    """Choose the vertices that are drawn: all of the face and the lips, few of what is hidden."""
    parted: list[tuple[np.ndarray, np.ndarray]] = []
    for name, parts in DRAWN.items():
        part, uv = ict.triangles(parts)
        parted.append((part, uv if name == "skin" else np.full_like(uv, NO_PICTURE)))
    skin = len(parted[0][0])
    corners, charts = (np.concatenate(arrays) for arrays in zip(*parted, strict=True))
    crowns = ~_roots(ict, regions)[corners].any(1)
    corners, charts = corners[crowns], charts[crowns]
    # Where the mouth begins, its triangles use the skin's vertices.
    known = np.full(len(ict.positions), NO_PICTURE)
    known[corners[:skin]] = charts[:skin]
    charts[skin:] = known[corners[skin:]]
    poses = [ict.positions, ict.positions + OPEN * blendshapes["jawOpen"]]
    masks = _groups(ict, regions)
    number, corners, charts = decimate(
        poses, corners, charts, [(masks[name], count) for name, count in KEPT.items()]
    )
    split = np.stack([corners, charts], -1).reshape(-1, 2)
    points, index = np.unique(split, axis=0, return_inverse=True)
    material = np.where(number < skin, MATERIALS.index("skin"), MATERIALS.index("mouth"))
    return ThinMesh(
        source=points[:, 0],
        triangles=index.reshape(-1, 3),
        material=material.astype(np.uint8),
        uv=_atlas(ict, points[:, 1]),
    )


def _roots(ict: IctFaceKit, regions: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the mask (N,) of the teeth's roots, which the gums hide."""
    y = ict.positions[:, 1]
    upper, lower = regions["teeth_upper"], regions["teeth_lower"]
    return (upper & (y > y[upper].min() + CROWN)) | (lower & (y < y[lower].max() - CROWN))


def _groups(ict: IctFaceKit, regions: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    z = ict.positions[:, 2]
    teeth = regions["teeth_upper"] | regions["teeth_lower"]
    part = {name: np.zeros(len(z), bool) for name in PARTS}
    for name, (low, high) in PARTS.items():
        part[name][low:high] = True
    return {
        "front teeth": teeth & (z > FRONT_TEETH),
        "other teeth": teeth & (z <= FRONT_TEETH),
        "tongue": regions["tongue"],
        "gums": regions["gums"],
        "mouth socket": part["mouth_socket"],
        "back of the head": part["head"] & ~regions["neck"],
        "scalp": part["face"] & regions["scalp"],
        "neck": regions["neck"],
    }


def _atlas(ict: IctFaceKit, charts: np.ndarray) -> np.ndarray:
    """Return the place of texture coordinates in the atlas of the skin: (V, 2)."""
    u, v = ict.uv[charts].T
    rows, columns = ATLAS
    size = np.where(u < 1, FACE_SIZE, FACE_SIZE // 2)  # of the first and the second picture
    right = np.where(u < 1, u * size, FACE_SIZE + (u - 1) * size)
    uv = np.stack([right / columns, 1 - (1 - v) * size / rows], 1)
    return np.where(charts[:, None] == NO_PICTURE, 0.0, uv)
