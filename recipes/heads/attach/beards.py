"""Beards: short cards of strands that grow from the skin of chin, jaw and upper lip."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.spatial import KDTree

from jambatalk.face.normals import SmoothNormals
from recipes.heads.attach.beard_cards import CARD, EDGE, ROWS, Roots, follow_skin, grow_cards
from recipes.heads.attach.beard_picture import CARDS, DENSE, beard_picture
from recipes.heads.attach.piece import Head, Piece
from recipes.heads.colors import hex_bytes
from recipes.heads.identity import Identity
from recipes.heads.materials import ATLAS, FACE_SIZE
from recipes.heads.skin import landmarks as at

SPACING = 0.0032  # metres between roots
LIPS = 0.0014  # metres from the lips within which no hair grows
TEXEL = 0.00022  # metres
GREY = np.array([205, 202, 197], float)  # sRGB, hair without pigment
SHADE = 0.75  # share of the hair's colour in the skin between the hairs
GLOSS = 0.15

# Name → part of the strands that grow at each root.
BEARDS: dict[str, Callable[[Roots], np.ndarray]] = {
    "full": lambda roots: np.ones(len(roots.border)),
    "goatee": lambda roots: np.clip((1.35 - roots.aside) / 0.1, 0, 1) * (roots.below < 0.040),
    "moustache": lambda roots: roots.above_lip * np.clip((1.5 - roots.aside) / 0.2, 0, 1),
}


def make_beard(head: Head) -> Piece | None:
    """Make the beard of a head, if its identity has one."""
    if not head.identity.beard:
        return None
    random = np.random.default_rng(1000 + head.identity.seed)
    roots = _find_roots(head, random)
    thin = np.maximum(0.4 + roots.border / EDGE, roots.above_lip)
    share = BEARDS[head.identity.beard](roots) * np.clip(thin, 0, 1)
    roots = roots[random.random(len(share)) < share]
    points = grow_cards(roots, random)
    count = len(roots.positions)
    anchors, shares = follow_skin(head, roots.positions, points)
    triangles = CARD + 6 * np.arange(count)[:, None, None]
    # cards of few strands at the border
    few = (roots.border < 0.7 * EDGE * random.random(count)) & (roots.above_lip < 0.5)
    number = random.integers(DENSE, size=count) + few * DENSE
    u = number[:, None] + np.where(random.random(count) < 0.5, [[0.02], [0.98]], [[0.98], [0.02]]).T
    uv = np.stack(np.broadcast_arrays(u[:, None, :] / CARDS, 1 - ROWS[None, :, None]), -1)
    depth = (
        0.5 + 0.45 * ROWS[None, :, None] - 0.15 * np.clip(-roots.normals[:, 1], 0, 1)[:, None, None]
    )
    return Piece(
        part="beard",
        positions=points.reshape(-1, 3),
        triangles=triangles.reshape(-1, 3),
        uv=uv.reshape(-1, 2),
        colors=_colors(head, count, random).reshape(-1, 3),
        gloss=np.full(6 * count, GLOSS),
        occlusion=np.broadcast_to(depth, (count, 3, 2)).reshape(-1),
        anchors=anchors.reshape(-1, 3),
        shares=shares.reshape(-1, 3),
        material={"kind": "hair", "albedo": "beard.png", "cutout": 0.35, "two_sided": True},
        pictures={"beard.png": beard_picture()},
    )


def beard_shade(head: Head) -> np.ndarray:
    """Return the tint of the skin between the hairs of a beard, (V, 3) from 0 to 1."""
    if not head.identity.beard:
        return np.ones((len(head.template), 3))
    count = len(head.template)
    places = _places(head, np.tile(np.arange(count), (3, 1)).T, np.full((count, 3), 1 / 3))
    cover = BEARDS[head.identity.beard](places) * np.clip(2 * places.border / EDGE, 0, 1)
    outside = np.zeros(count)
    outside[head.basis.regions["skin"]] = SHADE
    return 1 - (outside * cover)[:, None] * (1 - _own_color(head.identity) / 255)


def _find_roots(head: Head, random: np.random.Generator) -> Roots:
    """Scatter roots evenly over the skin where a beard grows."""
    basis, template = head.basis, head.template.astype(float)
    outside = np.zeros(len(template), bool)
    outside[basis.regions["skin"]] = True
    skin = basis.triangles[outside[basis.triangles].all(1)]
    skin = skin[_within_beard(_texels(basis.uv))[skin].any(1)]
    area = np.linalg.norm(np.cross(*np.diff(template[skin], axis=1).swapaxes(0, 1)), axis=1) / 2
    count = int(8 * area.sum() / SPACING**2)
    chosen = random.choice(len(skin), count, p=area / area.sum())
    roots = _places(head, skin[chosen], random.dirichlet(np.ones(3), count))
    roots = roots[roots.border > 0]
    return roots[_apart(roots.positions, SPACING * (1 - 0.4 * roots.above_lip))]


def _places(head: Head, corners: np.ndarray, shares: np.ndarray) -> Roots:
    """Describe points of the skin: vertices of the triangles (n, 3) they lie in, shares (n, 3)."""
    basis, template = head.basis, head.template

    def mean(values: np.ndarray) -> np.ndarray:
        return np.einsum("nk,nkd->nd", shares, values[corners])

    positions = mean(template)
    normals = mean(SmoothNormals(basis.triangles, len(template), basis.weld)(template))
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    texels = mean(_texels(basis.uv))
    lips, _ = KDTree(template[basis.regions["lips"]]).query(positions)
    grows = _within_beard(texels) & (lips > LIPS)
    corner = template[basis.landmarks["mouth_corners"]]
    return Roots(
        positions,
        normals,
        _from_border(texels) * TEXEL * grows,
        corner[:, 1].mean() - positions[:, 1],
        np.abs(positions[:, 0] - corner[:, 0].mean()) / (np.ptp(corner[:, 0]) / 2),
    )


def _texels(uv: np.ndarray) -> np.ndarray:
    """Convert texture coordinates (n, 2) to texels of the atlas, from its top."""
    return np.stack([uv[:, 0] * ATLAS[1], (1 - uv[:, 1]) * ATLAS[0]], 1)


def _within_beard(texels: np.ndarray) -> np.ndarray:
    """Tell which points (n, 2) of the face's picture lie where a beard grows."""
    mirrored = texels * [-1, 1] + [2 * at.MIDDLE, 0]
    half = np.array(at.BEARD, float)
    inside = _within(texels, half) | _within(mirrored, half)
    return inside & (texels[:, 0] < FACE_SIZE)


def _from_border(texels: np.ndarray) -> np.ndarray:
    """Return the distance (n,) of points (n, 2) from the border of where a beard grows, texels."""
    half = np.array(at.BEARD, float)
    ends = np.roll(half, -1, axis=0)
    sides = (half[:, 0] < at.MIDDLE) | (ends[:, 0] < at.MIDDLE)  # not along the middle
    step = np.linspace(0, 1, 40, endpoint=False)[:, None, None]
    border = (half + step * (ends - half))[:, sides].reshape(-1, 2)
    folded = np.stack([at.MIDDLE - np.abs(texels[:, 0] - at.MIDDLE), texels[:, 1]], 1)
    return KDTree(border).query(folded)[0]


def _within(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Tell which points (n, 2) lie inside a polygon (k, 2): an odd number of edges to the right."""
    x, y = points[:, :1], points[:, 1:]
    (x0, y0), (x1, y1) = polygon.T, np.roll(polygon, -1, axis=0).T
    crossed = (y0 > y) != (y1 > y)
    slope = (x1 - x0) / np.where(y1 == y0, 1, y1 - y0)
    return (crossed & (x < x0 + (y - y0) * slope)).sum(1) % 2 == 1


def _apart(points: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Return the numbers of points (n, 3) of which no two are closer than their distance (n,)."""
    kept = np.ones(len(points), bool)
    for index, near in enumerate(KDTree(points).query_ball_point(points, distance)):
        if kept[index]:
            kept[[other for other in near if other > index]] = False
    return np.flatnonzero(kept)


def _colors(head: Head, count: int, random: np.random.Generator) -> np.ndarray:
    """Colour cards, darker at the root, some of them grey: (n, rows, 2, 3) uint8."""
    own = _own_color(head.identity)
    grey = (random.random(count) < head.identity.grey) * random.uniform(0.5, 1.0, count)
    color = own + grey[:, None] * (np.maximum(GREY, own) - own)
    color = color * random.uniform(0.8, 1.15, (count, 1))
    shade = np.array([0.75, 0.92, 1.0])[None, :, None, None]
    shaded = np.broadcast_to(color[:, None, None] * shade, (count, 3, 2, 3))
    return shaded.clip(0, 255).round().astype(np.uint8)


def _own_color(identity: Identity) -> np.ndarray:
    """Return the beard's colour without grey hairs, sRGB (3,) from 0 to 255."""
    return hex_bytes(identity.hair_color if identity.hair else identity.brow_color).astype(float)
