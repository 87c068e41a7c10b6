"""The GLB from which a browser draws a head as the videos do, cached per head."""

from __future__ import annotations

import gzip
from functools import lru_cache

import numpy as np

from jambatalk.export.glb import to_glb
from jambatalk.face.library import HeadLibrary
from jambatalk.face.neck import Neck
from jambatalk.motion.motion import Motion

MAX_CACHED = 32  # heads, 1.7 MB each


@lru_cache(MAX_CACHED)
def head_glb(heads: HeadLibrary, name: str) -> bytes:
    """Return the gzipped GLB of a head at rest, with its morph targets.

    It adds to :func:`to_glb` the vertex attributes `_GLOSS` and `_NECK` (the part of the head's
    rotation that a vertex follows, see :class:`Neck`) and, in the mesh's `extras`, the neck's
    `pivot` and the height of the `chin`, by which the camera is framed.

    Raises:
        FaceError: there is no such head.
    """
    face = heads.load(name)
    neck = Neck.of(face)
    rest = Motion(np.zeros((1, len(face.blendshapes)), np.float32), 1.0, face)
    chin = face.template[face.landmarks["chin"], 1].min() if "chin" in face.landmarks else -np.inf
    low = max(float(chin), float(face.template[:, 1].min()))
    glb = to_glb(
        rest,
        {"_GLOSS": face.visible_gloss(), "_NECK": neck.share},
        {"pivot": neck.pivot.tolist(), "chin": low},
    )
    return gzip.compress(glb, 6)
