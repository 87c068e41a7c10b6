"""The vertices of a face that are drawn: those of its triangles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jambatalk.face.face import Face

OF_VERTICES = ("template", "colors", "gloss", "uv", "occlusion")


def only_used(face: Face) -> tuple[Face, np.ndarray]:
    """Leave out the vertices that belong to no triangle and no landmark.

    Returns:
        The face of the others, and their numbers, (n,), ascending.
    """
    used = np.unique(np.concatenate([face.triangles.ravel(), *face.landmarks.values()]))
    arrays = {name: getattr(face, name) for name in OF_VERTICES}
    arrays = {name: array[used] for name, array in arrays.items() if array is not None}
    if face.weld is not None:
        _, first, point = np.unique(face.weld[used], return_index=True, return_inverse=True)
        arrays["weld"] = first[point].astype(np.int32)

    def renumbered(index: np.ndarray) -> np.ndarray:
        return np.searchsorted(used, index).astype(np.int32)

    part = replace(
        face,
        **arrays,
        triangles=renumbered(face.triangles),
        deltas=face.deltas[:, used],
        regions={
            name: renumbered(np.intersect1d(index, used)) for name, index in face.regions.items()
        },
        landmarks={name: renumbered(index) for name, index in face.landmarks.items()},
    )
    return part, used
