"""Put the head together from its parts, and say which vertex is what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jambatalk.heads import cut
from jambatalk.heads.lips import Lips
from jambatalk.heads.makehuman import MakeHuman
from jambatalk.heads.sheet import Sheet, from_quads, join

EYES = ("helper-r-eye", "helper-l-eye")


@dataclass
class Anatomy:
    """What all heads share.

    Attributes:
        sheet: every part as one mesh; its fields tell what a vertex is made of.
        gloss: (V,) 0 matt to 1 wet.
        regions, landmarks: name → vertex indices.
        eyes: source vertices of both eyeballs.
    """

    sheet: Sheet
    gloss: np.ndarray
    regions: dict[str, np.ndarray]
    landmarks: dict[str, np.ndarray]
    eyes: np.ndarray

    def origin(self, vertices: np.ndarray) -> np.ndarray:
        """(3,) the point midway between the centres of a person's eyeballs (N, 3)."""
        return vertices[self.eyes].mean(axis=0)


def assemble(source: MakeHuman, lips: Lips, person: np.ndarray) -> Anatomy:
    """The head's parts, woven on the reference person (N, 3)."""
    parts = {"skin": _skin(source, person)}
    for name, groups in {
        "eyes": EYES,
        "teeth_upper": ("helper-upper-teeth",),
        "teeth_lower": ("helper-lower-teeth",),
        "tongue": ("helper-tongue",),
    }.items():
        quads = np.concatenate([source.quads[group] for group in groups])
        parts[name] = from_quads(quads, len(source.vertices))
    for name, part in parts.items():
        part.fields[name] = np.ones(len(part))
    sheet = join(list(parts.values()))
    where = _source_to_sheet(sheet)
    positions = sheet.place(person)
    landmarks = {name: where[index] for name, index in lips.landmarks().items()}
    landmarks |= _points(where, positions, sheet)
    regions = {name: np.flatnonzero(sheet.fields[name]) for name in parts}
    brow = np.median(positions[landmarks["eye_corners"], 1])
    skin = sheet.fields["skin"] * (1 - sheet.fields["cap"]) > 0
    front = positions[:, 2] > positions[where[lips.rings[474][12]], 2] - 0.06
    regions["lips"] = where[lips.vermilion()]
    regions["upper_face"] = np.flatnonzero(skin & front & (positions[:, 1] > brow - 0.015))
    gloss = 0.25 * np.ones(len(sheet))
    for name, value in {"eyes": 1, "teeth_upper": 0.8, "teeth_lower": 0.8, "tongue": 0.7}.items():
        gloss[regions[name]] = value
    return Anatomy(sheet, gloss, regions, landmarks, source.members(*EYES))


def _skin(source: MakeHuman, person: np.ndarray) -> Sheet:
    body = from_quads(source.quads["body"], len(source.vertices))
    masks = {name: source.mask(name) for name in ("lips", "eyelids", "inside-mouth", "ears")}
    body.fields = {name: body.weave @ mask for name, mask in masks.items()}
    return cut.bust(body, person)


def _source_to_sheet(sheet: Sheet) -> np.ndarray:
    """(N,) which vertex of the sheet is a source vertex itself; -1 for none."""
    where = np.full(sheet.weave.shape[1], -1)
    single = np.flatnonzero(np.diff(sheet.weave.indptr) == 1)
    where[sheet.weave.indices[sheet.weave.indptr[single]]] = single
    return where


def _points(where: np.ndarray, positions: np.ndarray, sheet: Sheet) -> dict[str, np.ndarray]:
    skin = np.flatnonzero((sheet.fields["skin"] > 0) & (sheet.fields["cap"] == 0))
    middle = skin[np.abs(positions[skin, 0]) < 1e-4]
    nose = middle[np.argmax(positions[middle, 2])]
    low = middle[(positions[middle, 1] < positions[nose, 1] - 0.05)]
    low = low[positions[low, 2] > positions[nose, 2] - 0.04]
    lids = skin[sheet.fields["eyelids"][skin] > 0.5]
    right, left = (lids[positions[lids, 0] * side > 0] for side in (-1, 1))
    order = [right[np.argsort(positions[right, 0])], left[np.argsort(positions[left, 0])]]
    return {
        "nose_tip": np.array([nose]),
        "chin": np.array([low[np.argmax(positions[low, 2])]]),
        "eye_corners": np.array([side[end] for side in order for end in (0, -1)]),
    }
