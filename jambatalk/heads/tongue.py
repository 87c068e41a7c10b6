"""The tongue: MakeHuman's, smaller, lower and further back."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from jambatalk.heads.makehuman import MakeHuman
from jambatalk.heads.sheet import Sheet, from_quads

SCALE = 0.9
SHIFT = np.array([0, -0.009, -0.010])  # metres


def tongue(source: MakeHuman) -> Sheet:
    """The tongue; field "tongue"."""
    sheet = from_quads(source.quads["helper-tongue"], len(source.vertices))
    count = len(sheet)
    shrink = SCALE * sp.identity(count) + sp.csr_matrix(
        np.full((count, count), (1 - SCALE) / count)
    )
    small = sheet.remix(shrink, sheet.triangles)
    small.offset = np.tile(SHIFT, (count, 1))
    small.fields = {"tongue": np.ones(count)}
    return small
