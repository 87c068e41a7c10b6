"""The lips of ICT-FaceKit: rings of vertices around the mouth, and the seal that closes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from recipes.heads.edge_flow import EdgeFlow

# Midline vertices of the upper lip: the upper edge of its red part, and the next one downwards,
# where the first ring lies. The edges lead on from there over the lip into the mouth.
MIDLINE = (0, 5525)
COLUMNS = 74  # vertices of a ring: 0 is the middle of the upper lip, then to the head's left
# Columns that face each other. The upper lip has two columns more between middle and corner.
UPPER = (0, 1, 2, 4, 5, 6, *range(8, 19))
LOWER = tuple(range(37, 20, -1))
CORNERS = (19, 20)  # these two columns are the corner of the mouth
LANDMARKS = (2, 4, 6, 9)  # pairs of UPPER and LOWER beside the middle that are landmarks
# Share by which each ring follows the closing of the contact ring, outside to inside.
FOLLOW = (0.05, 0.12, 0.22, 0.35, 0.5, 0.7, 0.88, 1, 1, 0.85, 0.65, 0.5, 0.35, 0.2, 0.1)
CONTACT, BEHIND = 7, 8  # rings that are closed exactly
RED = 9  # rings on the visible, red part of the lips; the others lie inside the mouth

# Expressions in which sealed lips stay sealed: beginning of the name → share of the closing by
# which the upper lip moves, and the axes along which the lips are held together.
EVERY, UPWARDS, ROLLED = (1.0, 1.0, 1.0), (0.0, 1.0, 0.0), (1.0, 1.0, 0.4)
TOGETHER = {
    "cheekPuff": (0.5, EVERY),
    "cheekSquint": (0.5, EVERY),
    "jawLeft": (0.0, UPWARDS),
    "jawRight": (0.0, UPWARDS),
    "mouthDimple": (0.5, EVERY),
    "mouthFrown": (0.5, EVERY),
    "mouthLeft": (0.5, EVERY),
    "mouthPress": (0.5, EVERY),
    "mouthPucker": (0.5, EVERY),
    "mouthRight": (0.5, EVERY),
    "mouthRollLower": (0.0, ROLLED),  # a lip rolls in behind the other
    "mouthRollUpper": (1.0, ROLLED),
    "mouthShrugLower": (0.5, EVERY),
    "mouthSmile": (0.5, EVERY),
    "mouthStretch": (0.5, EVERY),
    "noseSneer": (0.5, EVERY),
}


class Lips:
    """The rings around the mouth.

    Attributes:
        rings: (R, 74) vertices, from the edge of the red part into the mouth.
    """

    def __init__(self, positions: np.ndarray, faces: Iterable[Sequence[int]]) -> None:
        edges = EdgeFlow(faces)
        midline = edges.straight(*MIDLINE, len(FOLLOW) + 1)[1:]
        rings = []
        for vertex in midline:
            left = max(edges.around[vertex], key=lambda n: positions[n, 0])
            rings.append(edges.straight(vertex, left, COLUMNS))
        self.rings = np.array(rings)

    def landmarks(self) -> dict[str, np.ndarray]:
        """Return the vertices of the lip landmarks, from the head's right to its left."""
        found = {}
        for name, ring in (("inner", self.rings[CONTACT]), ("outer", self.rings[0])):
            for side, columns in (("upper", UPPER), ("lower", LOWER)):
                left = [columns[pair] for pair in LANDMARKS]
                right = [-column % COLUMNS for column in left[::-1]]
                found[f"{name}_lip_{side}"] = ring[[*right, columns[0], *left]]
        found["mouth_corners"] = self.rings[CONTACT][[-CORNERS[0], CORNERS[0]]]
        return found

    def seal(
        self,
        vertices: np.ndarray,
        upper: float = 0.5,
        axes: tuple[float, float, float] = EVERY,
    ) -> np.ndarray:
        """Close the lips of vertices (N, 3), so that facing vertices of the contact ring meet.

        This is linear in the vertices: displacements can be sealed as well. The other rings follow
        less and less, so that the lips keep their shape.

        Args:
            upper: share of the way that the upper lip goes; 0.5 for halfway.
            axes: share of the closing along x, y and z.
        """
        sealed = vertices.copy()
        contact = self._closing(CONTACT, vertices, upper) * axes
        behind = self._closing(BEHIND, vertices, upper) * axes
        for number, (ring, share) in enumerate(zip(self.rings, FOLLOW, strict=True)):
            sealed[ring] += share * (behind if number >= BEHIND else contact)
        return sealed

    def keep_sealed(self, expressions: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Adapt displacements (N, 3) to lips that touch at rest, which captured ones do not.

        Smiling, pressing and the like then neither part the lips nor push them through each other,
        and "mouthClose" closes exactly the lip aperture of the same weight of "jawOpen".
        """
        fitted = dict(expressions)
        for name in expressions:
            for beginning, (upper, axes) in TOGETHER.items():
                if name.startswith(beginning):
                    fitted[name] = self.seal(expressions[name], upper, axes)
        jaw = expressions["jawOpen"]
        fitted["mouthClose"] = self.seal(jaw + expressions["mouthClose"]) - jaw
        return fitted

    def _closing(self, number: int, vertices: np.ndarray, upper: float) -> np.ndarray:
        """Return the offset of each column of a ring that makes its pairs meet: (74, 3)."""
        ring = self.rings[number]
        moves = {}
        for above, below in zip(UPPER, LOWER, strict=True):
            for a, b in ((above, below), (-above % COLUMNS, -below % COLUMNS)):
                apart = vertices[ring[b]] - vertices[ring[a]]
                moves[a], moves[b] = upper * apart, (upper - 1) * apart
        for corner in CORNERS:
            moves[corner] = moves[-corner % COLUMNS] = np.zeros(3)
        columns = sorted(moves)
        known = np.array([moves[column] for column in columns])
        return np.stack(
            [np.interp(range(COLUMNS), columns, axis, period=COLUMNS) for axis in known.T], 1
        )
