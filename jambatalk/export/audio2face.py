"""JSON files as Audio2Face writes them: ARKit's weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from jambatalk.export.arkit import BLENDSHAPES, arkit_weights
from jambatalk.export.eye_rotation import with_still_head

if TYPE_CHECKING:
    from jambatalk.motion.motion import Motion


def write_json(motion: Motion, path: Path) -> None:
    """Write {"exportFps", "trackPath", "numPoses", "numFrames", "facsNames", "weightMat"}.

    That is frames per second, an empty text, 52, T, the names, and T rows of 52 weights. There is
    no room for the head's rotation, so the eyes do not compensate for it either, see
    :func:`with_still_head`.

    Raises:
        ExportError: see :func:`arkit_weights`.
    """
    weights = arkit_weights(motion)
    if motion.pose is not None:
        weights = arkit_weights(with_still_head(motion))
    track = {
        "exportFps": motion.fps,
        "trackPath": "",  # Audio2Face names the recording here, with its folder: private
        "numPoses": len(BLENDSHAPES),
        "numFrames": len(weights),
        "facsNames": BLENDSHAPES,
        "weightMat": weights.tolist(),
    }
    path.write_text(json.dumps(track, separators=(",", ":")), encoding="utf-8")
