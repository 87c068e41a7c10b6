"""Assembles a head from its parts and labels its vertices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from recipes.heads.ambient_occlusion import openness
from recipes.heads.brow_shape import brow_cover, brow_distance
from recipes.heads.bust import cut_bust
from recipes.heads.edge_loops import Rings
from recipes.heads.eyeballs import between_eyes, eyeballs
from recipes.heads.eyelids import Lids
from recipes.heads.hairline import inside_hairline
from recipes.heads.head_regions import gloss, profile, regions
from recipes.heads.lip_rings import Lips
from recipes.heads.long_hair import hair_shell
from recipes.heads.makehuman import MakeHuman
from recipes.heads.refine_mesh import refine
from recipes.heads.teeth import settle, teeth
from recipes.heads.tongue import tongue
from recipes.heads.woven_mesh import WovenMesh, from_quads, join, neighbours, normals

INNER = ("teeth_upper", "teeth_lower", "gums", "tongue")
# refinement of the skin: (field, distance from its vertices, longest edge), metres
FINE = (("lips", 0.002, 0.0027), ("lashes", 0.002, 0.0024))
FINE_BROWS, FINE_HAIRLINE = 0.0028, 0.006


@dataclass
class Anatomy:
    """The topology and labels that all heads share.

    Attributes:
        mesh: all parts as one mesh; its fields label the vertices.
        positions: (V, 3) metres, of the reference identity, from its origin.
        gloss: (V,) 0 matt to 1 wet.
        regions, landmarks: name → vertex indices.
    """

    mesh: WovenMesh
    positions: np.ndarray
    gloss: np.ndarray
    regions: dict[str, np.ndarray]
    landmarks: dict[str, np.ndarray]

    def settle(self, template: np.ndarray) -> np.ndarray:
        """Move teeth and tongue of a template (V, 3) to right behind its lips."""
        fields = self.mesh.fields
        incisors = np.flatnonzero(fields["incisors"] * fields["teeth_upper"] > 0)
        lip = self.landmarks["inner_lip_upper"]
        inner = np.concatenate([self.regions[name] for name in INNER])
        settled = template.copy()
        settled[inner] += settle(template, incisors, lip[len(lip) // 2])
        return settled


def assemble(source: MakeHuman, lips: Lips, reference: np.ndarray) -> Anatomy:
    """Assemble the parts of the head on the reference identity (N, 3)."""
    lids = Lids(Rings(source))
    parts = [
        _skin(source, lips, lids, reference),
        eyeballs(source, reference),
        teeth(source, reference, "upper"),
        teeth(source, reference, "lower"),
        tongue(source),
        _long_hair(source, reference),
    ]
    mesh = join(parts)
    where = _source_to_sheet(mesh)
    positions = mesh.positions(reference) - between_eyes(source, reference)
    landmarks = {name: where[index] for name, index in lips.landmarks().items()}
    landmarks["eye_corners"] = where[lids.corners(reference)]
    landmarks |= profile(mesh, positions, landmarks)
    mesh.fields["open"] = _light(mesh, positions)
    mesh.fields["brow"] = brow_cover(positions, positions[landmarks["eye_corners"]])
    return Anatomy(
        mesh,
        positions,
        gloss(mesh, positions),
        regions(mesh, positions, landmarks),
        landmarks,
    )


def _skin(source: MakeHuman, lips: Lips, lids: Lids, reference: np.ndarray) -> WovenMesh:
    """Cut out the bust, refined around mouth, eyes, brows and hairline; add its fields."""
    quads = source.quads["body"]
    body = from_quads(quads[~lids.sockets(quads)], len(source.vertices))
    fields = {name: source.mask(name) for name in ("inside-mouth", "ears")}
    fields["lips"] = lips.field(len(source.vertices))
    fields |= lids.fields(reference)
    body.fields = {name: body.weave @ values for name, values in fields.items()}
    skin = cut_bust(body, reference)
    skin.fields["skin"] = np.ones(len(skin))
    positions = skin.positions(reference)
    size = np.full(len(skin), 1.0)
    for field, near, length in FINE:
        tree = cKDTree(positions[skin.fields[field] > 0])
        size[tree.query(positions)[0] < near] = length
    size[brow_distance(positions, reference[lids.corners(reference)]) < 1.8] = FINE_BROWS
    inside = inside_hairline(positions - between_eyes(source, reference))
    size[(inside > -7) & (inside < 12) & (skin.fields["ears"] < 0.1)] = FINE_HAIRLINE
    size[skin.fields["cap"] > 0] = 1.0
    return refine(skin, reference, size)


def _long_hair(source: MakeHuman, reference: np.ndarray) -> WovenMesh:
    """Build the shell of longer hair around the skull."""
    positions = reference - between_eyes(source, reference)
    skull = source.members("body")
    skull = skull[(positions[skull, 1] > 0.03) & (inside_hairline(positions[skull]) > 10)]
    return hair_shell(positions, skull, reference)


def _light(mesh: WovenMesh, positions: np.ndarray) -> np.ndarray:
    """Return the ambient occlusion of skin and eyes at rest, smoothed; 1 elsewhere: (V,)."""
    outside = mesh.fields["skin"] + mesh.fields["eyes"] > 0
    triangles = mesh.triangles[outside[mesh.triangles].all(axis=1)]
    light = openness(positions, triangles, normals(positions, triangles))
    light = (light + neighbours(triangles, len(mesh)) @ light) / 2
    return np.where(outside, light, 1.0)


def _source_to_sheet(mesh: WovenMesh) -> np.ndarray:
    """Return the mesh vertex that equals each source vertex, -1 for none: (N,)."""
    where = np.full(mesh.weave.shape[1], -1)
    single = np.flatnonzero(np.diff(mesh.weave.indptr) == 1)
    where[mesh.weave.indices[mesh.weave.indptr[single]]] = single
    return where
