"""Find for each texel of the atlas the place in MakeHuman's skin pictures that it shows.

MakeHuman's base, bent onto the head, lies within millimetres of it, but lips slide along lips and
lids along lids. So the way from a vertex to the nearest point of the base, with a normal that looks
the same way, is smoothed over the head, and each texel follows it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from recipes.heads.makehuman_assets import read_obj
from recipes.heads.skin.atlas import SkinAtlas, vertex_normals
from recipes.heads.skin.diffusion import Diffusion

SPACING = 0.0007  # metres between samples of the base
SMOOTH = 0.005  # metres over which the way to the base is averaged
NEIGHBOURS = 24


def map_to_base(
    atlas: SkinAtlas, diffusion: Diffusion, base: np.ndarray, makehuman: Path
) -> np.ndarray:
    """Return MakeHuman's texture coordinates (n, 2), v up, of every texel.

    Args:
        base: (19158, 3) MakeHuman's base, bent onto the head, metres.
        makehuman: folder of MakeHuman's assets.
    """
    _, mesh = read_obj(makehuman / "base" / "base.obj", "body")
    corners, texture = mesh.vertex[mesh.triangles], mesh.uv[mesh.triangles]
    near = (base[corners] - atlas.points.mean(0)).max((1, 2)) < 0.3
    shown = near & ~_inner(texture)
    corners, texture = corners[shown], texture[shown]
    normals = vertex_normals(base, corners)
    samples, triangle = _sample(base[corners])
    tree = cKDTree(samples)

    used = np.unique(atlas.triangles)
    distance, index = tree.query(atlas.positions[used], NEIGHBOURS)
    facing = np.cross(*np.diff(base[corners], axis=1).transpose(1, 0, 2))
    facing /= np.linalg.norm(facing, axis=1, keepdims=True).clip(1e-12)
    facing = facing[triangle][index]
    agree = np.einsum("nki,ni->nk", facing, atlas.normals[used])
    cost = distance * (1 + 3 * (1 - agree))
    best = np.take_along_axis(index, cost.argmin(1)[:, None], 1)[:, 0]
    way = np.zeros_like(atlas.positions)
    way[used] = samples[best] - atlas.positions[used]
    sure = np.zeros(len(way))
    sure[used] = np.exp(-((np.linalg.norm(way[used], axis=1) / 0.008) ** 2))
    way = diffusion.blur(way, SMOOTH, sure)
    del normals

    target = atlas.points + atlas.interpolate(way)
    _, nearest = tree.query(target)
    return _texture_at(target, base[corners], texture, triangle[nearest])


def _inner(texture: np.ndarray) -> np.ndarray:
    """Return which triangles (F, 3, 2) line the eye sockets or the mouth, by their place."""
    u, v = texture[..., 0], texture[..., 1]
    sockets = ((u < 0.16) & (v > 0.52) & (v < 0.66)).all(1)
    mouth = ((u > 0.74) & (u < 0.94) & (v < 0.15)).all(1)
    return np.asarray(sockets | mouth)


def _sample(triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spread points over triangles (F, 3, 3): points (m, 3) and the triangle of each (m,)."""
    longest = np.linalg.norm(triangles - np.roll(triangles, 1, axis=1), axis=2).max(1)
    parts = np.ceil(longest / SPACING).clip(1, 40).astype(int)
    points, owner = [], []
    for count in np.unique(parts):
        members = np.flatnonzero(parts == count)
        i, j = np.nonzero(np.add.outer(np.arange(count), np.arange(count)) < count)
        share = np.stack([i + 1 / 3, j + 1 / 3, count - i - j - 2 / 3], 1) / count
        points.append(np.einsum("sk,mki->msi", share, triangles[members]).reshape(-1, 3))
        owner.append(np.repeat(members, len(share)))
    return np.concatenate(points), np.concatenate(owner)


def _texture_at(
    points: np.ndarray, triangles: np.ndarray, texture: np.ndarray, owner: np.ndarray
) -> np.ndarray:
    """Project points (n, 3) onto their triangles and interpolate texture coordinates there."""
    origin, second, third = triangles[owner].transpose(1, 0, 2)
    a, b, d = second - origin, third - origin, points - origin
    aa, bb, ab = (a * a).sum(1), (b * b).sum(1), (a * b).sum(1)
    da, db = (d * a).sum(1), (d * b).sum(1)
    scale = (aa * bb - ab * ab).clip(1e-18)
    share = np.stack([bb * da - ab * db, aa * db - ab * da], 1) / scale[:, None]
    share = np.column_stack([1 - share.sum(1), share]).clip(0, None)
    share /= share.sum(1, keepdims=True)
    return np.einsum("nk,nki->ni", share, texture[owner])
