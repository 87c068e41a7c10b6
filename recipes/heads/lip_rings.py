"""The lips: the rings of vertices around the mouth, landmarks on them, and a closed rest pose."""

from __future__ import annotations

import numpy as np

from recipes.heads.edge_loops import Rings

# The middle of the upper lip on each ring of the mesh, from the vermilion border to inside.
BORDER, CONTACT, BEHIND = 455, 474, 520
# How far a ring follows when the contact line is moved.
FOLLOW = {
    455: 0.1,
    466: 0.2,
    467: 0.4,
    509: 0.65,
    468: 0.85,
    474: 1.0,
    520: 1.0,
    537: 0.7,
    554: 0.3,
}
# Columns of a ring, counted from the middle of the upper lip towards the head's left: those of the
# upper lip, and of the lower lip, that face each other; the mouth corner lies between.
PAIRS = ((0, 19), (2, 18), (4, 17), (6, 16), (8, 15))
NEAR_CORNER = ((9, 14), (10, 13))  # closed as well, but too close to the corner for landmarks
CORNER = 12
COLUMNS = 38
# Actions, or the beginnings of their names, during which closed lips stay closed.
TOGETHER = (
    "cheekPuff", "mouthDimple", "mouthFrown", "mouthLeft", "mouthPress", "mouthPucker",
    "mouthRight", "mouthSmile", "mouthStretch", "noseSneer",
)  # fmt: skip


class Lips:
    """The rings around the mouth of the source mesh, each (38,) vertices."""

    def __init__(self, rings: Rings) -> None:
        self.rings = {start: rings.around(start) for start in FOLLOW}

    def landmarks(self) -> dict[str, np.ndarray]:
        """Source vertices of the lips' landmarks, from the head's right to its left."""
        inner_upper, inner_lower = self._facing(CONTACT)
        outer_upper, outer_lower = self._facing(BORDER)
        contact = self.rings[CONTACT]
        return {
            "inner_lip_upper": inner_upper,
            "inner_lip_lower": inner_lower,
            "outer_lip_upper": outer_upper,
            "outer_lip_lower": outer_lower,
            "mouth_corners": contact[[COLUMNS - CORNER, CORNER]],
        }

    def field(self, size: int) -> np.ndarray:
        """(N,) 1 on the red of the lips, a half on its outer border, less inside the mouth."""
        red = np.zeros(size)
        for start, ring in self.rings.items():
            red[ring] = {BORDER: 0.5, 537: 0.7, 554: 0.3}.get(start, 1.0)
        return red

    def seal(self, vertices: np.ndarray) -> np.ndarray:
        """The same person (N, 3) with closed lips: facing vertices meet halfway.

        Linear in the vertices, so that offsets can be sealed as well.

        The contact line and the ring behind it are closed exactly; the rings around follow by
        less and less, so that the lips keep their shape.
        """
        sealed = vertices.copy()
        for start, amount in FOLLOW.items():
            anchor = start if start in (CONTACT, BEHIND) else CONTACT
            sealed[self.rings[start]] += amount * self._closing(anchor, vertices)
        return sealed

    def stay_together(self, blendshapes: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The blendshapes (N, 3) made for lips that touch at rest, as MakeHuman's do not.

        Smiling, pressing and the like neither part the lips nor push them into each other, and
        "mouthClose" undoes exactly the gap of as much "jawOpen".
        """
        fitted = {
            name: self.seal(offsets) if name.startswith(TOGETHER) else offsets
            for name, offsets in blendshapes.items()
        }
        jaw = blendshapes["jawOpen"]
        fitted["mouthClose"] = self.seal(jaw + blendshapes["mouthClose"]) - jaw
        return fitted

    def _facing(self, start: int) -> tuple[np.ndarray, np.ndarray]:
        ring = self.rings[start]
        left_upper, left_lower = ring[[a for a, _ in PAIRS]], ring[[b for _, b in PAIRS]]
        right_upper = ring[[-a % COLUMNS for a, _ in PAIRS[:0:-1]]]
        right_lower = ring[[-b % COLUMNS for _, b in PAIRS[:0:-1]]]
        return np.append(right_upper, left_upper), np.append(right_lower, left_lower)

    def _closing(self, start: int, vertices: np.ndarray) -> np.ndarray:
        """(38, 3): what each column of a ring must move for its pairs to meet."""
        ring = self.rings[start]
        column, move = [], []
        for upper, lower in PAIRS + NEAR_CORNER:
            for a, b in {(upper, lower), (-upper % COLUMNS, -lower % COLUMNS)}:
                half = (vertices[ring[b]] - vertices[ring[a]]) / 2
                column += [a, b]
                move += [half, -half]
        for corner in (CORNER, COLUMNS - CORNER):
            column.append(corner)
            move.append(np.zeros(3))
        order = np.argsort(column)
        column, move = np.array(column)[order], np.array(move)[order]
        return np.stack(
            [np.interp(range(COLUMNS), column, m, period=COLUMNS) for m in move.T], axis=1
        )
