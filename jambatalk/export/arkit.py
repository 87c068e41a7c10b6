"""ARKit's 52 blendshapes, and a motion's weights of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jambatalk.errors import ExportError

if TYPE_CHECKING:
    from jambatalk.motion.motion import Motion

DECIMALS = 6  # of weights in text files: a millionth of a blendshape moves no vertex by 0.1 µm

# In the order of Apple's ARFaceAnchor.BlendShapeLocation, which is Audio2Face's too.
# fmt: off
BLENDSHAPES = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft",
    "eyeSquintLeft", "eyeWideLeft",
    "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight",
    "eyeSquintRight", "eyeWideRight",
    "jawForward", "jawLeft", "jawRight", "jawOpen",
    "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight",
    "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight",
    "mouthUpperUpLeft", "mouthUpperUpRight",
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight",
    "tongueOut",
)
# fmt: on


def arkit_weights(motion: Motion, order: tuple[str, ...] = BLENDSHAPES) -> np.ndarray:
    """Return the weights of these blendshapes, (T, 52) float64, rounded to `DECIMALS`.

    Blendshapes that ARKit lacks (the bundled heads' tongueUp) are left out.

    Raises:
        ExportError: the motion moves vertices, or its face lacks one of ARKit's blendshapes.
    """
    blendshapes = motion.face.blendshapes
    if motion.offsets is not None or not set(order) <= set(blendshapes):
        raise ExportError(
            f"Head '{motion.face.name}' does not move by ARKit's 52 blendshapes, all that .csv "
            "and .json hold.",
            "Export .glb, .npy or .zip instead.",
        )
    columns = [blendshapes.index(blendshape) for blendshape in order]
    # + 0.0 turns a rounded -0.0 into 0.0
    weights: np.ndarray = motion.weights[:, columns].astype(np.float64).round(DECIMALS) + 0.0
    return weights
