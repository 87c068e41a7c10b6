"""Cropped hair: how thick it lies on the scalp, and how longer hair is let down."""

from __future__ import annotations

import numpy as np

from recipes.heads.anatomy import Anatomy
from recipes.heads.hairline import inside_hairline
from recipes.heads.identities import Identity
from recipes.heads.long_hair import fall
from recipes.heads.woven_mesh import normals

EDGE = 30.0  # mm over which the hair grows to its full thickness
TUCK = 0.10  # share by which ears lie closer to the head under longer hair
SIDES_END, TOP_START = 28.0, 98.0  # mm above the eyes


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
