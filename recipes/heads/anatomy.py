"""Put the head together from its parts, and say which vertex is what."""

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
from recipes.heads.long_hair import locks
from recipes.heads.makehuman import MakeHuman
from recipes.heads.refine_mesh import refine
from recipes.heads.teeth import settle, teeth
from recipes.heads.tongue import tongue
from recipes.heads.woven_mesh import Sheet, from_quads, join, neighbours, normals

INNER = ("teeth_upper", "teeth_lower", "gums", "tongue")
# Where the skin is refined: around which vertices, how near (metres), and the longest edge there.
FINE = (("lips", 0.002, 0.0027), ("lashes", 0.002, 0.0024))
FINE_BROWS, FINE_HAIRLINE = 0.0028, 0.006


@dataclass
class Anatomy:
    """What all heads share.

    Attributes:
        sheet: every part as one mesh; its fields tell what a vertex is made of.
        positions: (V, 3) metres, on the reference person, from its origin.
        gloss: (V,) 0 matt to 1 wet.
        regions, landmarks: name → vertex indices.
    """

    sheet: Sheet
    positions: np.ndarray
    gloss: np.ndarray
    regions: dict[str, np.ndarray]
    landmarks: dict[str, np.ndarray]

    def settle(self, template: np.ndarray) -> np.ndarray:
        """A template (V, 3) with its teeth and tongue right behind its lips."""
        fields = self.sheet.fields
        incisors = np.flatnonzero(fields["incisors"] * fields["teeth_upper"] > 0)
        lip = self.landmarks["inner_lip_upper"]
        inner = np.concatenate([self.regions[name] for name in INNER])
        settled = template.copy()
        settled[inner] += settle(template, incisors, lip[len(lip) // 2])
        return settled


def assemble(source: MakeHuman, lips: Lips, person: np.ndarray) -> Anatomy:
    """The head's parts, woven on the reference person (N, 3)."""
    lids = Lids(Rings(source))
    parts = [
        _skin(source, lips, lids, person),
        eyeballs(source, person),
        teeth(source, person, "upper"),
        teeth(source, person, "lower"),
        tongue(source),
        _locks(source, person),
    ]
    sheet = join(parts)
    where = _source_to_sheet(sheet)
    positions = sheet.place(person) - between_eyes(source, person)
    landmarks = {name: where[index] for name, index in lips.landmarks().items()}
    landmarks["eye_corners"] = where[lids.corners(person)]
    landmarks |= profile(sheet, positions, landmarks)
    sheet.fields["open"] = _light(sheet, positions)
    sheet.fields["brow"] = brow_cover(positions, positions[landmarks["eye_corners"]])
    return Anatomy(
        sheet,
        positions,
        gloss(sheet, positions),
        regions(sheet, positions, landmarks),
        landmarks,
    )


def _skin(source: MakeHuman, lips: Lips, lids: Lids, person: np.ndarray) -> Sheet:
    """The bust, refined around mouth, eyes, brows and hairline; field "skin" 1 and masks."""
    quads = source.quads["body"]
    body = from_quads(quads[~lids.sockets(quads)], len(source.vertices))
    fields = {name: source.mask(name) for name in ("inside-mouth", "ears")}
    fields["lips"] = lips.field(len(source.vertices))
    fields |= lids.fields(person)
    body.fields = {name: body.weave @ values for name, values in fields.items()}
    skin = cut_bust(body, person)
    skin.fields["skin"] = np.ones(len(skin))
    positions = skin.place(person)
    size = np.full(len(skin), 1.0)
    for field, near, length in FINE:
        tree = cKDTree(positions[skin.fields[field] > 0])
        size[tree.query(positions)[0] < near] = length
    size[brow_distance(positions, person[lids.corners(person)]) < 1.8] = FINE_BROWS
    inside = inside_hairline(positions - between_eyes(source, person))
    size[(inside > -7) & (inside < 12) & (skin.fields["ears"] < 0.1)] = FINE_HAIRLINE
    size[skin.fields["cap"] > 0] = 1.0
    return refine(skin, person, size)


def _locks(source: MakeHuman, person: np.ndarray) -> Sheet:
    positions = person - between_eyes(source, person)
    skull = source.members("body")
    skull = skull[(positions[skull, 1] > 0.03) & (inside_hairline(positions[skull]) > 10)]
    return locks(positions, skull, person)


def _light(sheet: Sheet, positions: np.ndarray) -> np.ndarray:
    """(V,) the ambient occlusion of skin and eyes at rest, a little smoothed; 1 elsewhere."""
    outside = sheet.fields["skin"] + sheet.fields["eyes"] > 0
    triangles = sheet.triangles[outside[sheet.triangles].all(axis=1)]
    light = openness(positions, triangles, normals(positions, triangles))
    light = (light + neighbours(triangles, len(sheet)) @ light) / 2
    return np.where(outside, light, 1.0)


def _source_to_sheet(sheet: Sheet) -> np.ndarray:
    """(N,) which vertex of the sheet is a source vertex itself; -1 for none."""
    where = np.full(sheet.weave.shape[1], -1)
    single = np.flatnonzero(np.diff(sheet.weave.indptr) == 1)
    where[sheet.weave.indices[sheet.weave.indptr[single]]] = single
    return where
