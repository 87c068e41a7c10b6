"""The cards of a beard: how they grow from their roots, and how they follow the skin.

A card moves with three vertices of the skin around its root, as a stiff hair would: it follows the
jaw and turns with it, and no card has roots on both sides of the mouth.
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
FURTHEST = 2.5  # times as far as an arm reaches does the tip of a card follow the skin's turn
ARM = 0.009  # metres from a root to the vertices that its card follows


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
    flow = np.stack([0.15 * side, -np.ones(count), 0.35 * np.ones(count)], 1)
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
    """Tie cards (n, rows, 2, 3) to three vertices around each root, so that they turn with the
    skin: vertices and shares, (n, rows, 2, 3) each. Shares sum to 1; they may be negative."""
    basis, template = head.basis, head.template.astype(float)
    outside = basis.regions["skin"]
    jaw = basis.deltas[basis.blendshapes.index("jawOpen"), outside]
    near, index = KDTree(template[outside]).query(roots, 90)
    moved = jaw[index]
    alike = np.linalg.norm(moved - moved[:, :1], axis=-1) < 0.004
    offset = template[outside[index]] - roots[:, None]
    first = np.where(alike, -np.abs(near - ARM), -1).argmax(1)
    anchors = np.zeros((len(roots), 3), int)
    everyone = np.arange(len(roots))
    arm = offset[everyone, first]
    unit = arm / np.linalg.norm(arm, axis=1, keepdims=True)
    along = np.einsum("nkd,nd->nk", offset, unit)
    size = np.maximum(np.linalg.norm(offset, axis=-1), 1e-6)
    wanted = -np.abs(near - ARM) / ARM - 1.5 * np.abs(along / size + 0.5)
    second = np.where(alike, wanted, -9).argmax(1)
    other = offset[everyone, second]
    normal = np.cross(unit, other)
    turn = np.einsum("nkd,nd->nk", np.cross(other[:, None], offset), normal)
    wanted = wanted + np.where(turn > 0, 0, -3)
    third = np.where(alike, wanted, -9).argmax(1)
    for place, chosen in enumerate((first, second, third)):
        anchors[:, place] = outside[index[everyone, chosen]]
    corners = template[anchors]
    edges = np.diff(corners[:, [0, 1, 0, 2]].reshape(-1, 2, 2, 3), axis=2)[:, :, 0]
    gram = np.einsum("nid,njd->nij", edges, edges)
    away = points - corners[:, None, None, 0]
    wanted = np.einsum("nid,nrcd->nrci", edges, away)
    part = np.einsum("nij,nrcj->nrci", np.linalg.pinv(gram), wanted)
    part *= np.minimum(1, FURTHEST / np.maximum(np.abs(part).max(-1, keepdims=True), 1e-9))
    shares = np.concatenate([1 - part.sum(-1, keepdims=True), part], -1)
    return np.broadcast_to(anchors[:, None, None], shares.shape), shares
