"""Beards: short cards of hair scattered over jaw, chin and upper lip, which follow the skin."""

from __future__ import annotations

import numpy as np

from jambatalk.face.normals import SmoothNormals
from recipes.heads.attach.brows import hex_color
from recipes.heads.attach.card_picture import card_picture
from recipes.heads.attach.piece import Head, Piece
from recipes.heads.materials import MATERIALS

# Cards a square centimetre, their length and width in metres
DENSITY, LENGTH, WIDTH = 17.0, 0.0075, 0.0036
LIFT = 0.35  # tangent of the angle between card and skin
GAP = 0.0015  # metres round the lips that stay free
EDGE = 0.004  # metres over which a beard thins out
SHADE = 0.6  # share of the hair's colour in the skin between the hairs
GLOSS = 0.15
CUTOUT = 0.3
PICTURES = 4  # drawn cards in the picture, side by side
PARTS = {  # of the face that a beard covers
    "full": ("jaw", "chin", "upper_lip"),
    "goatee": ("chin", "upper_lip"),
    "moustache": ("upper_lip",),
}


def make_beard(head: Head) -> Piece | None:
    """Make the beard of a head, or None if its identity has none."""
    if not head.identity.beard:
        return None
    random = np.random.default_rng(head.identity.seed)
    skin = head.basis.triangles[head.basis.material_index == MATERIALS.index("skin")]
    cover = np.max([_cover(head)[part] for part in PARTS[head.identity.beard]], axis=0)
    triangles, shares = _scatter(head.template, skin, cover, random)
    normals = SmoothNormals(head.basis.triangles, len(head.template))(head.template)
    roots = np.einsum("na,nad->nd", shares, head.template[triangles])
    normal = np.einsum("na,nad->nd", shares, normals[triangles])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    growth = _growth(head, roots) + random.normal(0, 0.25, roots.shape)
    growth -= np.einsum("nd,nd->n", growth, normal)[:, None] * normal
    growth /= np.linalg.norm(growth, axis=1, keepdims=True)
    direction = growth + LIFT * normal * random.uniform(0.5, 1.5, (len(roots), 1))
    aside = np.cross(direction, normal)
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    thin = np.einsum("na,na->n", shares, cover[triangles])[:, None]
    length = LENGTH * (0.5 + 0.5 * thin) * random.uniform(0.7, 1.2, (len(roots), 1))
    tip, half = roots + length * direction, WIDTH / 2 * aside
    positions = np.stack([roots - half, roots + half, tip - half, tip + half], 1)
    count = len(roots)
    cell = random.integers(PICTURES, size=count)[:, None]
    u = np.concatenate([cell, cell + 1, cell, cell + 1], 1) / PICTURES
    v = np.tile([0.0, 0.0, 1.0, 1.0], (count, 1))
    colors = _colors(head, count, random)
    shade = np.tile([0.55, 0.55, 1.0, 1.0], count)
    quad = np.array([[0, 1, 3], [0, 3, 2]])
    return Piece(
        part="beard",
        positions=positions.reshape(-1, 3),
        triangles=(4 * np.arange(count)[:, None, None] + quad).reshape(-1, 3),
        uv=np.stack([u, v], -1).reshape(-1, 2),
        colors=np.repeat(colors, 4, 0),
        gloss=np.full(4 * count, GLOSS),
        occlusion=shade,
        anchors=np.repeat(triangles, 4, 0),
        shares=np.repeat(shares, 4, 0),
        material={"kind": "hair", "albedo": "beard.png", "cutout": CUTOUT, "two_sided": True},
        pictures={"beard.png": card_picture(PICTURES)},
    )


def beard_shade(head: Head) -> np.ndarray:
    """Return the tint of the skin between the hairs of a beard, (V, 3) from 0 to 1."""
    if not head.identity.beard:
        return np.ones((len(head.template), 3))
    cover = np.max([_cover(head)[part] for part in PARTS[head.identity.beard]], axis=0)
    color = hex_color(head.identity.hair_color) / 255
    return 1 - SHADE * cover[:, None] * (1 - color)


def _cover(head: Head) -> dict[str, np.ndarray]:
    """Return how densely hair grows at each vertex (V,), 0 to 1, by part of the face."""
    marks = {name: head.template[index] for name, index in head.basis.landmarks.items()}
    x, y, z = head.template.T
    mouth = marks["mouth_corners"].mean(0)
    half = np.ptp(marks["mouth_corners"][:, 0]) / 2
    nose, chin = marks["nose_tip"][0], marks["chin"][0]
    lips = np.concatenate([marks[n] for n in marks if n.startswith("outer_lip")])
    near = np.linalg.norm(head.template[:, None] - lips, axis=2).min(1)
    red = np.isin(np.arange(len(x)), head.basis.regions["lips"])
    free = _rise(near - GAP) * ~red * np.isin(np.arange(len(x)), head.basis.regions["skin"])
    below = mouth[1] - y
    side = np.abs(x - mouth[0])
    # From the corner of the mouth the edge of a beard rises to the sideburn in front of the ear.
    back = np.clip((mouth[2] - z) / 0.075, 0, 1)
    cheek = mouth[1] - 0.012 + 0.055 * back**1.5
    throat = chin[1] - 0.018 - 0.01 * back
    jaw = _rise(cheek - y) * _rise(y - throat) * _rise(z - mouth[2] + 0.095)
    front = _rise(1.15 * half - side) * (z > mouth[2] - 0.05)
    return {
        "jaw": free * jaw,
        "chin": free * front * _rise(below) * _rise(y - chin[1] + 0.016),
        "upper_lip": free
        * _rise(1.25 * half - side)
        * _rise(-below + 0.004)
        * _rise(nose[1] - 0.012 - y - 0.12 * side)
        * (z > mouth[2] - 0.02),
    }


def _rise(distance: np.ndarray) -> np.ndarray:
    """Return 0 below 0, and 1 from `EDGE` metres on."""
    return np.clip(distance / EDGE, 0.0, 1.0)


def _scatter(
    template: np.ndarray, skin: np.ndarray, cover: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw points of the skin by area and cover: triangles (n, 3) and shares (n, 3)."""
    a, b, c = (template[corner] for corner in skin.T)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2 * 1e4  # square centimetres
    expected = DENSITY * area * cover[skin].mean(1)
    chosen = np.repeat(np.arange(len(skin)), random.poisson(expected))
    first, second = np.sqrt(random.random(len(chosen))), random.random(len(chosen))
    shares = np.stack([1 - first, first * (1 - second), first * second], 1)
    return skin[chosen], shares


def _growth(head: Head, roots: np.ndarray) -> np.ndarray:
    """Return the direction of growth (n, 3): down and forward, on the upper lip also outwards."""
    mouth = head.template[head.basis.landmarks["mouth_corners"]].mean(0)
    above = roots[:, 1] > mouth[1] - 0.002
    middle = np.abs(roots[:, 0] - mouth[0]) < 0.035
    aside = np.sign(roots[:, 0]) * (above & middle) * 0.7
    return np.stack([aside, np.full(len(roots), -1.0), np.full(len(roots), 0.25)], 1)


def _colors(head: Head, count: int, random: np.random.Generator) -> np.ndarray:
    """Return the colour of each card (count, 3): varied, some of them grey."""
    own = hex_color(head.identity.hair_color).astype(float)
    grey = random.random(count) < head.identity.grey
    color = np.where(grey[:, None], (170, 168, 164), own) * random.uniform(0.75, 1.2, (count, 1))
    return color.clip(0, 255).round()
