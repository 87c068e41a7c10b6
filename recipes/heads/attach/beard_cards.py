"""The cards of a beard: how they grow from their roots, and how they follow the skin.

Every vertex of a card moves with the skin below it, so that skin which folds or bulges does not
come through; no card follows both sides of the mouth.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from scipy.spatial import KDTree

from recipes.heads.attach.piece import Head

ROWS = np.array([0.0, 0.5, 1.0])  # along a card, from root to tip
CARD = np.array([[0, 1, 3], [0, 3, 2], [2, 3, 5], [2, 5, 4]])  # triangles of its two corners a row
WIDTH = 0.0075  # metres
EDGE = 0.010  # metres from the border of a beard within which it becomes thin and short
NEAREST = 24  # vertices of the skin that a vertex may follow
ALIKE = 0.004  # metres by which jawOpen may move one of them further than the root


@dataclass(frozen=True, eq=False)
class Roots:
    """Places on the skin from which cards may grow.

    Attributes:
        positions, normals: (n, 3) metres.
        border: (n,) metres inside the border of where beards grow; 0 outside and on the lips.
        below: (n,) metres below the corners of the mouth; negative above.
        aside: (n,) distance from the middle, in half widths of the mouth.
    """

    positions: np.ndarray
    normals: np.ndarray
    border: np.ndarray
    below: np.ndarray
    aside: np.ndarray

    def __getitem__(self, kept: np.ndarray) -> Roots:
        return Roots(*(getattr(self, entry.name)[kept] for entry in fields(self)))

    @property
    def above_lip(self) -> np.ndarray:
        """From 0 to 1, how much a root belongs to the moustache."""
        return np.clip(-self.below / 0.004, 0, 1) * np.clip((1.9 - self.aside) / 0.4, 0, 1)


def grow_cards(roots: Roots, random: np.random.Generator) -> np.ndarray:
    """Grow a card from each root: (n, rows, 2, 3) metres."""
    count = len(roots.positions)
    x, normal = roots.positions[:, 0], roots.normals
    chin = np.clip(1.6 - roots.aside, 0, 1) * np.clip(roots.below / 0.02, 0, 1)
    lip = roots.above_lip
    length = 0.011 + 0.005 * chin - 0.003 * lip + 0.003 * np.clip(roots.below / 0.03, 0, 1)
    length *= np.clip(0.55 + 0.6 * roots.border / EDGE, 0, 1) * random.uniform(0.8, 1.2, count)
    side = np.sign(x) * np.clip(np.abs(x) / 0.004, 0, 1)
    flow = np.stack([0.04 * side, -np.ones(count), 0.35 * np.ones(count)], 1)
    flow += lip[:, None] * (np.stack([1.3 * side, 0.3 * np.ones(count), np.zeros(count)], 1))
    flow += 0.22 * random.normal(size=(count, 3))
    flow -= np.einsum("nd,nd->n", flow, normal)[:, None] * normal
    flow /= np.linalg.norm(flow, axis=1, keepdims=True)
    across = np.cross(normal, flow)
    lift = np.sin(np.radians(random.uniform(10, 34, count) * (1 - 0.5 * lip)))[:, None]
    height = 0.0003 + length[:, None] * (lift * ROWS - 0.22 * ROWS**2).clip(0.01 * ROWS)
    spine = (
        roots.positions[:, None]
        + (length[:, None] * ROWS)[..., None] * flow[:, None]
        + height[..., None] * normal[:, None]
    )
    wide = 0.5 * WIDTH * random.uniform(0.8, 1.15, count)[:, None] * (1 - 0.25 * ROWS)
    wide = wide * np.where(lip > 0.5, 0.7, 1.0)[:, None]
    half = wide[..., None] * across[:, None]
    return np.stack([spine - half, spine + half], 2)


def follow_skin(head: Head, roots: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tie cards (n, rows, 2, 3) to the skin below them, which may fold: vertices and shares.

    Returns:
        (n, rows, 2, 3) each. Shares sum to 1.
    """
    basis, template = head.basis, head.template.astype(float)
    outside = basis.regions["skin"]
    jaw = basis.deltas[basis.blendshapes.index("jawOpen"), outside]
    tree = KDTree(template[outside])
    away, index = tree.query(points, NEAREST)  # (n, rows, 2, NEAREST)
    own = jaw[tree.query(roots)[1]]
    alike = np.linalg.norm(jaw[index] - own[:, None, None, None], axis=-1) < ALIKE
    share = np.where(alike, 1 / (away + 0.001), 1e-9)
    kept = np.argsort(-share, axis=-1, kind="stable")[..., :3]
    share = np.take_along_axis(share, kept, -1)
    return outside[np.take_along_axis(index, kept, -1)], share / share.sum(-1, keepdims=True)
