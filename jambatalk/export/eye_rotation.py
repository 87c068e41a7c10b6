"""Rotation of the eyes, as a motion's eyeLook blendshapes turn them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jambatalk.face.eyes import Eyes

if TYPE_CHECKING:
    from jambatalk.motion.motion import Motion

# Suffix of eyeLook → eye (0 left, 1 right), axis (0 pitch down, 1 yaw to the own left), sign.
LOOKS = {
    "DownLeft": (0, 0, 1),
    "UpLeft": (0, 0, -1),
    "OutLeft": (0, 1, 1),
    "InLeft": (0, 1, -1),
    "DownRight": (1, 0, 1),
    "UpRight": (1, 0, -1),
    "InRight": (1, 1, 1),
    "OutRight": (1, 1, -1),
}


def eye_rotation(motion: Motion) -> np.ndarray:
    """Compute pitch and yaw of the left and the right eye in the head: (T, 2, 2) radians.

    Signs are those of a pose, see :class:`jambatalk.face.neck.Neck`. Zero for a face whose eyes
    cannot turn.
    """
    eyes, rotation = Eyes.of(motion.face), np.zeros((len(motion), 2, 2))
    if eyes is not None:
        for look, (eye, axis, sign) in LOOKS.items():
            name = f"eyeLook{look}"
            rotation[:, eye, axis] += sign * eyes.turn[name] * motion.blendshape(name)
    return rotation


def with_still_head(motion: Motion) -> Motion:
    """Drop the head's pose, and let the eyes look where they looked with it.

    The eyes of a motion turn against the head to stay on their target; on a still head they would
    leave it. Lids keep their closure, since looking down lowers them too.
    """
    eyes, rotation = Eyes.of(motion.face), eye_rotation(motion)
    if motion.pose is None or eyes is None or not rotation.any():
        return motion.changed(pose=None)
    rotation += motion.pose[:, None, :2]
    before, index = motion.weights, motion.face.blendshapes.index
    weights = before.copy()
    for look, (eye, axis, sign) in LOOKS.items():
        turned = sign * rotation[:, eye, axis] / eyes.turn[f"eyeLook{look}"]
        weights[:, index(f"eyeLook{look}")] = turned.clip(0, 1)
    for side in ("Left", "Right"):
        blink, down = index(f"eyeBlink{side}"), index(f"eyeLookDown{side}")
        weights[:, blink] *= (1 - eyes.lids * weights[:, down]) / (1 - eyes.lids * before[:, down])
    return motion.changed(weights=weights, pose=None)
