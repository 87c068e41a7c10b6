"""Put the head together from its parts, and say which vertex is what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from jambatalk.heads import cut
from jambatalk.heads.brows import brow_cover, brow_distance
from jambatalk.heads.eyes import SIDES, eyeballs
from jambatalk.heads.hair import inside_hairline
from jambatalk.heads.lids import Lids
from jambatalk.heads.lips import Lips
from jambatalk.heads.locks import locks
from jambatalk.heads.makehuman import MakeHuman
from jambatalk.heads.refine import refine
from jambatalk.heads.rings import Rings
from jambatalk.heads.shade import openness
from jambatalk.heads.sheet import Sheet, from_quads, join, neighbours, normals
from jambatalk.heads.teeth import settle, teeth
from jambatalk.heads.tongue import tongue

GLOSS = {
    "eyes": 1.0,
    "teeth_upper": 0.75,
    "teeth_lower": 0.75,
    "tongue": 0.6,
    "gums": 0.7,
    "locks": 0.1,
}
INNER = ("teeth_upper", "teeth_lower", "gums", "tongue")
SKIN_GLOSS, LIP_GLOSS, CAP_GLOSS = 0.25, 0.4, 0.05


@dataclass
class Anatomy:
    """What all heads share.

    Attributes:
        sheet: every part as one mesh; its fields tell what a vertex is made of.
        positions: (V, 3) metres, on the reference person, from its origin.
        gloss: (V,) 0 matt to 1 wet.
        regions, landmarks: name → vertex indices.
        eyes: source vertices of both eyeballs.
    """

    sheet: Sheet
    positions: np.ndarray
    gloss: np.ndarray
    regions: dict[str, np.ndarray]
    landmarks: dict[str, np.ndarray]
    eyes: np.ndarray

    def template(self, vertices: np.ndarray) -> np.ndarray:
        """(V, 3) metres: the head of a person (N, 3), with teeth and tongue behind the lips."""
        template = self.sheet.place(vertices) - self.origin(vertices)
        fields = self.sheet.fields
        incisors = np.flatnonzero(fields["incisors"] * fields["teeth_upper"] > 0)
        lip = self.landmarks["inner_lip_upper"]
        inner = np.concatenate([self.regions[name] for name in INNER])
        template[inner] += settle(template, incisors, lip[len(lip) // 2])
        return template

    def origin(self, vertices: np.ndarray) -> np.ndarray:
        """(3,) the point midway between the centres of a person's eyeballs (N, 3)."""
        return vertices[self.eyes].mean(axis=0)


def assemble(source: MakeHuman, lips: Lips, person: np.ndarray) -> Anatomy:
    """The head's parts, woven on the reference person (N, 3)."""
    lids = Lids(Rings(source))
    skin = _skin(source, lips, lids, person)
    skin.fields["skin"] = np.ones(len(skin))
    parts = [
        skin,
        eyeballs(source, person),
        teeth(source, person, "upper"),
        teeth(source, person, "lower"),
        tongue(source),
        _locks(source, person),
    ]
    sheet = join(parts)
    _shade(sheet, person)
    where = _source_to_sheet(sheet)
    positions = sheet.place(person)
    landmarks = {name: where[index] for name, index in lips.landmarks().items()}
    landmarks["eye_corners"] = where[lids.corners(person)]
    landmarks |= _profile(sheet, positions, landmarks)
    sheet.fields["brow"] = brow_cover(positions, positions[landmarks["eye_corners"]])
    regions = _regions(sheet, positions, landmarks)
    gloss = sheet.fields["skin"] * SKIN_GLOSS
    hairy = inside_hairline(positions - person[source.members(*SIDES)].mean(axis=0)) > 4
    gloss = np.where(hairy & (sheet.fields["ears"] < 0.3), 0.3, 1) * gloss
    gloss = np.where(sheet.fields["cap"] > 0, CAP_GLOSS, gloss)
    gloss = gloss * (1 - sheet.fields["inside-mouth"])
    gloss = np.maximum(gloss, LIP_GLOSS * sheet.fields["lips"])
    gloss = np.maximum(gloss, 0.7 * sheet.fields["waterline"])
    for name, value in GLOSS.items():
        gloss = np.maximum(gloss, value * sheet.fields[name])
    eyes = source.members(*SIDES)
    positions = positions - person[eyes].mean(axis=0)
    return Anatomy(sheet, positions, gloss, regions, landmarks, eyes)


def _skin(source: MakeHuman, lips: Lips, lids: Lids, person: np.ndarray) -> Sheet:
    quads = source.quads["body"]
    body = from_quads(quads[~lids.sockets(quads)], len(source.vertices))
    fields = {name: source.mask(name) for name in ("inside-mouth", "ears")}
    fields["lips"] = lips.field(len(source.vertices))
    fields |= lids.fields(person)
    body.fields = {name: body.weave @ values for name, values in fields.items()}
    skin = cut.bust(body, person)
    positions = skin.place(person)
    size = np.full(len(skin), 1.0)
    for field, near, length in (("lips", 0.002, 0.0027), ("lashes", 0.002, 0.0024)):
        tree = cKDTree(positions[skin.fields[field] > 0])
        size[tree.query(positions)[0] < near] = length
    size[brow_distance(positions, person[lids.corners(person)]) < 1.8] = 0.0028
    inside = inside_hairline(positions - person[source.members(*SIDES)].mean(axis=0))
    size[(inside > -7) & (inside < 12) & (skin.fields["ears"] < 0.1)] = 0.006
    size[skin.fields["cap"] > 0] = 1.0
    return refine(skin, person, size)


def _locks(source: MakeHuman, person: np.ndarray) -> Sheet:
    positions = person - person[source.members(*SIDES)].mean(axis=0)
    skull = source.members("body")
    skull = skull[(positions[skull, 1] > 0.03) & (inside_hairline(positions[skull]) > 10)]
    return locks(positions, skull, person)


def _shade(sheet: Sheet, person: np.ndarray) -> None:
    """Field "open": the ambient occlusion of skin and eyes at rest; 1 on other parts."""
    outside = sheet.fields["skin"] + sheet.fields["eyes"] > 0
    triangles = sheet.triangles[outside[sheet.triangles].all(axis=1)]
    positions = sheet.place(person)
    light = openness(positions, triangles, normals(positions, triangles))
    light = (light + neighbours(triangles, len(sheet)) @ light) / 2
    sheet.fields["open"] = np.where(outside, light, 1.0)


def _source_to_sheet(sheet: Sheet) -> np.ndarray:
    """(N,) which vertex of the sheet is a source vertex itself; -1 for none."""
    where = np.full(sheet.weave.shape[1], -1)
    single = np.flatnonzero(np.diff(sheet.weave.indptr) == 1)
    where[sheet.weave.indices[sheet.weave.indptr[single]]] = single
    return where


def _profile(sheet: Sheet, positions: np.ndarray, landmarks: dict) -> dict[str, np.ndarray]:
    """Nose tip and chin: what stands out furthest in the middle of the face."""
    skin = (sheet.fields["skin"] > 0) & (sheet.fields["cap"] == 0)
    middle = np.flatnonzero(skin & (np.abs(positions[:, 0]) < 5e-4))
    _, y, z = positions[middle].T
    nose = middle[np.argmax(z)]
    lip = positions[landmarks["outer_lip_lower"], 1].min()
    below = (y < lip - 0.012) & (y > lip - 0.035)
    return {
        "nose_tip": np.array([nose]),
        "chin": np.array([middle[np.argmax(np.where(below, z, -1))]]),
    }


def _regions(sheet: Sheet, positions: np.ndarray, landmarks: dict) -> dict[str, np.ndarray]:
    fields = sheet.fields
    skin = (fields["skin"] > 0) & (fields["cap"] == 0)
    eyes = positions[landmarks["eye_corners"]].mean(axis=0)
    outside = skin & (fields["inside-mouth"] < 0.5)
    front = positions[:, 2] > eyes[2] - 0.045
    above = positions[:, 1] > positions[landmarks["nose_tip"][0], 1]
    regions = {
        name: fields[name] > 0.5
        for name in ("eyes", "teeth_upper", "teeth_lower", "gums", "tongue", "locks")
    }
    regions["skin"] = outside
    regions["inner_mouth"] = skin & ~outside
    regions["lips"] = skin & (fields["lips"] >= 0.5)
    regions["upper_face"] = outside & front & above
    regions["brows"] = skin & (brow_distance(positions, positions[landmarks["eye_corners"]]) < 1)
    regions["cap"] = fields["cap"] > 0.5
    return {name: np.flatnonzero(mask) for name, mask in regions.items()}
