"""The neck: rotation of the head on shoulders that stay still."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jambatalk.face.face import Face

if TYPE_CHECKING:
    from scipy.spatial.transform import Rotation

# In units of the head's height, from chin to crown.
MIN_NECK = 0.30  # length of mesh below the chin that counts as a neck
TOP, BOTTOM = 0.05, 0.40  # below the chin: all above TOP turns, all below BOTTOM stays
NAPE = 0.4  # slope by which the shoulders rise behind the joint
DEPTH = 0.60  # from the tip of the nose back to the joint, on a mesh without a neck


@dataclass(frozen=True, eq=False)
class Neck:
    """The pivot of a head, and the share of its rotation that each vertex follows.

    A pose is pitch, yaw and roll in radians, right-handed rotations about x, y and z: positive
    pitch nods down, positive yaw turns to the head's own left, positive roll leans to its own
    right. The rotation is R = Ry(yaw) Rx(pitch) Rz(roll).

    Attributes:
        pivot: (3,) metres.
        share: (V,) float32 from 0 (stays) to 1 (follows the head).
    """

    pivot: np.ndarray
    share: np.ndarray

    @classmethod
    def of(cls, face: Face) -> Neck:
        """Find the neck below the chin; a mesh without one turns as a whole."""
        points = face.template
        low, high = points.min(0), points.max(0)
        chin = points[face.landmarks["chin"], 1].min() if "chin" in face.landmarks else low[1]
        height = high[1] - chin
        if chin - low[1] < MIN_NECK * height:
            pivot = np.array([(low[0] + high[0]) / 2, chin, high[2] - DEPTH * height])
            return cls(pivot.astype(np.float32), np.ones(len(points), np.float32))
        top, bottom = chin - TOP * height, chin - BOTTOM * height
        middle = (top + bottom) / 2
        skin = points[face.regions.get("skin", slice(None))]
        ring = skin[np.abs(skin[:, 1] - middle) < 0.05 * height]
        pivot = (ring.min(0) + ring.max(0)) / 2
        level = points[:, 1] + NAPE * np.minimum(points[:, 2] - pivot[2], 0.0)
        part = np.clip((level - bottom) / (top - bottom), 0.0, 1.0)
        share = part * part * (3.0 - 2.0 * part)  # smoothstep
        return cls(np.array([pivot[0], middle, pivot[2]], np.float32), share.astype(np.float32))

    def turn(self, vertices: np.ndarray, pose: np.ndarray) -> np.ndarray:
        """Turn the head of vertices, (T, V, 3) or (V, 3) in metres, to `pose`, (T, 3) or (3,).

        Linear blend skinning with a still and a turning joint: v + share · (R - I) (v - pivot).
        """
        change = (head_rotation(pose).as_matrix() - np.eye(3)).astype(np.float32)
        turned = (vertices - self.pivot) @ np.swapaxes(change, -1, -2)
        turned *= self.share[:, None]
        return turned + vertices


def head_rotation(pose: np.ndarray) -> Rotation:
    """Convert pitch, yaw and roll, (T, 3) or (3,) in radians, to rotations."""
    from scipy.spatial.transform import Rotation  # takes a moment to import

    return Rotation.from_euler("YXZ", np.asarray(pose)[..., [1, 0, 2]])
