"""Cropped hair: where the hairline runs, and how thick the hair lies on the scalp."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from jambatalk.heads.locks import AXIS, fall
from jambatalk.heads.sheet import normals

if TYPE_CHECKING:
    from jambatalk.heads.anatomy import Anatomy
    from jambatalk.heads.identities import Identity

# The hairline as azimuth around the head (0 in front, 180 behind; degrees) and height above the
# eyes (mm), on the reference person: forehead, temple, sideburn, over the ear, nape.
LINE = (
    (-20, 66), (0, 64), (18, 67), (36, 71), (48, 62), (56, 46), (62, 24), (66, 2), (68, -14),
    (74, -14), (77, 8), (100, 8), (106, -20), (114, -42), (130, -56), (155, -62), (200, -64),
)  # fmt: skip
ROUND = 1.35  # mm of scalp in a degree of azimuth
EDGE = 30.0  # mm over which the hair grows to its full thickness
TUCK = 0.10  # share by which ears lie closer to the head under longer hair
SIDES_END, TOP_START = 28.0, 98.0  # mm above the eyes


def inside_hairline(positions: np.ndarray, recede: float = 0.0) -> np.ndarray:
    """(V,) mm inside the hairline, negative outside.

    Args:
        positions: (V, 3) metres on the reference person, from the point between the eyes.
        recede: mm by which the line has moved back over the forehead and temples.
    """
    x, y, z = positions.T * 1000
    azimuth = np.degrees(np.arctan2(np.abs(x), z - AXIS))
    line = np.array(LINE, np.float64)
    line[:, 1] += recede * np.interp(line[:, 0], (0, 40, 50, 62), (1, 1.4, 1.2, 0))
    points = np.stack([azimuth * ROUND, y], axis=1)
    corners = line * [ROUND, 1]
    nearest = np.full(len(points), np.inf)
    for a, b in pairwise(corners):
        share = np.clip((points - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
        nearest = np.minimum(nearest, np.linalg.norm(points - a - share[:, None] * (b - a), axis=1))
    return np.where(y > np.interp(azimuth, *line.T), nearest, -nearest)


def scalp(anatomy: Anatomy, identity: Identity) -> tuple[np.ndarray, np.ndarray]:
    """How much hair hides the skin (V,) 0 to 1, and its grain (V,) about -1 to 1."""
    inside = _inside(anatomy, identity)
    edge = np.clip((inside + 2) / 7, 0, 1)
    cover = identity.hair.cover * edge * edge * (3 - 2 * edge)
    locks = anatomy.sheet.fields["locks"] > 0
    grain = np.random.default_rng(identity.seed).uniform(-1, 1, len(inside))
    return np.where(locks, 1.0, cover), grain * (locks | (inside > 0))


def wear(anatomy: Anatomy, identity: Identity, template: np.ndarray) -> np.ndarray:
    """The template (V, 3) with the hair of a person: scalp lifted, longer hair let down."""
    fields = anatomy.sheet.fields
    length = identity.hair.length if identity.hair else 0.0
    worn = template.copy()
    worn[fields["locks"] > 0] = fall(template, fields["locks"] > 0, length)
    if identity.hair is None:
        return worn
    up = np.clip((anatomy.positions[:, 1] * 1000 - SIDES_END) / (TOP_START - SIDES_END), 0, 1)
    thick = identity.hair.sides + (identity.hair.top - identity.hair.sides) * up * up * (3 - 2 * up)
    thick *= np.clip(_inside(anatomy, identity) / EDGE, 0, 1) ** 0.7
    thick *= 1 + 0.12 * identity.hair.curl * scalp(anatomy, identity)[1]
    worn += normals(template, anatomy.sheet.triangles) * thick[:, None] / 1000
    if length:
        worn[:, 0] *= 1 - TUCK * fields["ears"]
    return worn


def _inside(anatomy: Anatomy, identity: Identity) -> np.ndarray:
    fields = anatomy.sheet.fields
    bare = (fields["skin"] == 0) | (fields["ears"] > 0.3)
    return np.where(bare, -99.0, inside_hairline(anatomy.positions, identity.hair.recede))
