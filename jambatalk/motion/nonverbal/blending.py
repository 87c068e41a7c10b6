"""Mood and nonverbal motion applied to the blendshapes and the pose of a face."""

from __future__ import annotations

import numpy as np

from jambatalk.face.eyes import Eyes
from jambatalk.motion.mood.expression import express
from jambatalk.motion.mood.postures import LIDS as HEAVY_LIDS
from jambatalk.motion.mood.postures import ROWS
from jambatalk.motion.motion import Motion
from jambatalk.motion.nonverbal.nonverbal_parts import Nonverbal
from jambatalk.motion.nonverbal.upper_face import BLENDSHAPES, BROWS, CHEEKS

GAZE, UPPER_FACE, LIDS, POSE = slice(0, 2), slice(2, 11), 11, slice(12, 15)
COLUMNS = 15 + len(ROWS)
MOOD = slice(15, COLUMNS)


def blend(motion: Motion, values: np.ndarray, nonverbal: Nonverbal) -> Motion:
    """Add mood and nonverbal motion to a motion of the mouth.

    Lids and gaze replace those of `motion`, brows, lower lids and cheeks are added to its own, and
    every other blendshape stays as the mood makes it. A face that lacks the blendshapes moves its
    head only. Each part is the same with or without the others, but the eyes turn against the head
    only if it moves.

    Args:
        values: (T, COLUMNS): `GAZE`, yaw and elevation in radians; weights of the
            `UPPER_FACE`'s `BLENDSHAPES`; closure of the `LIDS`; `POSE` in radians;
            and shares of the `MOOD`'s postures.
        nonverbal: the parts to add.
    """
    motion = express(motion, values[:, MOOD])
    eyes, weights = Eyes.of(motion.face), _Weights(motion)
    if nonverbal.gaze and eyes:
        pose = values[:, POSE] if nonverbal.head_motion else None
        for blendshape, weight in eyes.look(values[:, GAZE], pose).items():
            weights[blendshape] = weight
    moved = (*(BROWS if nonverbal.brows else ()), *(CHEEKS if nonverbal.cheeks else ()))
    for blendshape, weight in zip(BLENDSHAPES, values[:, UPPER_FACE].T, strict=True):
        if blendshape in moved:
            weights[blendshape] = weights[blendshape] + weight
    if nonverbal.blinks:
        closure = values[:, LIDS]
        for side in ("Left", "Right"):
            lowered = weights["eyeLookDown" + side] * (eyes.lids if eyes else 0.0)
            closed = closure + (1.0 - closure) * np.minimum(values[:, MOOD] @ HEAVY_LIDS, 1.0)
            weights["eyeBlink" + side] = closed * (1.0 - lowered)  # lids follow the eyes down
            for blendshape in ("eyeWide", "eyeSquint"):  # or closed lids would not meet
                weights[blendshape + side] = weights[blendshape + side] * (1.0 - closure)
    pose = values[:, POSE].astype(np.float32) if nonverbal.head_motion else None
    return motion.changed(weights=weights.array, pose=pose)


class _Weights:
    """A copy of a motion's weights by blendshape; those that the face lacks stay 0."""

    def __init__(self, motion: Motion) -> None:
        self.array = motion.weights.copy()
        self._columns = {name: k for k, name in enumerate(motion.face.blendshapes)}

    def __getitem__(self, blendshape: str) -> np.ndarray:
        column = self._columns.get(blendshape)
        return np.zeros(len(self.array)) if column is None else self.array[:, column]

    def __setitem__(self, blendshape: str, weight: np.ndarray) -> None:
        if blendshape in self._columns:
            self.array[:, self._columns[blendshape]] = np.clip(weight, 0.0, 1.0)
