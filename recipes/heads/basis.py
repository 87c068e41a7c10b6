"""The mesh that all heads share: ICT-FaceKit's, with sealed lips and ARKit's blendshapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from jambatalk.face.face import Face
from jambatalk.face.material import Material
from recipes.heads.ict_facekit import PARTS, IctFaceKit, eye_centre
from recipes.heads.lip_seal import Lips
from recipes.heads.materials import ATLAS, FACE_SIZE, MATERIALS
from recipes.heads.regions import find_landmarks, find_regions, tongue_mask, vertex_gloss

KINDS = ("skin", "mouth", "eye", "hair", "hair", "cloth", "hair")  # of MATERIALS
# The parts of the published mesh that are drawn, by material. The tear film, the iris, the lashes
# and the shadows around the eye are left out: eyes and lashes are made afresh.
DRAWN = {
    "skin": ("face", "head", "eye_sockets"),
    "mouth": ("mouth_socket", "gums", "teeth"),
    "eyes": ("sclera_left", "sclera_right"),
}
DROPPED = ("PupilDilate", "cheekRaiser")  # not of ARKit
JOINED = ("browInnerUp", "cheekPuff")  # ARKit has one where ICT-FaceKit has two
SIDES = {"_L": "Left", "_R": "Right"}


@dataclass(frozen=True, eq=False)
class Basis:
    """The mesh of all heads: V vertices, split where texture coordinates differ.

    Attributes:
        source: (V,) the published vertex of each vertex.
        triangles: (F, 3) int32, ordered by material.
        material_index: (F,) uint8, number in MATERIALS.
        uv: (V, 2), of the skin in the atlas, of the eyes in their picture; v up.
        weld: (V,) int32, the first vertex at the same point.
        gloss: (V,), 0 matt to 1 wet.
        colors: (V, 3) uint8, sRGB; white where a picture has the colour.
        blendshapes: 53 names, sorted.
        deltas: (53, V, 3) metres.
        regions, landmarks: name → vertex indices.
        lips: rings of published vertices.
    """

    source: np.ndarray
    triangles: np.ndarray
    material_index: np.ndarray
    uv: np.ndarray
    weld: np.ndarray
    gloss: np.ndarray
    colors: np.ndarray
    blendshapes: tuple[str, ...]
    deltas: np.ndarray
    regions: dict[str, np.ndarray]
    landmarks: dict[str, np.ndarray]
    lips: Lips

    def template(self, positions: np.ndarray) -> np.ndarray:
        """Close the lips of published vertices (N, 3), and pick those of the mesh: (V, 3)."""
        return self.lips.seal(positions)[self.source]

    def occlusion(self, template: np.ndarray) -> np.ndarray:
        """Return the part of the surroundings' light that reaches each vertex: (V,)."""
        return np.ones(len(template), np.float32)

    def face(self, template: np.ndarray, name: str = "mean") -> Face:
        """Return a face with this mesh, drawn in the vertices' colours."""
        return Face(
            name=name,
            template=template.astype(np.float32),
            triangles=self.triangles,
            colors=self.colors,
            gloss=self.gloss,
            blendshapes=self.blendshapes,
            deltas=self.deltas.astype(np.float16).astype(np.float32),
            regions=self.regions,
            landmarks=self.landmarks,
            materials=tuple(map(Material, MATERIALS, KINDS)),
            material_index=self.material_index,
            uv=self.uv,
            weld=self.weld,
        )

    def topology(self) -> dict[str, np.ndarray]:
        """Return the arrays of `topology.npz`."""
        arrays = self.face(np.zeros((len(self.source), 3))).to_arrays()
        for own in ("name", "title", "template"):
            del arrays[own]
        for small in ("deltas", "gloss"):
            arrays[small] = arrays[small].astype(np.float16)
        return arrays


def build_basis(ict: IctFaceKit, folder: Path) -> Basis:
    """Build the mesh of all heads.

    Args:
        folder: ICT-FaceKit's, for its landmarks.
    """
    lips = Lips(ict.positions, ict.faces)
    corners, uv_corners, material = [], [], []
    for name, parts in DRAWN.items():
        triangles, uv = ict.triangles(parts)
        corners.append(triangles)
        uv_corners.append(uv if name == "skin" else np.full_like(uv, -1))
        material.append(np.full(len(triangles), MATERIALS.index(name)))
    split = np.stack([np.concatenate(corners), np.concatenate(uv_corners)], -1).reshape(-1, 2)
    skin = {vertex for vertex, uv in split.tolist() if uv >= 0}
    first = dict(split[split[:, 1] >= 0].tolist())
    inside = (split[:, 1] < 0) & np.isin(split[:, 0], list(skin))  # where the mouth begins
    split[inside, 1] = [first[vertex] for vertex in split[inside, 0].tolist()]
    points, index = np.unique(split, axis=0, return_inverse=True)
    source = points[:, 0]
    _, earliest, same = np.unique(source, return_index=True, return_inverse=True)
    published = find_landmarks(ict, lips, folder)
    masks = find_regions(ict, lips, published)
    blendshapes = arkit_blendshapes(ict, lips)
    names = tuple(sorted(blendshapes))
    return Basis(
        source=source,
        triangles=index.reshape(-1, 3).astype(np.int32),
        material_index=np.concatenate(material).astype(np.uint8),
        uv=_texture_coordinates(ict, points).astype(np.float32),
        weld=earliest[same].astype(np.int32),
        gloss=vertex_gloss(masks)[source].astype(np.float32),
        colors=_colors(masks)[source],
        blendshapes=names,
        deltas=np.stack([blendshapes[name][source] for name in names]).astype(np.float32),
        regions={
            name: np.flatnonzero(mask[source]).astype(np.int32) for name, mask in masks.items()
        },
        landmarks={
            name: np.searchsorted(source, vertices).astype(np.int32)
            for name, vertices in published.items()
        },
        lips=lips,
    )


def plain_face(folder: Path) -> Face:
    """Return ICT-FaceKit's mean head, drawn in the vertices' colours."""
    ict = IctFaceKit.read(folder)
    basis = build_basis(ict, folder)
    face = basis.face(basis.template(ict.positions))
    colors = face.colors.copy()
    colors[face.regions["skin"]] = (226, 176, 152)
    colors[face.regions["lips"]] = (200, 120, 110)
    eyes = face.regions["eyes"]
    away = np.linalg.norm(face.uv[eyes] - 0.5, axis=1) * 180  # degrees from the optical axis
    colors[eyes] = np.where(away[:, None] < 24, (70, 45, 30), (235, 232, 228))
    colors[eyes[away < 9]] = (8, 8, 8)
    return replace(face, colors=colors)


def arkit_blendshapes(ict: IctFaceKit, lips: Lips) -> dict[str, np.ndarray]:
    """Return ARKit's blendshapes and tongueUp: name → displacement (N, 3)."""
    shapes = {}
    for name, delta in lips.keep_sealed(_renamed(ict.expressions)).items():
        shapes[name] = delta
    shapes["tongueOut"], shapes["tongueUp"] = _tongue_shapes(ict)
    return shapes


def _renamed(expressions: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    renamed: dict[str, np.ndarray] = {}
    for name, delta in expressions.items():
        stem, side = (name[:-2], name[-2:]) if name[-2:] in SIDES else (name, "")
        if stem in DROPPED:
            continue
        arkit = stem if stem in JOINED else stem + SIDES.get(side, "")
        renamed[arkit] = renamed.get(arkit, 0) + delta
    return renamed


def _tongue_shapes(ict: IctFaceKit) -> tuple[np.ndarray, np.ndarray]:
    mask = tongue_mask(ict)
    z = ict.positions[:, 2]
    tip = z[mask].max()
    part = np.clip((z - (tip - 0.05)) / 0.05, 0, 1) ** 2 * mask
    out = part[:, None] * [0, -0.012, 0.03]
    front = np.clip((z - (tip - 0.02)) / 0.02, 0, 1) ** 2 * mask
    return out, front[:, None] * [0, 0.008, 0.0]


def _texture_coordinates(ict: IctFaceKit, points: np.ndarray) -> np.ndarray:
    """Return the coordinates (V, 2) of points: published vertex, and texture coordinate or -1."""
    uv = np.zeros((len(points), 2))
    skin = points[:, 1] >= 0
    u, v = ict.uv[points[skin, 1]].T
    rows, columns = ATLAS
    back = u >= 1  # the second picture, at half size in the upper right corner
    uv[skin, 0] = np.where(back, FACE_SIZE + (u - 1) * FACE_SIZE / 2, u * FACE_SIZE) / columns
    uv[skin, 1] = 1 - np.where(back, (1 - v) * FACE_SIZE / 2, (1 - v) * FACE_SIZE) / rows
    for side in ("left", "right"):
        low, high = PARTS[f"sclera_{side}"]
        eye = (points[:, 0] >= low) & (points[:, 0] < high)
        x, y, z = (ict.positions[points[eye, 0]] - eye_centre(ict.positions, side)).T
        aside = np.maximum(np.hypot(x, y), 1e-9)
        angle = np.minimum(np.arctan2(aside, z) / (np.pi / 2), 1)
        uv[eye] = 0.5 + 0.5 * (angle / aside)[:, None] * np.stack([x, y], 1)
    return uv


COLORS = {
    "inner_mouth": (96, 36, 34),
    "teeth_upper": (236, 226, 208),
    "teeth_lower": (228, 217, 198),
    "gums": (178, 96, 94),
    "tongue": (176, 84, 84),
}


def _colors(masks: dict[str, np.ndarray]) -> np.ndarray:
    colors = np.full((len(masks["skin"]), 3), 255, np.uint8)
    for name, color in COLORS.items():
        colors[masks[name]] = color
    return colors
