"""The tongue: MakeHuman's, smaller, lower and further back."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from recipes.heads.makehuman import MakeHuman
from recipes.heads.woven_mesh import Sheet, from_quads

SCALE = 0.9
SHIFT = np.array([0, -0.011, -0.010])  # metres
OVER_TEETH = np.array([0, 0.012, 0.004])  # metres: what a tongue put out needs beyond MakeHuman's
# How the tip is raised: joint of the rig → degrees by which all that is in front of it turns, and
# the bones that begin there.
BEND = {
    "joint-tongue-1": (5.0, ("tongue01",)),
    "joint-tongue-2": (8.0, ("tongue02", "tongue05.L", "tongue05.R")),
    "joint-tongue-3": (24.0, ("tongue03", "tongue06.L", "tongue06.R")),
}
TIP = ("tongue04", "tongue07.L", "tongue07.R")


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


def tip_up(source: MakeHuman) -> np.ndarray:
    """(N, 3) metres: the blendshape "tongueUp", which ARKit lacks: the tip behind the upper teeth, as
    for T, D, N and L.

    The rig's bones turn one after the other about the left-right axis, and the skin follows by
    linear blending. An blendshape is a straight way from rest to there, so it is exact at 0 and 1.
    """
    bent, beyond = source.vertices.copy(), [*(bones for _, bones in BEND.values()), TIP]
    for number, (joint, (degrees, _)) in reversed(list(enumerate(BEND.items()))):
        pivot = source.vertices[source.members(joint)].mean(0)
        follows = source.bones(*(bone for bones in beyond[number:] for bone in bones))[:, None]
        sin, cos = np.sin(np.radians(-degrees)), np.cos(np.radians(-degrees))
        turn = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
        bent += follows * ((bent - pivot) @ turn.T + pivot - bent)
    return bent - source.vertices


def stick_out(offsets: np.ndarray) -> None:
    """Raise "tongueOut" (V, 3), in place, over the lower teeth: the shift of the tongue undone."""
    reach = np.linalg.norm(offsets, axis=1, keepdims=True)
    offsets += OVER_TEETH * reach / reach.max()
