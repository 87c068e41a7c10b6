"""The shade that hair and clothes throw on the skin below them."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO

import numpy as np
from PIL import Image
from scipy.spatial import KDTree

from jambatalk.face.attachments import Attachments
from jambatalk.face.normals import SmoothNormals
from recipes.heads.attach.piece import Head

SHADING = ("hair", "clothes")  # parts; the others are thin
GRAIN = 0.007  # metres between patches that hide light; layers of hair in one grain count once
REACH = 0.05  # metres
NEAREST = 96  # patches that shade a vertex
STRENGTH = 1.1
DARKEST = 0.4
SOLID = 0.5  # alpha from which a strand hides light


def thrown_shade(
    head: Head, attached: Attachments, materials: list[dict], pictures: Mapping[str, bytes]
) -> np.ndarray:
    """Return the part of the surroundings' light that hair and clothes let through: (V,).

    Args:
        materials, pictures: of the attachments, see :func:`attach_all`.
    """
    light = np.ones(len(head.template))
    albedos = {material["name"]: pictures.get(material.get("albedo", "")) for material in materials}
    found = [_patches(attached, name, albedos.get(name)) for name in SHADING]
    patches = np.concatenate(found)
    if not len(patches):
        return light
    normals = SmoothNormals(head.basis.triangles, len(light), head.basis.weld)(head.template)
    outside = head.basis.regions["skin"]
    distance, index = KDTree(patches).query(
        head.template[outside], k=min(NEAREST, len(patches)), distance_upper_bound=REACH
    )
    near = np.isfinite(distance[:, 0])
    below, distance, index = outside[near], distance[near], index[near]
    offset = np.append(patches, np.zeros((1, 3)), axis=0)[index] - head.template[below, None]
    ahead = np.einsum("vpk,vk->vp", offset, normals[below]) / np.maximum(distance, 1e-6)
    # A disc of a grain's size, seen from the vertex, as a part of its cosine-weighted sky.
    part = np.where(np.isfinite(distance), np.maximum(ahead, 0), 0) * GRAIN**2
    part /= np.pi * np.minimum(distance, REACH) ** 2 + GRAIN**2
    light[below] = np.exp(-STRENGTH * part.sum(1))
    return np.maximum(light, DARKEST)


def _patches(attached: Attachments, part: str, picture: bytes | None) -> np.ndarray:
    """Return points (p, 3) all over the surface of a part, a grain apart, where it is opaque."""
    number = np.flatnonzero(attached.parts == part)
    triangles = attached.triangles[np.isin(attached.part[attached.triangles[:, 0]], number)]
    corners = attached.template[triangles].astype(float)
    if picture is None or not len(corners):
        return np.zeros((0, 3))
    size = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max()
    steps = int(np.clip(np.ceil(size / GRAIN), 1, 6))
    grid = [(i, j, steps - i - j) for i in range(steps + 1) for j in range(steps + 1 - i)]
    shares = np.array(grid) / steps
    points = np.einsum("gk,fkd->fgd", shares, corners).reshape(-1, 3)
    uv = np.einsum("gk,fkd->fgd", shares, attached.uv[triangles]).reshape(-1, 2)
    points = points[_alpha(picture, uv) > SOLID]
    _, first = np.unique(np.round(points / GRAIN).astype(int), axis=0, return_index=True)
    return points[first]


def _alpha(picture: bytes, uv: np.ndarray) -> np.ndarray:
    """Return a picture's alpha, (n,) from 0 to 1, at coordinates (n, 2)."""
    with Image.open(BytesIO(picture)) as file:
        image = file.convert("RGBA").getchannel("A")
        alpha = np.asarray(image.resize((256, 256), Image.Resampling.BOX)) / 255
    row, column = ((1 - uv[:, 1]) * 256).astype(int), (uv[:, 0] * 256).astype(int)
    return alpha[row.clip(0, 255), column.clip(0, 255)]
