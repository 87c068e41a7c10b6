"""The mesh that all heads share: ICT-FaceKit's, with sealed lips and ARKit's blendshapes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from jambatalk.face.face import Face
from jambatalk.face.material import Material
from recipes.heads.ambient_occlusion import crowding, open_sky, smoothed
from recipes.heads.blendshapes import arkit_blendshapes
from recipes.heads.eyeballs import Eyeballs
from recipes.heads.ict_facekit import IctFaceKit
from recipes.heads.lip_seal import Lips
from recipes.heads.materials import MATERIALS
from recipes.heads.mouth_colors import mouth_colors
from recipes.heads.regions import find_landmarks, find_regions, vertex_gloss
from recipes.heads.thin_mesh import thin_out

KINDS = ("skin", "mouth", "eye", "hair", "hair", "cloth", "hair", "hair")  # of MATERIALS

# Metres by which the upper teeth reach below the line where the lips touch, and lie behind it.
SHOWN, BEHIND = 0.0027, 0.0027

OPENED = 0.4  # of jawOpen: how the lips are lit, half of it, and the inside of the mouth
AROUND_LIPS = 0.06  # metres: what darkens them
IN_MOUTH = ("inner_mouth", "teeth_upper", "teeth_lower", "gums", "tongue")
CROWDED = 0.7  # how dark it gets between two teeth
DARKEST = 0.12  # skin lets light through

STILL = 5e-5  # metres; smaller displacements are noise of the scans


@dataclass(frozen=True, eq=False)
class Basis:
    """The mesh of all heads: V vertices, split where texture coordinates differ.

    Attributes:
        source: (V,) the published vertex of each vertex; of eyeballs, the nearest one.
        triangles: (F, 3) int32, ordered by material.
        material_index: (F,) uint8, number in MATERIALS.
        uv: (V, 2), of the skin in the atlas, of the eyes in their picture; v up.
        weld: (V,) int32, the first vertex at the same point.
        gloss: (V,), 0 matt to 1 wet.
        colors: (V, 3) uint8, sRGB; white where a picture has the colour.
        blendshapes: 53 names, sorted.
        deltas: (53, V, 3) metres.
        regions, landmarks: name → vertex indices.
        lips, eyeballs: how published vertices are closed, and replaced.
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
    eyeballs: Eyeballs

    def template(self, positions: np.ndarray) -> np.ndarray:
        """Close the lips of published vertices (N, 3), and pick those of the mesh: (V, 3)."""
        template = self.lips.seal(positions)[self.source]
        self._settle(template)
        template[self.regions["eyes"]] = self.eyeballs.place(positions)
        return template

    def _settle(self, template: np.ndarray) -> None:
        """Move teeth, gums and tongue of a template (V, 3) to right behind its lips, in place."""
        _, lip_y, lip_z = template[self.landmarks["inner_lip_upper"]].mean(0)
        teeth = template[self.regions["teeth_upper"]]
        edge = np.array([0.0, teeth[:, 1].min(), teeth[:, 2].max()])
        shift = np.array([0.0, lip_y - SHOWN, lip_z - BEHIND]) - edge
        for name in ("teeth_upper", "teeth_lower", "gums", "tongue"):
            template[self.regions[name]] += [0.0, shift[1], shift[2]]

    def occlusion(self, template: np.ndarray) -> np.ndarray:
        """Return the part of the surroundings' light that reaches each vertex at rest: (V,).

        In the mouth it is the light of an open one: the renderer knows how far it is open.
        """
        triangles = self.weld[self.triangles]
        inside = self.material_index == MATERIALS.index("mouth")
        opened = template + OPENED * self.deltas[self.blendshapes.index("jawOpen")]
        light = open_sky(template, triangles[~inside])
        lips = self.regions["lips"]
        near = np.linalg.norm(opened - opened[lips].mean(0), axis=1) < AROUND_LIPS
        around = triangles[near[triangles].all(1) & ~inside]
        light[lips] = (light[lips] + open_sky(opened, around)[lips]) / 2
        light = smoothed(light, triangles[~inside])
        mouth = np.concatenate([self.regions[name] for name in IN_MOUTH])
        light[mouth] = 1 - CROWDED * crowding(opened, triangles[inside])[mouth]
        return np.maximum(light[self.weld], DARKEST).astype(np.float32)

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
    lips, eyeballs = Lips(ict.positions, ict.faces), Eyeballs(ict)
    published = find_landmarks(ict, lips, folder)
    masks = find_regions(ict, lips, published)
    blendshapes = arkit_blendshapes(ict, lips, eyeballs, masks)
    mesh = thin_out(ict, masks, blendshapes)
    count = len(mesh.source)
    eyes = np.arange(count, count + len(eyeballs.source))
    regions = {name: np.flatnonzero(mask[mesh.source]) for name, mask in masks.items()}
    regions["eyes"] = eyes
    looks = eyeballs.looks(ict.positions)
    names = tuple(sorted(blendshapes))
    deltas = np.zeros((len(names), count + len(eyes), 3), np.float32)
    for delta, name in zip(deltas, names, strict=True):
        delta[:count] = blendshapes[name][mesh.source]
        delta[count:] = looks.get(name, 0)
    mouth = np.concatenate([regions[name] for name in ("lips", *IN_MOUTH)])
    for delta, name in zip(deltas, names, strict=True):
        if name.startswith(("brow", "eye")):
            delta[mouth] = 0  # so that nonverbal motion leaves the lips alone
    still = np.linalg.norm(deltas, axis=2) < STILL
    still[:, np.concatenate([regions["lips"], regions["inner_mouth"]])] = False  # lips meet exactly
    deltas[still] = 0
    _, earliest, same = np.unique(mesh.source, return_index=True, return_inverse=True)
    colors = np.full((count + len(eyes), 3), 255, np.uint8)
    colors[:count] = mouth_colors(ict, masks)[mesh.source]
    source = np.concatenate([mesh.source, eyeballs.source])
    of_eyes = np.full(len(eyeballs.triangles), MATERIALS.index("eyes"), np.uint8)
    return Basis(
        source=source,
        triangles=np.concatenate([mesh.triangles, eyeballs.triangles + count]).astype(np.int32),
        material_index=np.concatenate([mesh.material, of_eyes]),
        uv=np.concatenate([mesh.uv, eyeballs.uv]).astype(np.float32),
        weld=np.concatenate([earliest[same], eyes]).astype(np.int32),
        gloss=vertex_gloss(
            ict.positions[source], regions, ict.positions[published["mouth_corners"]]
        ).astype(np.float32),
        colors=colors,
        blendshapes=names,
        deltas=deltas,
        regions={name: index.astype(np.int32) for name, index in regions.items()},
        landmarks={
            name: np.searchsorted(mesh.source, vertices).astype(np.int32)
            for name, vertices in published.items()
        },
        lips=lips,
        eyeballs=eyeballs,
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
    away = np.linalg.norm(basis.uv[eyes] - 0.5, axis=1) * 180  # degrees from the optical axis
    colors[eyes] = np.where(away[:, None] < 24, (70, 45, 30), (235, 232, 228))
    colors[eyes[away < 9]] = (8, 8, 8)
    return replace(face, colors=colors)
