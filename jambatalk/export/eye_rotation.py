"""Rotation of the eyes, as a motion's eyeLook blendshapes turn them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from jambatalk.face.eyes import Eyes

if TYPE_CHECKING:
    from jambatalk.motion.motion import Motion

SIDES = {"Left": ("Out", "In"), "Right": ("In", "Out")}  # eyeLook to the head's own left, and right


def eye_rotation(motion: Motion) -> np.ndarray:
    """Compute pitch and yaw of the left and the right eye in the head: (T, 2, 2) radians.

    Positive pitch looks down, positive yaw to the head's own left, as a pose of
    :class:`jambatalk.face.neck.Neck`; zero for a face whose eyes cannot turn.
    """
    eyes, rotation = Eyes.of(motion.face), np.zeros((len(motion), 2, 2))
    if eyes is None:
        return rotation
    for number, (side, (left, right)) in enumerate(SIDES.items()):
        for axis, (plus, minus) in enumerate([("Down", "Up"), (left, right)]):
            for name, sign in ((f"eyeLook{plus}{side}", 1), (f"eyeLook{minus}{side}", -1)):
                rotation[:, number, axis] += sign * eyes.turn[name] * motion.blendshape(name)
    return rotation


def with_still_head(motion: Motion) -> Motion:
    """Drop the head's pose, and let the eyes look where they looked with it.

    The eyes of a motion turn against the head to stay on their target; on a still head they would
    leave it. Lids keep their closure, since looking down lowers them too.
    """
    eyes = Eyes.of(motion.face)
    rotation = eye_rotation(motion)
    if motion.pose is None or eyes is None or not rotation.any():
        return replace(motion, pose=None)
    rotation += motion.pose[:, None, :2]
    weights, column = motion.weights.copy(), motion.face.blendshapes.index
    for number, (side, (left, right)) in enumerate(SIDES.items()):
        down, blink = column(f"eyeLookDown{side}"), column(f"eyeBlink{side}")
        closed = weights[:, blink] / (1 - eyes.lids * weights[:, down])
        for axis, (plus, minus) in enumerate([("Down", "Up"), (left, right)]):
            for name, sign in ((f"eyeLook{plus}{side}", 1), (f"eyeLook{minus}{side}", -1)):
                turned = sign * rotation[:, number, axis] / eyes.turn[name]
                weights[:, column(name)] = turned.clip(0, 1)
        weights[:, blink] = closed * (1 - eyes.lids * weights[:, down])
    return replace(motion, weights=weights, pose=None)
