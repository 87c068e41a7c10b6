"""Choose the cards of a haircut, and give narrow ones more of the picture to show strands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recipes.heads.makehuman_assets import ProxyMesh

FINER = 3.0  # times as many strands does a card get
BENDS = 4  # degree of the curve along the middle of a card in the picture, which becomes straight

LOOSE = 0.035  # metres below the crown: cards that begin further down are strands by themselves

Box = tuple[float, float, float, float]  # of a picture: left, right, bottom and top


def without_loose(mesh: ProxyMesh, cards: np.ndarray, positions: np.ndarray) -> ProxyMesh:
    """Leave out cards that do not come from the crown: they hang before the face like wires.

    Args:
        cards: (n,) the number of each vertex's card.
        positions: (N, 3) metres.
    """
    height = positions[mesh.vertex, 1]
    top = np.full(cards.max() + 1, -np.inf)
    np.maximum.at(top, cards, height)
    kept = (top > top.max() - LOOSE)[cards]
    return replace(mesh, triangles=mesh.triangles[kept[mesh.triangles[:, 0]]])


def lay_out(mesh: ProxyMesh, cards: np.ndarray, box: Box) -> ProxyMesh:
    """Spread narrow cards over a part of the picture that is full of upright strands.

    Args:
        cards: (n,) the number of each vertex's card.
        box: coordinates of the part, v up; every card reaches from its top to its bottom.
    """
    left, right, bottom, top = box
    random = np.random.default_rng(0)
    uv = mesh.uv.copy()
    for card in range(cards.max() + 1):
        own = cards == card
        u, v = uv[own].T
        aside = FINER * (u - np.polynomial.Polynomial.fit(v, u, BENDS)(v))
        width = np.ptp(aside)
        if width < right - left:
            start = random.uniform(left, right - width) - aside.min()
            high = bottom + (top - bottom) * (v - v.min()) / np.ptp(v)
            uv[own] = np.stack([start + aside, high], 1)
    return replace(mesh, uv=uv)
