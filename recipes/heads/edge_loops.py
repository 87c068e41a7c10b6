"""Edge loops of MakeHuman's base mesh: around the mouth and around the eyes."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from recipes.heads.makehuman import MakeHuman


class Rings:
    """Follows edges of the body's quads straight through vertices of four edges."""

    def __init__(self, source: MakeHuman) -> None:
        self._x = source.vertices[:, 0]
        self._vertices = source.vertices
        self._around: defaultdict[int, set[int]] = defaultdict(set)
        self._faces: defaultdict[frozenset[int], set[int]] = defaultdict(set)
        for number, quad in enumerate(source.quads["body"].tolist()):
            for a, b in zip(quad, quad[1:] + quad[:1], strict=True):
                self._around[a].add(b)
                self._around[b].add(a)
                self._faces[frozenset((a, b))].add(number)

    def around(self, start: int) -> np.ndarray:
        """Follow the loop through a vertex on an upper lip or lid, to the head's left first."""
        x = self._x
        path = [start, next(n for n in self._around[start] if x[n] > x[start] + 5e-4)]
        while path[-1] != start:
            here = self._faces[frozenset(path[-2:])]
            path.append(
                next(
                    n
                    for n in self._around[path[-1]]
                    if not self._faces[frozenset((path[-1], n))] & here
                )
            )
        return np.array(path[:-1])

    def mirror(self, vertex: int) -> int:
        """Return the vertex at the mirrored position."""
        mirrored = self._vertices[vertex] * [-1, 1, 1]
        return int(np.argmin(np.linalg.norm(self._vertices - mirrored, axis=1)))
