"""Motion as a browser plays it: a message in JSON, and the two clips that every page shows."""

from __future__ import annotations

import base64
import gzip
import json
from functools import lru_cache
from typing import Any

import numpy as np

from jambatalk.files.bundled import VOICES
from jambatalk.motion.motion import Motion
from jambatalk.motion.nonverbal import Nonverbal, blend, nonverbal_values
from jambatalk.speech import SAMPLE_RATE, Speech
from jambatalk.talking_head import TalkingHead

STEP = 1e-4  # of weights and radians
IDLE_SECONDS = 24
INTRO = VOICES / "pico_en.wav"
INTRO_TEXT = (
    "“Mister Quilter is the apostle of the middle classes, and we are glad to welcome his gospel.”"
)


def pack_motion(motion: Motion, length: int | None = None) -> dict[str, Any]:
    """Return a motion of blendshapes as values that JSON holds.

    Args:
        length: of the whole motion, in frames, if this is its beginning.

    `frames` are int16 in units of `step`, little-endian and in base64: for each frame the weights
    of the K `blendshapes`, then pitch, yaw and roll of the head in radians.
    """
    pose = np.zeros((len(motion), 3)) if motion.pose is None else motion.pose
    values = np.clip(np.rint(np.hstack([motion.weights, pose]) / STEP), -(2**15), 2**15 - 1)
    return {
        "blendshapes": motion.face.blendshapes,
        "fps": motion.fps,
        "step": STEP,
        "length": length or len(motion),
        "frames": base64.b64encode(values.astype("<i2").tobytes()).decode(),
    }


@lru_cache(4)
def idle_clip(talking_head: TalkingHead) -> bytes:
    """Return the message, compressed, of a head that says nothing: it blinks and looks about."""
    face, frames = talking_head.heads.load(1), round(IDLE_SECONDS * talking_head.fps)
    silence = Speech(np.zeros(IDLE_SECONDS * SAMPLE_RATE, np.float32))
    still = Motion(np.zeros((frames, len(face.blendshapes)), np.float32), talking_head.fps, face)
    values = nonverbal_values(silence, still.fps, frames)
    return _compress(pack_motion(blend(still, values, Nonverbal())))


@lru_cache(4)
def intro_clip(talking_head: TalkingHead) -> bytes:
    """Return the message, compressed, of the example that a page says, with its `caption`."""
    motion = pack_motion(talking_head.animate(INTRO))
    return _compress(motion | {"caption": INTRO_TEXT})


def _compress(message: dict[str, Any]) -> bytes:
    return gzip.compress(json.dumps(message).encode(), mtime=0)
