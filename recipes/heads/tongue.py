"""The tongue: MakeHuman's, smaller, lower and further back."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from recipes.heads.makehuman import MakeHuman
from recipes.heads.woven_mesh import WovenMesh, from_quads

SCALE = 0.9
SHIFT = np.array([0, -0.011, -0.010])  # metres
OVER_TEETH = np.array(
    [0, 0.012, 0.004]
)  # metres added to MakeHuman's tongueOut, to clear the lower teeth
# raising the tip: joint of the rig → degrees by which everything in front of it rotates, and the
# bones that start there
BEND = {
    "joint-tongue-1": (5.0, ("tongue01",)),
    "joint-tongue-2": (8.0, ("tongue02", "tongue05.L", "tongue05.R")),
    "joint-tongue-3": (24.0, ("tongue03", "tongue06.L", "tongue06.R")),
}
TIP = ("tongue04", "tongue07.L", "tongue07.R")


def tongue(source: MakeHuman) -> WovenMesh:
    """Build the tongue; fields "tongue" 1 and "root", 0 at the tip to 1 in the throat."""
    mesh = from_quads(source.quads["helper-tongue"], len(source.vertices))
    count = len(mesh)
    shrink = SCALE * sp.identity(count) + sp.csr_matrix(
        np.full((count, count), (1 - SCALE) / count)
    )
    small = mesh.remix(shrink, mesh.triangles)
    small.offset = np.tile(SHIFT, (count, 1))
    z = small.positions(source.vertices)[:, 2]
    small.fields = {"tongue": np.ones(count), "root": (z.max() - z) / np.ptp(z)}
    return small


def raise_tip(source: MakeHuman) -> np.ndarray:
    """Return the offsets of "tongueUp", a blendshape that ARKit lacks: (N, 3) metres.

    It raises the tip behind the upper teeth, as in T, D, N and L. The bones of the rig rotate one
    after another about the left-right axis, with linear blend skinning. A blendshape moves in a
    straight line, so it is exact at weights 0 and 1 only.
    """
    bent, beyond = source.vertices.copy(), [*(bones for _, bones in BEND.values()), TIP]
    for number, (joint, (degrees, _)) in reversed(list(enumerate(BEND.items()))):
        pivot = source.vertices[source.members(joint)].mean(0)
        share = source.bones(*(bone for bones in beyond[number:] for bone in bones))[:, None]
        sin, cos = np.sin(np.radians(-degrees)), np.cos(np.radians(-degrees))
        turn = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
        bent += share * ((bent - pivot) @ turn.T + pivot - bent)
    return bent - source.vertices


def raise_tongue_out(offsets: np.ndarray) -> None:
    """Raise the deltas of "tongueOut" (V, 3) over the lower teeth, in place.

    This compensates the shift of the tongue.
    """
    reach = np.linalg.norm(offsets, axis=1, keepdims=True)
    offsets += OVER_TEETH * reach / reach.max()
