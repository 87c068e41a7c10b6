"""Clothes: collar and shoulders of MakeHuman's outfits, cut below the picture's lower edge."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image
from scipy.sparse import csr_array, diags
from scipy.spatial import KDTree

from jambatalk.face.normals import SmoothNormals
from recipes.heads.attach.anchor import anchor
from recipes.heads.attach.piece import Head, Piece
from recipes.heads.colors import hex_bytes
from recipes.heads.makehuman_assets import fit_proxy, read_obj, read_picture
from recipes.heads.materials import MATERIALS

LOWEST, WIDEST = -0.42, 0.30  # metres: what lies further down or out is never in the picture
CLEAR = 0.003  # metres between skin and cloth
NEAR = 0.04  # metres within which cloth belongs to the skin below it
TOGETHER = 0.012  # metres within which layers of cloth are pushed out together
THICK = 0.010  # metres above the skin from which none is
ROUNDS = 6  # of smoothing, so that cloth that is pushed out takes its neighbours along
SHADE = 0.5  # occlusion where cloth lies on the skin
OPEN = 0.03  # metres above the skin where all light reaches it
GLOSS = 0.08
WHITE = "#ffffff"
UNDYED, FOLDS = 0.82, 0.6  # brightness of cloth to be dyed, and how far its folds show
SIZE = 512  # pixels
QUALITY = 85


def make_clothes(head: Head) -> Piece:
    """Make the collar and the shoulders of a head's outfit."""
    name = head.identity.outfit
    folder = head.makehuman / "clothes" / name
    _, mesh = read_obj(folder / f"{name}.obj")
    fitted = fit_proxy(folder / f"{name}.mhclo", head.base)
    seen = (fitted[:, 1] > LOWEST) & (np.abs(fitted[:, 0]) < WIDEST)
    corners = mesh.triangles[seen[mesh.vertex[mesh.triangles]].all(1)]
    used, triangles = np.unique(corners, return_inverse=True)
    triangles = triangles.reshape(-1, 3)
    vertex = mesh.vertex[used]
    moved, height = _push_out(head, fitted, vertex, triangles)
    image, color = read_picture(folder / f"{name}_diffuse", "RGB"), WHITE
    file = f"clothes_{name}.jpg"
    if head.identity.outfit_color:
        color = head.identity.outfit_color
        file = f"clothes_{name}_undyed.jpg"
    uv, picture = _visible_picture(image, mesh.uv[used], dyed=color != WHITE)
    count = len(used)
    return Piece(
        part="clothes",
        positions=moved[vertex],
        triangles=triangles,
        uv=uv,
        colors=np.tile(hex_bytes(color), (count, 1)),
        gloss=np.full(count, GLOSS),
        occlusion=SHADE + (1 - SHADE) * np.clip(height[vertex] / OPEN, 0.0, 1.0),
        anchors=np.zeros((count, 3), int),
        shares=np.zeros((count, 3)),
        material={"kind": "cloth", "albedo": file, "two_sided": True},
        pictures={file: picture},
    )


def _push_out(
    head: Head, fitted: np.ndarray, vertex: np.ndarray, triangles: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Move cloth out of the skin: positions (N, 3), and heights above the skin (N,), metres."""
    skin = head.basis.triangles[head.basis.material_index == MATERIALS.index("skin")]
    used = np.unique(vertex)
    anchors, shares = anchor(fitted[used], head.template, skin)
    normals = SmoothNormals(head.basis.triangles, len(head.template))(head.template)
    below = np.einsum("na,nad->nd", shares, head.template[anchors])
    normal = np.einsum("na,nad->nd", shares, normals[anchors])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    away = fitted[used] - below
    height = np.einsum("nd,nd->n", away, normal)
    near = np.linalg.norm(away, axis=1) < NEAR
    # Layers keep their order: from the lowest one at a place up to THICK they are compressed.
    together = KDTree(fitted[used]).query_ball_point(fitted[used], TOGETHER)
    height_near = np.where(near, height, THICK)
    lowest = np.array([height_near[layers].min() for layers in together]).clip(None, CLEAR)
    push = (CLEAR - lowest) * np.clip((THICK - height_near) / (THICK - lowest), 0.0, 1.0)
    number = np.zeros(len(fitted), int)
    number[used] = np.arange(len(used))
    smooth = _neighbour_mean(number[vertex[triangles]], len(used))
    spread = push[:, None] * normal
    for _ in range(ROUNDS):
        mean = smooth @ spread
        along = np.einsum("nd,nd->n", mean, normal)
        # at least as far as it must, at most as far as its neighbours
        spread = mean + np.clip(push - along, 0.0, None)[:, None] * normal
    moved = fitted.copy()
    moved[used] += spread
    heights = np.full(len(fitted), OPEN)
    above = np.einsum("nd,nd->n", moved[used] - below, normal)
    heights[used] = np.where(near, np.clip(above, 0.0, OPEN), OPEN)
    return moved, heights


def _neighbour_mean(triangles: np.ndarray, count: int) -> csr_array:
    """Return the matrix (n, n) that averages each vertex with its neighbours."""
    pairs = np.unique(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=0)
    pairs = np.concatenate([pairs, pairs[:, ::-1], np.tile(np.arange(count), (2, 1)).T])
    sums = csr_array((np.ones(len(pairs)), pairs.T), shape=(count, count))
    sums.data[:] = 1.0
    return csr_array(diags(1.0 / sums.sum(1)) @ sums)


def _visible_picture(image: Image.Image, uv: np.ndarray, dyed: bool) -> tuple[np.ndarray, bytes]:
    """Cut the part of a picture that coordinates (n, 2) use: new coordinates, and a JPEG.

    Args:
        dyed: leave only its brightness, so that the vertices give the colour.
    """
    low, high = uv.min(0).clip(0, 1), uv.max(0).clip(0, 1)
    width, height = image.size
    box = (low[0] * width, (1 - high[1]) * height, high[0] * width, (1 - low[1]) * height)
    part = image.resize((SIZE, SIZE), Image.Resampling.LANCZOS, box=box)
    if dyed:
        light = np.asarray(part.convert("L"), np.float64) / 255
        light = UNDYED + FOLDS * (light - light.mean())
        part = Image.fromarray((light.clip(0, 1) * 255).round().astype(np.uint8)).convert("RGB")
    data = BytesIO()
    part.save(data, "JPEG", quality=QUALITY, optimize=True)
    return (uv - low) / (high - low), data.getvalue()
