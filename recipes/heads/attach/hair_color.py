"""Colour, gloss and occlusion of the vertices of hair."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from jambatalk.face.srgb import to_linear, to_srgb
from recipes.heads.attach.hair_picture import MEAN, SPREAD
from recipes.heads.attach.skull import Skull
from recipes.heads.colors import hex_color
from recipes.heads.identity import Identity

GREY = np.array([0.62, 0.61, 0.59])  # linear, of a grey strand
PICTURE = MEAN**2 + SPREAD**2  # linear, what the picture takes away from the colour
BRIGHT = 0.66  # of a colour as named, since it is seen in the light
ROOTS, TIPS = 0.70, 1.12  # brightness
APART = 2.5  # strands differ from 1 / APART of the way to the tips on; at the crown they are one
DARKEST = 0.25  # occlusion
SURFELS = 1500  # patches of hair that cast shadows
DENSITY = 1.6  # how much they do
THICKNESS = 0.004  # metres, of what a card is part of
CHUNK = 1000  # points computed at a time


def vertex_colors(
    identity: Identity, positions: np.ndarray, cards: np.ndarray, seed: int
) -> np.ndarray:
    """Colour hair (n, 3) uint8: cards differ a little towards the tips, which are lighter.

    Args:
        cards: (n,) the number of each vertex's card.
    """
    random = np.random.default_rng(seed)
    count = cards.max() + 1
    own = BRIGHT * to_linear(hex_color(identity.hair_color))
    part = np.bincount(cards) / len(cards)
    varied = np.clip(0.05 / part, 0, 1)  # large cards are not of one strand
    crown = positions[:, 1].max()
    reach = np.clip((crown - positions[:, 1]) / 0.22, 0, 1)
    apart = (varied[cards] * np.minimum(APART * reach, 1))[:, None]
    tone = random.normal(0, 0.08, (count, 1)) + random.normal(0, 0.02, (count, 3))
    color = own * np.exp(apart * tone[cards])
    spread = 0.8 * identity.grey * (1 - identity.grey)
    grey = np.clip(identity.grey + apart * spread * random.normal(size=(count, 1))[cards], 0, 1)
    color += grey**1.5 * (0.75 * GREY - color) * 0.8
    bright = ROOTS + (TIPS - ROOTS) * reach**0.7
    linear = color * bright[:, None] / PICTURE
    return (np.clip(to_srgb(linear), 0, 1) * 255).round().astype(np.uint8)


def find_cards(vertex: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Return the number of the connected card of each vertex: (n,).

    Args:
        vertex: (n,) the same for vertices that were split.
    """
    edges = np.concatenate([vertex[triangles[:, :2]], vertex[triangles[:, 1:]]])
    count = vertex.max() + 1
    graph = coo_array((np.ones(len(edges)), edges.T), (count, count))
    cards = connected_components(graph, directed=False)[1][vertex]
    return np.unique(cards, return_inverse=True)[1]


class Shade:
    """Patches of hair (positions (n, 3), triangles (f, 3)) that keep light away."""

    def __init__(self, positions: np.ndarray, triangles: np.ndarray) -> None:
        corners = positions[triangles]
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) / 2
        area = np.linalg.norm(normal, axis=1)
        random = np.random.default_rng(0)
        chosen = random.choice(len(area), SURFELS, p=area / area.sum())
        self._points = corners[chosen].mean(1)
        self._facing = normal[chosen] / np.maximum(area[chosen], 1e-12)[:, None]
        self._area = area.sum() / SURFELS

    def light(self, points: np.ndarray, outward: np.ndarray, apart: float = 0.0) -> np.ndarray:
        """Return the part of the light that reaches points (n, 3) from the side `outward` (n, 3).

        Args:
            apart: metres; closer patches are not counted.
        """
        parts = range(0, len(points), CHUNK)
        return np.concatenate(
            [self._light(points[k : k + CHUNK], outward[k : k + CHUNK], apart) for k in parts]
        )

    def _light(self, points: np.ndarray, outward: np.ndarray, apart: float) -> np.ndarray:
        offset = self._points - points[:, None]
        square = np.einsum("nsk,nsk->ns", offset, offset) + 1e-9
        length = np.sqrt(square)
        ahead = np.einsum("nsk,nk->ns", offset, outward) / length
        shown = np.abs(np.einsum("nsk,sk->ns", offset, self._facing)) / length
        hidden = np.maximum(ahead - 0.1, 0) * shown * self._area / (np.pi * square + self._area)
        hidden[length < apart] = 0
        return np.exp(-DENSITY * hidden.sum(1))


def occlude(positions: np.ndarray, triangles: np.ndarray, skull: Skull) -> np.ndarray:
    """Return the part of the surroundings' light that reaches each vertex (n,) between layers."""
    shade = Shade(positions, triangles)
    light = shade.light(positions, _outward(positions, skull), THICKNESS)
    _, index = cKDTree(positions).query(positions, k=8)
    return np.clip(0.4 * light + 0.6 * light[index].mean(1), DARKEST, 1)


def _outward(positions: np.ndarray, skull: Skull) -> np.ndarray:
    """Return unit vectors away from the skull, and from the neck below it."""
    _, normal = skull.height(positions)
    middle = np.array([0.0, 0.0, -0.08])
    away = positions - middle
    away[:, 1] = np.maximum(away[:, 1], -0.2 * np.abs(away[:, 1]))  # sideways below the head
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    mixed = away + 0.5 * normal
    return mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
