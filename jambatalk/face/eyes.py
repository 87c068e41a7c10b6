"""Eyes: blendshape weights from their rotation, and how far lids follow them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from jambatalk.face.face import Face

# Blendshape → eye (0 left, 1 right), axis (0 pitch down, 1 yaw to the head's own left), sign.
LOOKS = {
    "eyeLookDownLeft": (0, 0, 1),
    "eyeLookUpLeft": (0, 0, -1),
    "eyeLookOutLeft": (0, 1, 1),
    "eyeLookInLeft": (0, 1, -1),
    "eyeLookDownRight": (1, 0, 1),
    "eyeLookUpRight": (1, 0, -1),
    "eyeLookInRight": (1, 1, 1),
    "eyeLookOutRight": (1, 1, -1),
}

ASIDE = 0.8  # beside the middle of the lids, looking down closes them less
STILL = 0.3  # of the upper lid's movement in a blink: less is no part of it


@dataclass(frozen=True, eq=False)
class Eyes:
    """How the blendshapes of a face move its eyes and lids.

    Attributes:
        turn: eyeLook blendshape → radians by which it turns its eye at weight 1.
        lids: share of a blink by which eyeLookDown, at weight 1, already closes the lids.
    """

    turn: dict[str, float]
    lids: float

    @classmethod
    @lru_cache(maxsize=8)
    def of(cls, face: Face) -> Eyes | None:
        """Measure a face's mesh; return None if its eyes cannot turn."""
        eyes = face.regions.get("eyes", np.array([], int))
        if not set(LOOKS) <= set(face.blendshapes) or not len(eyes):
            return None
        x = face.template[eyes, 0]
        turn = {}
        for name, (eye, _, _) in LOOKS.items():
            ball = eyes[x > 0] if eye == 0 else eyes[x < 0]
            front = ball[face.template[ball, 2].argmax()]
            radius = face.template[front, 2] - face.template[ball, 2].mean()
            moved = face.deltas[face.blendshapes.index(name)]
            shift = moved[front] - moved[ball].mean(0)
            turn[name] = float(np.linalg.norm(shift[:2]) / radius)
        lids = 0.0
        if "eyeBlinkLeft" in face.blendshapes:
            closing = face.deltas[face.blendshapes.index("eyeBlinkLeft")]
            upper = closing[:, 1].argmin()  # the middle of the upper lid's edge moves furthest
            still = np.flatnonzero(np.abs(closing[:, 1]) < STILL * -closing[upper, 1])
            met = face.template[still] - (face.template[upper] + closing[upper])
            lower = still[np.linalg.norm(met, axis=1).argmin()]  # where the lids meet
            lowered = face.deltas[face.blendshapes.index("eyeLookDownLeft"), :, 1]
            share = (lowered[upper] - lowered[lower]) / closing[upper, 1]
            lids = float(np.clip(ASIDE * share, 0.0, 0.9))
        return cls(turn, lids)

    def look(self, direction: np.ndarray, pose: np.ndarray | None) -> dict[str, np.ndarray]:
        """Compute each eyeLook blendshape's weight over time, (T,) each.

        The eyes turn against the head, so that they stay on what they look at: the vestibulo-ocular
        reflex. They stay parallel: in real eyes that meet on a viewer a metre away, the pupils do
        too, because they lie a few degrees to the outer side of the line of sight.

        Args:
            direction: (T, 2) yaw and elevation, radians, relative to the shoulders.
            pose: (T, 3) of the head; None for a head that does not move.
        """
        rotation = np.stack([-direction[:, 1], direction[:, 0]], axis=1)
        if pose is not None:
            rotation -= pose[:, :2]
        return self.weights(np.stack([rotation, rotation], axis=1))

    def weights(self, rotation: np.ndarray) -> dict[str, np.ndarray]:
        """Convert pitch and yaw of both eyes, (T, 2, 2) radians, to eyeLook weights, (T,) each.

        The left eye comes first; signs are those of a pose, see :class:`jambatalk.face.neck.Neck`.
        """
        return {
            name: np.clip(sign * rotation[:, eye, axis] / self.turn[name], 0.0, 1.0)
            for name, (eye, axis, sign) in LOOKS.items()
        }
