"""The lips: rings of vertices around the mouth, landmarks on them, and the closed rest pose."""

from __future__ import annotations

import numpy as np

from recipes.heads.edge_loops import Rings

# vertices in the middle of the upper lip, one per ring from the vermilion border to the inside
BORDER, CONTACT, BEHIND = 455, 474, 520
# ring → share by which it follows the contact line
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
# Facing columns of a ring, upper and lower lip, counted from the middle of the upper lip to the
# head's left; the mouth corner lies between them.
PAIRS = ((0, 19), (2, 18), (4, 17), (6, 16), (8, 15))
NEAR_CORNER = ((9, 14), (10, 13))  # closed too, but too near the corner for landmarks
CORNER = 12
COLUMNS = 38
# prefixes of the blendshapes during which closed lips stay closed
TOGETHER = (
    "cheekPuff", "mouthDimple", "mouthFrown", "mouthLeft", "mouthPress", "mouthPucker",
    "mouthRight", "mouthSmile", "mouthStretch", "noseSneer",
)  # fmt: skip


class Lips:
    """The rings around the mouth of the source mesh, (38,) vertices each."""

    def __init__(self, rings: Rings) -> None:
        self.rings = {start: rings.around(start) for start in FOLLOW}

    def landmarks(self) -> dict[str, np.ndarray]:
        """Return the source vertices of the lip landmarks, from the head's right to its left."""
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
        """Return 1 on the vermilion, 0.5 on its outer border, less inside the mouth: (N,)."""
        red = np.zeros(size)
        for start, ring in self.rings.items():
            red[ring] = {BORDER: 0.5, 537: 0.7, 554: 0.3}.get(start, 1.0)
        return red

    def seal(self, vertices: np.ndarray) -> np.ndarray:
        """Close the lips of vertices (N, 3): facing vertices meet halfway.

        This is linear in the vertices, so offsets can be sealed as well. The contact line and the
        ring behind it are closed exactly; the outer rings follow less and less, so that the lips
        keep their shape.
        """
        sealed = vertices.copy()
        for start, amount in FOLLOW.items():
            anchor = start if start in (CONTACT, BEHIND) else CONTACT
            sealed[self.rings[start]] += amount * self._closing(anchor, vertices)
        return sealed

    def keep_sealed(self, blendshapes: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Adapt blendshapes (N, 3) to lips that touch at rest, which MakeHuman's do not.

        Smiling, pressing and the like then neither part the lips nor make them intersect, and
        "mouthClose" closes exactly the lip aperture of the same weight of "jawOpen".
        """
        fitted = {
            name: self.seal(offsets) if name.startswith(TOGETHER) else offsets
            for name, offsets in blendshapes.items()
        }
        jaw = blendshapes["jawOpen"]
        fitted["mouthClose"] = self.seal(jaw + blendshapes["mouthClose"]) - jaw
        return fitted

    def _facing(self, start: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the facing vertices of the upper and the lower lip on a ring."""
        ring = self.rings[start]
        left_upper, left_lower = ring[[a for a, _ in PAIRS]], ring[[b for _, b in PAIRS]]
        right_upper = ring[[-a % COLUMNS for a, _ in PAIRS[:0:-1]]]
        right_lower = ring[[-b % COLUMNS for _, b in PAIRS[:0:-1]]]
        return np.append(right_upper, left_upper), np.append(right_lower, left_lower)

    def _closing(self, start: int, vertices: np.ndarray) -> np.ndarray:
        """Return the offset of each column of a ring that makes its pairs meet: (38, 3)."""
        ring = self.rings[start]
        columns: list[int] = []
        moves: list[np.ndarray] = []
        for upper, lower in PAIRS + NEAR_CORNER:
            for a, b in {(upper, lower), (-upper % COLUMNS, -lower % COLUMNS)}:
                half = (vertices[ring[b]] - vertices[ring[a]]) / 2
                columns += [a, b]
                moves += [half, -half]
        for corner in (CORNER, COLUMNS - CORNER):
            columns.append(corner)
            moves.append(np.zeros(3))
        order = np.argsort(columns)
        column, move = np.array(columns)[order], np.array(moves)[order]
        return np.stack(
            [np.interp(range(COLUMNS), column, m, period=COLUMNS) for m in move.T], axis=1
        )
