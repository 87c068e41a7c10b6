"""A piece that a head wears, and how several are joined to its attachments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from jambatalk.face.attachments import Attachments
from recipes.heads.basis import Basis
from recipes.heads.ict_facekit import IctFaceKit
from recipes.heads.identity import Identity
from recipes.heads.makehuman_assets import BentBase
from recipes.heads.materials import MATERIALS


@dataclass(frozen=True, eq=False)
class Head:
    """The head of an identity, to be dressed.

    Attributes:
        identity: whose head it is.
        positions: (26719, 3), the published vertices of this identity, metres.
        template: (V, 3), the vertices of the basis, metres.
        basis: the mesh.
        ict: the mean head.
        bent: MakeHuman's base on the mean head.
        makehuman: folder of MakeHuman's assets.
    """

    identity: Identity
    positions: np.ndarray
    template: np.ndarray
    basis: Basis
    ict: IctFaceKit
    bent: BentBase
    makehuman: Path

    @cached_property
    def base(self) -> np.ndarray:
        """MakeHuman's base on this identity's head: (19158, 3) metres.

        It moves with the nearest skin.
        """
        from scipy.spatial import KDTree

        skin = self.ict.positions[:11248]
        moved = self.positions[:11248] - skin
        distance, nearest = KDTree(skin).query(self.bent.positions, k=12)
        share = 1.0 / (distance + 0.004) ** 2
        share /= share.sum(1, keepdims=True)
        return self.bent.positions + np.einsum("nk,nkd->nd", share, moved[nearest])


@dataclass(frozen=True, eq=False)
class Piece:
    """A mesh with one material.

    Attributes:
        part: its material and region, one of MATERIALS.
        positions: (n, 3) metres.
        triangles: (f, 3).
        uv: (n, 2), v up.
        colors: (n, 3) uint8, sRGB, multiplied by the picture.
        gloss, occlusion: (n,), as in :class:`jambatalk.Face`.
        anchors: (n, 3) vertices of the basis that each vertex follows.
        shares: (n, 3) how far it follows each; 0 for what blendshapes do not move.
        material: its entry in `heads.json`: kind, albedo (a file name), cutout, two_sided.
        pictures: file name → bytes.
    """

    part: str
    positions: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    colors: np.ndarray
    gloss: np.ndarray
    occlusion: np.ndarray
    anchors: np.ndarray
    shares: np.ndarray
    material: dict
    pictures: dict[str, bytes] = field(default_factory=dict)


def join(pieces: Sequence[Piece]) -> Attachments:
    """Join pieces in the order of MATERIALS."""
    sizes = [len(piece.positions) for piece in pieces]
    starts = np.cumsum([0, *sizes[:-1]])
    numbers = [MATERIALS.index(piece.part) for piece in pieces]
    parts = list(dict.fromkeys(piece.part for piece in pieces))

    def every(name: str, dtype: type) -> np.ndarray:
        return np.concatenate([getattr(piece, name) for piece in pieces]).astype(dtype)

    return Attachments(
        template=every("positions", np.float32),
        triangles=np.concatenate(
            [start + piece.triangles for start, piece in zip(starts, pieces, strict=True)]
        ).astype(np.int32),
        material_index=np.repeat(numbers, [len(piece.triangles) for piece in pieces]).astype(
            np.uint8
        ),
        uv=every("uv", np.float32),
        colors=every("colors", np.uint8),
        gloss=every("gloss", np.float16),
        occlusion=every("occlusion", np.float16),
        anchors=every("anchors", np.int32),
        shares=every("shares", np.float16),
        part=np.repeat([parts.index(piece.part) for piece in pieces], sizes).astype(np.uint8),
        parts=np.array(parts),
    )
