"""Attachments: hair, brows, lashes and clothes, which each head has of its own.

Their vertices follow those of the mesh that all heads share, so that brows move with the brow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from jambatalk.face.face import Face


@dataclass(frozen=True, eq=False)
class Attachments:
    """Meshes to be added to a face of V vertices and F triangles.

    Attributes:
        template: (n, 3) float32, metres, the face at rest.
        triangles: (f, 3) int32 into these n vertices.
        material_index: (f,) uint8, among the materials of the whole face.
        uv: (n, 2) float32.
        colors: (n, 3) uint8, sRGB, multiplied by the material's picture.
        gloss, occlusion: (n,) float32, as in :class:`Face`.
        anchors: (n, 3) int32, the face's vertices that each one follows.
        shares: (n, 3) float32, how far it follows each of them; 0 for hair that does not move.
        part: (n,) uint8, the number of its region in `parts`.
        parts: names of regions, such as ("hair", "brows", "lashes", "clothes").
    """

    template: np.ndarray
    triangles: np.ndarray
    material_index: np.ndarray
    uv: np.ndarray
    colors: np.ndarray
    gloss: np.ndarray
    occlusion: np.ndarray
    anchors: np.ndarray
    shares: np.ndarray
    part: np.ndarray
    parts: np.ndarray

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Convert to named arrays, for an .npz."""
        return {f"attached.{field.name}": getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Attachments:
        """Build them from the arrays of :meth:`to_arrays`.

        Raises:
            KeyError: an array is missing.
        """
        return cls(**{field.name: arrays[f"attached.{field.name}"] for field in fields(cls)})


def attach(face: Face, attached: Attachments) -> dict[str, np.ndarray]:
    """Compute the arrays of :meth:`Face.to_arrays` that attachments change.

    Raises:
        IndexError, ValueError: they do not fit the face.
    """
    first = len(face.template)
    _, earliest, same = np.unique(attached.template, axis=0, return_index=True, return_inverse=True)
    corners = face.deltas[:, attached.anchors]  # (K, n, 3, 3)
    deltas = np.einsum("knad,na->knd", corners, attached.shares.astype(np.float32))
    regions = {
        f"region.{name}": first + np.flatnonzero(attached.part == number)
        for number, name in enumerate(attached.parts.tolist())
    }
    own = {
        "triangles": first + attached.triangles,
        "template": attached.template,
        "colors": attached.colors,
        "gloss": attached.gloss.astype(np.float32),
        "occlusion": attached.occlusion.astype(np.float32),
        "uv": attached.uv.astype(np.float32),
        "weld": (first + earliest[same.ravel()]).astype(np.int32),
        "material_index": attached.material_index,
    }
    joined = {name: np.concatenate([getattr(face, name), array]) for name, array in own.items()}
    return joined | regions | {"deltas": np.concatenate([face.deltas, deltas], axis=1)}
