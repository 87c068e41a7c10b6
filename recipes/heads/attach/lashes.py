"""Eyelashes: ICT-FaceKit's strips along the lids, with drawn lashes on them."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from recipes.heads.attach.lash_picture import lash_picture
from recipes.heads.attach.piece import Head, Piece
from recipes.heads.colors import hex_bytes
from recipes.heads.ict_facekit import PARTS, IctFaceKit

COLUMNS, ROWS = 19, 6  # vertices of a strip: along the lid, and from root to tip
STRIPS = 6  # of an eye: three above, three below
KEPT_STRIPS = (0, 1)  # of the three that lie almost in one place
KEPT_ROWS = (0, 2, 4, 5)
ANCHORS = 3  # vertices of the lid that a root follows
LONGEST = 2.0  # times as far as its root does a tip follow a closing lid
DARK = 0.45  # of the brows' colour
GLOSS = 0.0
CUTOUT = 0.3


def make_lashes(head: Head) -> Piece:
    """Make the lashes of a head."""
    strips = _strips(head.ict)
    lids = np.flatnonzero(
        np.isin(head.basis.source, np.arange(*PARTS["face"]))
        & (np.abs(head.template[:, 1]) < 0.02)
        & (head.template[:, 2] > -0.01)
    )
    tree = KDTree(head.template[lids])
    closing = head.ict.expressions["eyeBlink_L"] + head.ict.expressions["eyeBlink_R"]
    positions: list[np.ndarray] = []
    uv: list[np.ndarray] = []
    triangles: list[np.ndarray] = []
    anchors: list[np.ndarray] = []
    shares: list[np.ndarray] = []
    length = 0.6 + 0.3 * (1 - head.identity.sex) + 0.2 * head.identity.make_up
    for strip, upper in strips:
        start = sum(map(len, positions))
        grid = strip[list(KEPT_ROWS)]  # (rows, columns) of published vertices
        roots = head.positions[grid[0]]
        points = roots + length * (head.positions[grid] - roots)
        near = tree.query(roots, ANCHORS)
        part = 1.0 / (near[0] + 1e-4)
        part /= part.sum(1, keepdims=True)
        moved, root = closing[grid], closing[grid[0]]
        follow = (moved * root).sum(-1) / np.maximum((root**2).sum(-1), 1e-8)
        follow = np.where((root**2).sum(-1) > 1e-6, np.clip(follow, 0.8, LONGEST), 1.0)
        positions.append(points.reshape(-1, 3))
        anchors.append(np.tile(lids[near[1]], (len(grid), 1)))
        shares.append((follow[..., None] * part).reshape(-1, ANCHORS))
        across, along = np.meshgrid(
            np.arange(COLUMNS) / (COLUMNS - 1), np.array(KEPT_ROWS) / (ROWS - 1)
        )
        half = 0.5 if upper else 0.0
        uv.append(np.stack([across, half + 0.5 * along], -1).reshape(-1, 2))
        triangles.append(start + _grid_triangles(len(grid), COLUMNS))
    count = sum(map(len, positions))
    color = hex_bytes(head.identity.brow_color) * DARK
    return Piece(
        part="lashes",
        positions=np.concatenate(positions),
        triangles=np.concatenate(triangles),
        uv=np.concatenate(uv),
        colors=np.tile(color.round(), (count, 1)),
        gloss=np.full(count, GLOSS),
        occlusion=np.ones(count),
        anchors=np.concatenate(anchors),
        shares=np.concatenate(shares),
        material={"kind": "hair", "albedo": "lashes.png", "cutout": CUTOUT, "two_sided": True},
        pictures={"lashes.png": lash_picture()},
    )


def _strips(ict: IctFaceKit) -> list[tuple[np.ndarray, bool]]:
    """Return each strip's vertices (ROWS, COLUMNS), from its root, and whether it lies above."""
    low, high = PARTS["eyelashes"]
    corners, uv_corners = ict.triangles(("eyelashes",))
    coordinate = np.zeros((high - low, 2))
    coordinate[corners.ravel() - low] = ict.uv[uv_corners.ravel()]
    skin = KDTree(ict.positions[slice(*PARTS["face"])])
    size = COLUMNS * ROWS
    strips = []
    for start in range(low, high, size):
        vertices = np.arange(start, start + size)
        u, v = coordinate[vertices - low].T
        rows = vertices[np.lexsort((u, np.round(v, 3)))].reshape(ROWS, COLUMNS)
        if (
            skin.query(ict.positions[rows[0]])[0].mean()
            > skin.query(ict.positions[rows[-1]])[0].mean()
        ):
            rows = rows[::-1]
        number = (start - low) // size % STRIPS
        if number % 3 in KEPT_STRIPS:
            strips.append((rows, number < 3))
    return strips


def _grid_triangles(rows: int, columns: int) -> np.ndarray:
    """Return the triangles (f, 3) of a grid of vertices."""
    number = np.arange(rows * columns).reshape(rows, columns)
    a, b = number[:-1, :-1].ravel(), number[:-1, 1:].ravel()
    c, d = number[1:, :-1].ravel(), number[1:, 1:].ravel()
    return np.concatenate([np.stack([a, b, d], 1), np.stack([a, d, c], 1)])
