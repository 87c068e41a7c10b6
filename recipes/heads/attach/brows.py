"""Eyebrows: MakeHuman's cards, laid on the skin, which they follow."""

from __future__ import annotations

import numpy as np

from jambatalk.face.normals import SmoothNormals
from recipes.heads.attach.anchor import anchor
from recipes.heads.attach.piece import Head, Piece
from recipes.heads.attach.strand_picture import strand_picture
from recipes.heads.colors import hex_bytes
from recipes.heads.makehuman_assets import fit_proxy, read_obj
from recipes.heads.materials import MATERIALS

ABOVE = 0.0005  # metres above the skin, so that no skin shines through
THICKNESS = 0.0008  # metres further up to which the cards keep their shape
LIDS = ("eyeBlink", "eyeLookDown", "eyeLookUp", "eyeWide")  # blendshapes
STILL = 0.0008  # metres by which these move the skin of brows
GLOSS = 0.15
CUTOUT = 0.3
SIZE = 512  # pixels


def make_brows(head: Head) -> Piece:
    """Make the eyebrows of a head."""
    name = f"eyebrow{head.identity.brows:03}"
    folder = head.makehuman / "eyebrows" / name
    _, mesh = read_obj(folder / f"{name}.obj")
    fitted = fit_proxy(folder / f"{name}.mhclo", head.base)[mesh.vertex]
    skin = head.basis.triangles[head.basis.material_index == MATERIALS.index("skin")]
    nearest, place = anchor(fitted, head.template, skin)
    normals = SmoothNormals(head.basis.triangles, len(head.template))(head.template)
    below = np.einsum("na,nad->nd", place, head.template[nearest])
    normal = np.einsum("na,nad->nd", place, normals[nearest])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    height = np.einsum("nd,nd->n", fitted - below, normal)
    height = ABOVE + np.clip(height - np.percentile(height, 10), 0.0, THICKNESS)
    # The lower hairs lie over the fold of the lid, but do not follow the lid.
    anchors, shares = anchor(below, head.template, skin[~_of_lids(head)[skin].any(1)])
    count = len(fitted)
    return Piece(
        part="brows",
        positions=below + height[:, None] * normal,
        triangles=mesh.triangles,
        uv=mesh.uv,
        colors=np.tile(hex_bytes(head.identity.brow_color), (count, 1)),
        gloss=np.full(count, GLOSS),
        occlusion=np.ones(count),
        anchors=anchors,
        shares=shares,
        material={
            "kind": "hair",
            "albedo": f"brows_{name}.png",
            "cutout": CUTOUT,
            "two_sided": True,
        },
        pictures={f"brows_{name}.png": strand_picture(folder / name, SIZE)},
    )


def _of_lids(head: Head) -> np.ndarray:
    """Tell which vertices (V,) the lids move."""
    names = [name for name in head.basis.blendshapes if name.startswith(LIDS)]
    index = [head.basis.blendshapes.index(name) for name in names]
    return (np.linalg.norm(head.basis.deltas[index], axis=2) > STILL).any(0)
