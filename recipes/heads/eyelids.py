"""The eyelids: their edges, lashes and corners."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from recipes.heads.edge_loops import Rings

# The middle of the left upper lid on rings from the crease to the eyeball.
EDGE, MARGIN, WET, HIDDEN = 6785, 13352, 7748, 7774


class Lids:
    """The rings around both eyes of the source mesh, right eye first, each (28,) vertices."""

    def __init__(self, rings: Rings) -> None:
        starts = (EDGE, MARGIN, WET, HIDDEN)
        self.rings = {
            start: [rings.around(rings.mirror(start)), rings.around(start)] for start in starts
        }

    def sockets(self, quads: np.ndarray) -> np.ndarray:
        """(F,) which of the body's quads lie behind the lids, where the eyeballs hide them."""
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
        """(4,) right outer, right inner, left inner, left outer."""
        ends = []
        for ring in self.rings[EDGE]:
            x = vertices[ring, 0]
            ends += [ring[np.argmin(x)], ring[np.argmax(x)]]
        return np.array(ends)

    def fields(self, vertices: np.ndarray) -> dict[str, np.ndarray]:
        """ "lashes": (N,) 1 on the upper lid's edge, less on the lower; "waterline": the margin."""
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
