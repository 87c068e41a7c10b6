"""CSV files as the Live Link Face app writes them: ARKit's weights, head and eye rotation."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jambatalk.export.arkit import BLENDSHAPES, DECIMALS, arkit_weights
from jambatalk.export.eye_rotation import eye_rotation

if TYPE_CHECKING:
    from jambatalk.motion.motion import Motion

TIMECODE_RATE = 60  # frames per second of a timecode, whatever the motion's: importers assume it
# The app names right before left here, and nowhere else.
_SWAPPED = {"jawLeft": "jawRight", "mouthLeft": "mouthRight"}
_SWAPPED |= {right: left for left, right in _SWAPPED.items()}
LIVE_LINK_BLENDSHAPES = tuple(_SWAPPED.get(blendshape, blendshape) for blendshape in BLENDSHAPES)
ROTATIONS = tuple(
    part + axis for part in ("Head", "LeftEye", "RightEye") for axis in ("Yaw", "Pitch", "Roll")
)


def write_csv(motion: Motion, path: Path) -> None:
    """Write one row per frame: Timecode, BlendShapeCount, 52 weights, 9 angles in radians.

    The timecode is hh:mm:ss:ff.fff, where ff counts sixtieths of a second, as in the app's
    recordings and as Unreal's Live Link Face Importer reads it: at 30 frames per second, each row
    counts two.

    Raises:
        ExportError: see :func:`arkit_weights`.
    """
    weights = arkit_weights(motion, LIVE_LINK_BLENDSHAPES)
    values = np.hstack([weights, live_link_rotation(motion).round(DECIMALS) + 0.0])
    names = [blendshape[0].upper() + blendshape[1:] for blendshape in LIVE_LINK_BLENDSHAPES]
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["Timecode", "BlendShapeCount", *names, *ROTATIONS])
        for number, row in enumerate(values):
            cells = [f"{value:.{DECIMALS}f}" for value in row]
            rows.writerow([_timecode(number / motion.fps), str(len(cells)), *cells])


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


def _timecode(seconds: float) -> str:
    """Format as hh:mm:ss:ff.fff, exact to a thousandth of a timecode's frame."""
    thousandths = round(seconds * TIMECODE_RATE * 1000)
    whole, frames = divmod(thousandths, TIMECODE_RATE * 1000)
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}:{frames // 1000:02}.{frames % 1000:03}"
