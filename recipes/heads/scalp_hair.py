"""Hair on the scalp: its thickness, cover and grain, and the fall of longer hair."""

from __future__ import annotations

import numpy as np

from recipes.heads.anatomy import Anatomy
from recipes.heads.hairline import inside_hairline
from recipes.heads.identities import Hair, Identity
from recipes.heads.long_hair import fall
from recipes.heads.woven_mesh import normals

EDGE = 30.0  # mm over which the hair grows to its full thickness
TUCK = 0.10  # share by which the ears are narrowed under longer hair
SIDES_END, TOP_START = 28.0, 98.0  # mm above the eyes


def scalp(anatomy: Anatomy, hair: Hair, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return how much hair covers the skin, 0 to 1, and its grain, -1 to 1; both (V,)."""
    inside = _inside(anatomy, hair)
    edge = np.clip((inside + 2) / 7, 0, 1)
    cover = hair.cover * edge * edge * (3 - 2 * edge)
    locks = anatomy.mesh.fields["locks"] > 0
    grain = np.random.default_rng(seed).uniform(-1, 1, len(inside))
    return np.where(locks, 1.0, cover), grain * (locks | (inside > 0))


def style_hair(anatomy: Anatomy, identity: Identity, template: np.ndarray) -> np.ndarray:
    """Apply the hair of an identity to a template (V, 3): lift the scalp, let long hair fall."""
    fields = anatomy.mesh.fields
    length = identity.hair.length if identity.hair else 0.0
    styled = template.copy()
    styled[fields["locks"] > 0] = fall(template, fields["locks"] > 0, length)
    if identity.hair is None:
        return styled
    up = np.clip((anatomy.positions[:, 1] * 1000 - SIDES_END) / (TOP_START - SIDES_END), 0, 1)
    thick = identity.hair.sides + (identity.hair.top - identity.hair.sides) * up * up * (3 - 2 * up)
    thick *= np.clip(_inside(anatomy, identity.hair) / EDGE, 0, 1) ** 0.7
    thick *= 1 + 0.12 * identity.hair.curl * scalp(anatomy, identity.hair, identity.seed)[1]
    styled += normals(template, anatomy.mesh.triangles) * thick[:, None] / 1000
    if length:
        styled[:, 0] *= 1 - TUCK * fields["ears"]
    return styled


def _inside(anatomy: Anatomy, hair: Hair) -> np.ndarray:
    """Return mm inside the hairline, negative outside and where no hair grows: (V,)."""
    fields = anatomy.mesh.fields
    bare = (fields["skin"] == 0) | (fields["ears"] > 0.3)
    return np.where(bare, -99.0, inside_hairline(anatomy.positions, hair.recede))
