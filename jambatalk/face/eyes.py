"""Eyes: how far a face's blendshapes turn them, and lower their lids."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from jambatalk.face.face import Face


@dataclass(frozen=True, eq=False)
class Eyes:
    """What the blendshapes of a face do to its eyes and lids.

    Attributes:
        turn: name of each eyeLook blendshape → radians by which it turns its eye at weight 1.
        lids: part of a closing lid's way that looking down, at weight 1, has lowered it already.
    """

    turn: dict[str, float]
    lids: float

    @classmethod
    @lru_cache(maxsize=8)
    def of(cls, face: Face) -> Eyes | None:
        """Measure them on the mesh; None for a face whose eyes cannot turn."""
        names = [name for name in face.blendshapes if name.startswith("eyeLook")]
        if len(names) != 8 or not len(face.regions.get("eyes", ())):
            return None
        eyes = face.regions["eyes"]
        x = face.template[eyes, 0]
        turn = {}
        for side, ball in (("Left", eyes[x > 0]), ("Right", eyes[x < 0])):
            front = ball[face.template[ball, 2].argmax()]
            radius = face.template[front, 2] - face.template[ball, 2].mean()
            for name in names:
                if name.endswith(side):
                    moved = face.deltas[face.blendshapes.index(name)]
                    shift = moved[front] - moved[ball].mean(0)
                    turn[name] = float(np.linalg.norm(shift[:2]) / radius)
        lids = 0.0
        if "eyeBlinkLeft" in face.blendshapes:
            closing = face.deltas[face.blendshapes.index("eyeBlinkLeft"), :, 1]
            edge = closing.argmin()  # the middle of the upper lid's edge moves furthest
            lowered = face.deltas[face.blendshapes.index("eyeLookDownLeft"), edge, 1]
            lids = float(np.clip(lowered / closing[edge], 0.0, 0.9))
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
        yaw, up = direction.T
        if pose is not None:
            yaw, up = yaw - pose[:, 1], up + pose[:, 0]  # a nod lowers the face
        weights = {}
        for side, out in (("Left", yaw), ("Right", -yaw)):
            for name, angle in (("Out", out), ("In", -out), ("Up", up), ("Down", -up)):
                blendshape = f"eyeLook{name}{side}"
                weights[blendshape] = np.clip(angle / self.turn[blendshape], 0.0, 1.0)
        return weights
