"""Weights of ARKit's 52 blendshapes: CSV as Live Link Face writes it, JSON as Audio2Face does.

Both hold the weights to 6 decimals: a millionth of an blendshape moves no vertex by 0.1 µm. Actions
that ARKit lacks (the bundled heads' tongueUp) have no place in either and are left out.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jambatalk.errors import ExportError

if TYPE_CHECKING:
    from jambatalk.motion.motion import Motion

DECIMALS = 6
TIMECODE_RATE = 60  # frames a second of a timecode, whatever the motion's: importers assume it

# In the order of Apple's ARFaceAnchor.BlendShapeLocation, which is Audio2Face's too.
BLENDSHAPES = (
    *("eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft"),
    *("eyeSquintLeft", "eyeWideLeft"),
    *("eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight"),
    *("eyeSquintRight", "eyeWideRight"),
    *("jawForward", "jawLeft", "jawRight", "jawOpen"),
    *("mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight"),
    *("mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight"),
    *("mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight"),
    *("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    *("mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight"),
    *("mouthUpperUpLeft", "mouthUpperUpRight"),
    *("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    *("cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight"),
    "tongueOut",
)
# Live Link Face names right before left here, and nowhere else.
_TURNED = {"jawLeft": "jawRight", "mouthLeft": "mouthRight"}
_TURNED |= {right: left for left, right in _TURNED.items()}
LIVE_LINK_BLENDSHAPES = tuple(_TURNED.get(blendshape, blendshape) for blendshape in BLENDSHAPES)
ROTATIONS = tuple(  # radians; a motion has none
    part + axis for part in ("Head", "LeftEye", "RightEye") for axis in ("Yaw", "Pitch", "Roll")
)


def write_csv(motion: Motion, path: Path) -> None:
    """Writes a row a frame: Timecode, BlendShapeCount, the 52 weights, head and eye rotation (0).

    The timecode is hh:mm:ss:ff.fff with sixtieths of a second for frames, as the app's recordings
    have them and Unreal's Live Link Face Importer reads them: at 30 frames a second, every row
    counts two.

    Raises:
        ExportError: the motion is not one of weights of all of ARKit's blendshapes.
    """
    weights = _weights(motion, LIVE_LINK_BLENDSHAPES)
    names = [blendshape[0].upper() + blendshape[1:] for blendshape in LIVE_LINK_BLENDSHAPES]
    count, still = str(len(names) + len(ROTATIONS)), [f"{0:.{DECIMALS}f}"] * len(ROTATIONS)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["Timecode", "BlendShapeCount", *names, *ROTATIONS])
        for number, row in enumerate(weights):
            values = [f"{weight:.{DECIMALS}f}" for weight in row]
            rows.writerow([_timecode(number / motion.fps), count, *values, *still])


def write_json(motion: Motion, path: Path) -> None:
    """Writes {"exportFps", "trackPath", "numPoses", "numFrames", "facsNames", "weightMat"}:
    frames a second, nothing, 52, T, the names, and T rows of 52 weights.

    Raises:
        ExportError: the motion is not one of weights of all of ARKit's blendshapes.
    """
    weights = _weights(motion, BLENDSHAPES)
    track = {
        "exportFps": motion.fps,
        "trackPath": "",  # of the recording, which is nobody else's business
        "numPoses": len(BLENDSHAPES),
        "numFrames": len(weights),
        "facsNames": BLENDSHAPES,
        "weightMat": weights.tolist(),
    }
    path.write_text(json.dumps(track, separators=(",", ":")), encoding="utf-8")


def _weights(motion: Motion, order: tuple[str, ...]) -> np.ndarray:
    """(T, 52) float64, rounded, in this order."""
    blendshapes = motion.face.blendshapes
    if motion.offsets is not None or not set(order) <= set(blendshapes):
        raise ExportError(
            f"Head '{motion.face.name}' does not move by ARKit's 52 blendshapes, and .csv and .json "
            "hold nothing else.",
            "Export .glb, .npy or .zip instead.",
        )
    columns = [blendshapes.index(blendshape) for blendshape in order]
    # + 0.0 turns a rounded -0.0 into 0.0
    return motion.weights[:, columns].astype(np.float64).round(DECIMALS) + 0.0


def _timecode(seconds: float) -> str:
    """hh:mm:ss:ff.fff, exact to a thousandth of a timecode's frame."""
    thousandths = round(seconds * TIMECODE_RATE * 1000)
    whole, frames = divmod(thousandths, TIMECODE_RATE * 1000)
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}:{frames // 1000:02}.{frames % 1000:03}"
