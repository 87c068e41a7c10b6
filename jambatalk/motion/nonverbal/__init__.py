"""Nonverbal motion: blinks, brows, cheeks, gaze and head motion, from prosody and a seed."""

from jambatalk.motion.nonverbal.blending import blend
from jambatalk.motion.nonverbal.nonverbal_parts import PARTS, STILL, Nonverbal
from jambatalk.motion.nonverbal.nonverbal_stream import (
    NonverbalStream,
    check_seed,
    nonverbal_values,
)

__all__ = [
    "PARTS",
    "STILL",
    "Nonverbal",
    "NonverbalStream",
    "blend",
    "check_seed",
    "nonverbal_values",
]
