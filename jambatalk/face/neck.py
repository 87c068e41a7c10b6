"""The neck: how a head turns on shoulders that stay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jambatalk.face.face import Face

# In heights of the head, from the chin to its top.
ENOUGH = 0.30  # of mesh below the chin, to be a neck
TURNS, STAYS = 0.05, 0.40  # below the chin: all above the first turns, all below the second stays
NAPE = 0.4  # metres a metre behind the joint by which the shoulders are higher there
DEPTH = 0.60  # from the tip of the nose back to the joint, on a mesh without a neck


@dataclass(frozen=True, eq=False)
class Neck:
    """Where a head turns, and how much of each vertex turns with it.

    A pose is pitch, yaw and roll in radians: right-handed rotations about x, y and z, so that the
    head nods down, turns to its own left, and leans to its own right; first rolled, then pitched,
    then turned.

    Attributes:
        pivot: (3,) metres.
        share: (V,) float32 from 0 (stays) to 1 (turns).
    """

    pivot: np.ndarray
    share: np.ndarray

    @classmethod
    def of(cls, face: Face) -> Neck:
        """Finds it below the chin; a mesh that is all head turns as a whole."""
        points = face.template
        low, high = points.min(0), points.max(0)
        chin = points[face.landmarks["chin"], 1].min() if "chin" in face.landmarks else low[1]
        height = high[1] - chin
        if chin - low[1] < ENOUGH * height:
            pivot = np.array([(low[0] + high[0]) / 2, chin, high[2] - DEPTH * height])
            return cls(pivot.astype(np.float32), np.ones(len(points), np.float32))
        top, bottom = chin - TURNS * height, chin - STAYS * height
        middle = (top + bottom) / 2
        skin = points[face.regions.get("skin", slice(None))]
        ring = skin[np.abs(skin[:, 1] - middle) < 0.05 * height]
        pivot = (ring.min(0) + ring.max(0)) / 2
        level = points[:, 1] + NAPE * np.minimum(points[:, 2] - pivot[2], 0.0)
        part = np.clip((level - bottom) / (top - bottom), 0.0, 1.0)
        share = part * part * (3.0 - 2.0 * part)
        return cls(np.array([pivot[0], middle, pivot[2]], np.float32), share.astype(np.float32))

    def turn(self, vertices: np.ndarray, pose: np.ndarray) -> np.ndarray:
        """Vertices (..., V, 3) in metres with the head at `pose` (..., 3)."""
        arms = vertices - self.pivot
        turned = arms @ np.swapaxes(rotation(pose) - np.eye(3, dtype=np.float32), -1, -2)
        turned *= self.share[:, None]
        return turned + vertices


def rotation(pose: np.ndarray) -> np.ndarray:
    """Matrices (..., 3, 3) of pitch, yaw and roll (..., 3) in radians."""
    (cx, cy, cz), (sx, sy, sz) = (np.moveaxis(f(pose), -1, 0) for f in (np.cos, np.sin))
    rows = [
        [cy * cz + sy * sx * sz, sy * sx * cz - cy * sz, sy * cx],
        [cx * sz, cx * cz, -sx],
        [cy * sx * sz - sy * cz, sy * sz + cy * sx * cz, cy * cx],
    ]
    return np.stack([np.stack(row, -1) for row in rows], -2).astype(np.float32)
