"""The tongue: MakeHuman's, smaller, lower and further back."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from jambatalk.heads.makehuman import MakeHuman
from jambatalk.heads.sheet import Sheet, from_quads

SCALE = 0.9
SHIFT = np.array([0, -0.011, -0.010])  # metres
OVER_TEETH = np.array([0, 0.012, 0.004])  # metres: what a tongue put out needs beyond MakeHuman's


def tongue(source: MakeHuman) -> Sheet:
    """The tongue; fields "tongue" and "root", which grows from 0 at the tip to 1 in the throat."""
    sheet = from_quads(source.quads["helper-tongue"], len(source.vertices))
    count = len(sheet)
    shrink = SCALE * sp.identity(count) + sp.csr_matrix(
        np.full((count, count), (1 - SCALE) / count)
    )
    small = sheet.remix(shrink, sheet.triangles)
    small.offset = np.tile(SHIFT, (count, 1))
    z = small.place(source.vertices)[:, 2]
    small.fields = {"tongue": np.ones(count), "root": (z.max() - z) / np.ptp(z)}
    return small


def stick_out(offsets: np.ndarray) -> None:
    """Raise "tongueOut" (V, 3), in place, over the lower teeth: the shift of the tongue undone."""
    reach = np.linalg.norm(offsets, axis=1, keepdims=True)
    offsets += OVER_TEETH * reach / reach.max()
