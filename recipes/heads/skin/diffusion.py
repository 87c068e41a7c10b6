"""Smooth values over the head's surface, across all seams of the pictures."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from recipes.heads.skin.atlas import SkinAtlas

EMPTY = 1e-6  # weight below which a vertex knows nothing of its own


class Diffusion:
    """Heat flow over the mesh: a Gaussian blur measured in metres along the surface."""

    def __init__(self, atlas: SkinAtlas) -> None:
        self._atlas = atlas
        self._stiffness, self._mass = _operators(atlas.positions, atlas.triangles)
        self._solvers: dict[float, splu] = {}

    def blur(
        self, values: np.ndarray, sigma: float, weight: np.ndarray | None = None
    ) -> np.ndarray:
        """Blur values of the vertices (N, k) by a Gaussian of `sigma` metres.

        Args:
            weight: (N,), how much a vertex knows; where it is 0 the value comes from around.
        """
        weight = np.ones(len(values)) if weight is None else weight.clip(EMPTY)
        flow = self._solver(sigma)
        mass = (self._mass * weight)[:, None]
        return flow(mass * values) / flow(mass)

    def texels(
        self, values: np.ndarray, sigma: float, weight: np.ndarray | None = None
    ) -> np.ndarray:
        """Blur values of the texels (n, k), as far as they count; returned at the texels."""
        return self._atlas.interpolate(self.blur(*self.gather(values, weight, sigma)))

    def gather(
        self, values: np.ndarray, weight: np.ndarray | None, sigma: float
    ) -> tuple[np.ndarray, float, np.ndarray]:
        """Average texels at the vertices: values (N, k), sigma, and weights (N,)."""
        gathering = self._atlas.gathering
        weight = np.ones(len(values)) if weight is None else weight
        known = gathering @ weight
        mean = (gathering @ (values * weight[:, None])) / known.clip(EMPTY)[:, None]
        return mean, sigma, known

    def fill(self, values: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Continue values of the vertices (N, k) smoothly to where they are not `known` (N,)."""
        used = np.unique(self._atlas.triangles)
        hidden = used[~known[used]]
        result = values.copy()
        if len(hidden):
            rows = self._stiffness[hidden]
            inner = rows[:, hidden] + 1e-9 * sparse.eye_array(len(hidden))
            outer = np.flatnonzero(known)
            result[hidden] = splu(inner.tocsc()).solve(-(rows[:, outer] @ values[outer]))
        return result

    def _solver(self, sigma: float):
        if sigma not in self._solvers:
            steps = 3  # of a third each: nearer to a Gaussian than a single one
            system = sparse.diags_array(self._mass) + sigma**2 / 2 / steps * self._stiffness
            factor = splu(system.tocsc())
            mass = self._mass[:, None]

            def flow(heat: np.ndarray) -> np.ndarray:
                for _ in range(steps):
                    heat = mass * factor.solve(heat)
                return heat

            self._solvers[sigma] = flow
        return self._solvers[sigma]


def _operators(positions: np.ndarray, triangles: np.ndarray) -> tuple[sparse.csr_array, np.ndarray]:
    """Return the cotangent stiffness matrix (N, N) and the area of each vertex (N,)."""
    corner = positions[triangles]
    area = np.linalg.norm(
        np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1
    )
    rows, columns, values = [], [], []
    for k in range(3):
        i, j = triangles[:, (k + 1) % 3], triangles[:, (k + 2) % 3]
        to_i, to_j = corner[:, (k + 1) % 3] - corner[:, k], corner[:, (k + 2) % 3] - corner[:, k]
        cotangent = ((to_i * to_j).sum(1) / area.clip(1e-12)).clip(0.02, 20) / 2
        rows += [i, j]
        columns += [j, i]
        values += [cotangent, cotangent]
    count = len(positions)
    index = (np.concatenate(rows), np.concatenate(columns))
    edges = sparse.coo_array((np.concatenate(values), index), (count, count)).tocsr()
    stiffness = sparse.diags_array(edges.sum(1)) - edges
    mass = np.full(count, 1e-12)  # vertices without a triangle keep the system solvable
    np.add.at(mass, triangles.ravel(), np.repeat(area / 6, 3))
    return stiffness.tocsr(), mass
