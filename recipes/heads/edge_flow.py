"""Rows of vertices on a mesh of quads: edges followed straight on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence


class EdgeFlow:
    """The edges of quads, followed straight through vertices of four edges.

    Attributes:
        around: vertex → vertices at the other ends of its edges.
    """

    def __init__(self, faces: Iterable[Sequence[int]]) -> None:
        self.around: defaultdict[int, set[int]] = defaultdict(set)
        self._faces: defaultdict[frozenset[int], set[int]] = defaultdict(set)
        for number, face in enumerate(faces):
            for a, b in zip(face, [*face[1:], face[0]], strict=True):
                self.around[a].add(b)
                self.around[b].add(a)
                self._faces[frozenset((a, b))].add(number)

    def straight(self, first: int, second: int, count: int) -> list[int]:
        """Return vertices from the first over the second straight on.

        There are `count` of them, fewer if a vertex of more or less than four edges is reached.
        """
        path = [first, second]
        while len(path) < count:
            here = self._faces[frozenset(path[-2:])]
            ahead = [
                vertex
                for vertex in self.around[path[-1]]
                if not self._faces[frozenset((path[-1], vertex))] & here
            ]
            if len(ahead) != 1:
                break
            path += ahead
        return path
