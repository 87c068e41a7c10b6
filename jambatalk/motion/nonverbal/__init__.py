"""Nonverbal motion: blinks, brows, gaze and head motion, from prosody and a seed."""

from __future__ import annotations

import numpy as np

from jambatalk.motion.motion import Motion
from jambatalk.motion.nonverbal.blending import blend
from jambatalk.motion.nonverbal.nonverbal_parts import PARTS, STILL, Nonverbal
from jambatalk.motion.nonverbal.nonverbal_stream import NonverbalStream, check_seed
from jambatalk.speech import Speech

__all__ = [
    "PARTS",
    "STILL",
    "Nonverbal",
    "NonverbalStream",
    "add_nonverbal",
    "blend",
    "check_seed",
    "nonverbal_values",
]


def add_nonverbal(
    motion: Motion, speech: Speech, seed: int = 0, nonverbal: Nonverbal | None = None
) -> Motion:
    """Add nonverbal motion to a motion of the mouth.

    Lids and gaze replace those of `motion`, raised brows are added to its brows, and every other
    blendshape stays as it is. A face that lacks the blendshapes moves its head only. The same
    speech, seed and length give the same nonverbal motion, whatever the mouth does, and each part
    the same with or without the others; but the eyes turn against the head only if it moves.

    Args:
        speech: whose stresses and pauses time everything.
        seed: another one gives another motion of the same kind.
        nonverbal: the parts to add; all by default.

    Raises:
        MotionError: the seed is no whole number from 0 on.
    """
    check_seed(seed)
    nonverbal = nonverbal or Nonverbal()
    if nonverbal == STILL or not len(motion):
        return motion
    values = nonverbal_values(speech, motion.fps, len(motion), seed)
    return blend(motion, values, nonverbal)


def nonverbal_values(speech: Speech, fps: float, frames: int, seed: int = 0) -> np.ndarray:
    """Compute the nonverbal motion of a whole recording, (frames, COLUMNS), for :func:`blend`."""
    stream = NonverbalStream(fps, seed)
    return np.concatenate([stream.feed(speech.samples), stream.finish(frames)])[:frames]
