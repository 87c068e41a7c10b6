"""Weights of ARKit's 52 blendshapes: CSV as Live Link Face writes it, JSON as Audio2Face does."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jambatalk.errors import ExportError
from jambatalk.face.eyes import LOOKS, Eyes

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
# Live Link Face names right before left here, and nowhere else.
_SWAPPED = {"jawLeft": "jawRight", "mouthLeft": "mouthRight"}
_SWAPPED |= {right: left for left, right in _SWAPPED.items()}
LIVE_LINK_BLENDSHAPES = tuple(_SWAPPED.get(blendshape, blendshape) for blendshape in BLENDSHAPES)
ROTATIONS = tuple(
    part + axis for part in ("Head", "LeftEye", "RightEye") for axis in ("Yaw", "Pitch", "Roll")
)
TIMECODE_RATE = 60  # frames per second of a timecode, whatever the motion's: importers assume it


def write_csv(motion: Motion, path: Path) -> None:
    """Write one row per frame: Timecode, BlendShapeCount, 52 weights, 9 angles in radians.

    The timecode is hh:mm:ss:ff.fff, where ff counts sixtieths of a second, as in the app's
    recordings and as Unreal's Live Link Face Importer reads it: at 30 frames per second, each row
    counts two.

    Raises:
        ExportError: see :func:`arkit_weights`.
    """
    weights = arkit_weights(motion, LIVE_LINK_BLENDSHAPES)
    values = np.hstack([weights, _rounded(live_link_rotation(motion))])
    names = [blendshape[0].upper() + blendshape[1:] for blendshape in LIVE_LINK_BLENDSHAPES]
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["Timecode", "BlendShapeCount", *names, *ROTATIONS])
        for number, row in enumerate(values):
            cells = [f"{value:.{DECIMALS}f}" for value in row]
            rows.writerow([_timecode(number / motion.fps), str(len(cells)), *cells])


def write_json(motion: Motion, path: Path) -> None:
    """Write {"exportFps", "trackPath", "numPoses", "numFrames", "facsNames", "weightMat"}.

    That is frames per second, an empty text, 52, T, the names, and T rows of 52 weights. There is
    no room for the head's rotation, so the eyes do not compensate for it either.

    Raises:
        ExportError: see :func:`arkit_weights`.
    """
    weights = arkit_weights(motion)
    if motion.pose is not None:
        weights = arkit_weights(_with_still_head(motion))
    track = {
        "exportFps": motion.fps,
        "trackPath": "",  # Audio2Face names the recording here, with its folder: private
        "numPoses": len(BLENDSHAPES),
        "numFrames": len(weights),
        "facsNames": BLENDSHAPES,
        "weightMat": weights.tolist(),
    }
    path.write_text(json.dumps(track, separators=(",", ":")), encoding="utf-8")


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
    return _rounded(motion.weights[:, columns])


def _rounded(values: np.ndarray) -> np.ndarray:
    rounded: np.ndarray = values.astype(np.float64).round(DECIMALS) + 0.0  # -0.0 becomes 0.0
    return rounded


def live_link_rotation(motion: Motion) -> np.ndarray:
    """Compute the angles named `ROTATIONS`, (T, 9) radians.

    In the app's recordings, yaw is positive to the head's own right, pitch downwards, and roll
    towards the own left shoulder, because Unreal's axes are left-handed and an ARKit face looks
    along -x of Unreal; roll is applied first, then pitch, then yaw. The eyes' angles are relative
    to the head; ARKit turns an eye before it lifts it, which appears as a small roll.
    """
    head = np.zeros((len(motion), 3)) if motion.pose is None else motion.pose.astype(np.float64)
    columns = [-head[:, 1], head[:, 0], -head[:, 2]]
    for pitch, yaw in np.moveaxis(eye_rotation(motion), (1, 2), (0, 1)):
        columns += [-yaw, pitch, -np.arctan(np.tan(pitch) * np.sin(yaw))]
    return np.stack(columns, axis=1)


def eye_rotation(motion: Motion) -> np.ndarray:
    """Compute pitch and yaw of both eyes in the head, (T, 2, 2) radians, see :meth:`Eyes.weights`.

    Zero for a face whose eyes cannot turn.
    """
    eyes, rotation = Eyes.of(motion.face), np.zeros((len(motion), 2, 2))
    if eyes is not None:
        for name, (eye, axis, sign) in LOOKS.items():
            rotation[:, eye, axis] += sign * eyes.turn[name] * motion.blendshape(name)
    return rotation


def _with_still_head(motion: Motion) -> Motion:
    """Drop the head's pose, and turn the eyes to where they looked with it.

    Lids keep their closure, since looking down lowers them too.
    """
    eyes, rotation = Eyes.of(motion.face), eye_rotation(motion)
    if motion.pose is None or eyes is None or not rotation.any():
        return motion.changed(pose=None)
    before, index = motion.weights, motion.face.blendshapes.index
    weights = before.copy()
    for name, weight in eyes.weights(rotation + motion.pose[:, None, :2]).items():
        weights[:, index(name)] = weight
    for side in ("Left", "Right"):
        blink, down = index(f"eyeBlink{side}"), index(f"eyeLookDown{side}")
        weights[:, blink] *= (1 - eyes.lids * weights[:, down]) / (1 - eyes.lids * before[:, down])
    return motion.changed(weights=weights, pose=None)


def _timecode(seconds: float) -> str:
    """Format as hh:mm:ss:ff.fff, exact to a thousandth of a timecode's frame."""
    thousandths = round(seconds * TIMECODE_RATE * 1000)
    whole, frames = divmod(thousandths, TIMECODE_RATE * 1000)
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}:{frames // 1000:02}.{frames % 1000:03}"
