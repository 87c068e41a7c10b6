"""What a browser needs to draw a head as the videos show it: a GLB, made once a head."""

from __future__ import annotations

import gzip
from functools import lru_cache

import numpy as np

from jambatalk.export.glb import to_glb
from jambatalk.face.library import HeadLibrary
from jambatalk.face.neck import Neck
from jambatalk.face.surface import visible_gloss
from jambatalk.motion.motion import Motion

MOST_HEADS = 32  # kept ready, at 1.7 MB each


@lru_cache(MOST_HEADS)
def head_glb(heads: HeadLibrary, name: str) -> bytes:
    """The head at rest with its morph targets, as gzip.

    Beside what :func:`to_glb` writes it holds, of each vertex, `_GLOSS` and `_NECK` (how much of it
    turns with the head, see :class:`Neck`), and in `mesh.extras` the neck's `pivot` and the height
    of the `chin`, from which the camera is placed.

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
        {"_GLOSS": visible_gloss(face), "_NECK": neck.share},
        {"pivot": neck.pivot.tolist(), "chin": low},
    )
    return gzip.compress(glb, 6)
