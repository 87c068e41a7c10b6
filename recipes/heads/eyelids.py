"""The eyelids: rings of vertices, lashes and corners."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from recipes.heads.edge_loops import Rings

# vertices in the middle of the left upper lid, one per ring from the crease to the eyeball
EDGE, MARGIN, WET, HIDDEN = 6785, 13352, 7748, 7774


class Lids:
    """The rings around both eyes of the source mesh, right eye first, (28,) vertices each."""

    def __init__(self, rings: Rings) -> None:
        starts = (EDGE, MARGIN, WET, HIDDEN)
        self.rings = {
            start: [rings.around(rings.mirror(start)), rings.around(start)] for start in starts
        }

    def sockets(self, quads: np.ndarray) -> np.ndarray:
        """Find the body's quads behind the lids, hidden by the eyeballs: (F,) bool."""
        wall = np.concatenate(self.rings[HIDDEN])
        pairs = np.concatenate([quads[:, [k, k - 1]] for k in range(4)])
        pairs = pairs[~np.isin(pairs, wall).any(axis=1)]
        size = quads.max() + 1
        graph = sp.coo_matrix((np.ones(len(pairs)), pairs.T), (size, size))
        label = connected_components(graph, directed=False)[1]
        behind = label != np.bincount(label[quads].ravel()).argmax()
        behind[wall] = False
        return behind[quads].any(axis=1)

    def corners(self, vertices: np.ndarray) -> np.ndarray:
        """Return the corners: right outer, right inner, left inner, left outer: (4,)."""
        ends = []
        for ring in self.rings[EDGE]:
            x = vertices[ring, 0]
            ends += [ring[np.argmin(x)], ring[np.argmax(x)]]
        return np.array(ends)

    def fields(self, vertices: np.ndarray) -> dict[str, np.ndarray]:
        """Return the fields "lashes", highest on the upper lid's edge, and "waterline"."""
        lashes, wet = np.zeros(len(vertices)), np.zeros(len(vertices))
        for start, amount in ((EDGE, 1.0), (MARGIN, 0.8)):
            for ring in self.rings[start]:
                y = vertices[ring, 1]
                corner = y[[np.argmin(vertices[ring, 0]), np.argmax(vertices[ring, 0])]].mean()
                lashes[ring] = amount * np.where(y > corner - 5e-4, 1.0, 0.4)
        for start in (MARGIN, WET):
            for ring in self.rings[start]:
                wet[ring] = 1.0
        return {"lashes": lashes, "waterline": wet}
