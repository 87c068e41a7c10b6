"""FACEGOOD Audio2Face: Mandarin speech with rig weights keyed by artists, mapped by name.

Folder, as `prepare_data` writes it: pairs of `TAKE.flac` (16 kHz mono) and `TAKE.npz` with
`weights` (T, channels) float32 in 0..1, `names` (channels) of the rig, and `fps`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jambatalk.errors import DataError
from jambatalk.face.face import Face
from jambatalk.speech import Speech
from recipes.checkpoint.captured.clip import Clip

STYLE = "mandarin-woman"

# ARKit blendshape → rig channel → factor. "mouth_oh" opens and rounds at once, "mouth_oo" rounds;
# the left and right channels of the rig move alike.
MAPPING: dict[str, dict[str, float]] = {
    "jawOpen": {"mouth_stretch_c": 1.0, "mouth_oh_c": 0.2},
    "mouthFunnel": {"mouth_funnel_dl": 0.5, "mouth_funnel_ul": 0.5, "mouth_oh_c": 0.5},
    "mouthPucker": {"mouth_pucker_l": 0.8, "mouth_oo_c": 0.8},
    "mouthStretchLeft": {"mouth_lipStretch_l": 1.0},
    "mouthStretchRight": {"mouth_lipStretch_r": 1.0},
    "mouthLowerDownLeft": {"mouth_lowerLipDepress_l": 1.0},
    "mouthLowerDownRight": {"mouth_lowerLipDepress_r": 1.0},
    "mouthUpperUpLeft": {"mouth_upperLipRaise_l": 1.0},
    "mouthUpperUpRight": {"mouth_upperLipRaise_r": 1.0},
    "mouthPressLeft": {"mouth_press_l": 1.0},
    "mouthPressRight": {"mouth_press_r": 1.0},
    "mouthRollLower": {"mouth_suck_dl": 1.0},
    "mouthRollUpper": {"mouth_suck_ul": 1.0},
}


def read_facegood(folder: Path, face: Face) -> Iterator[Clip]:
    """Read every take of a folder, mapped to the blendshapes of a face.

    Raises:
        DataError: the folder holds no takes, or a file is not of this format.
    """
    takes = sorted(folder.glob("*.npz"))
    if not takes:
        raise DataError(
            f"No takes (*.npz with *.flac) in {folder}.",
            "Prepare it with 'python -m recipes.checkpoint.prepare_data'.",
        )
    for take in takes:
        with np.load(take, allow_pickle=False) as file:
            try:
                rig, names, fps = file["weights"], file["names"].tolist(), float(file["fps"])
            except KeyError as error:
                raise DataError(f"{take} is not a FACEGOOD take: {error} is missing.") from error
        weights = np.zeros((len(rig), len(face.blendshapes)), np.float32)
        for blendshape, channels in MAPPING.items():
            for channel, factor in channels.items():
                weights[:, face.blendshapes.index(blendshape)] += (
                    factor * rig[:, names.index(channel)]
                )
        speech = Speech.read(take.with_suffix(".flac"))
        yield Clip(take.stem, speech.samples, weights.clip(0.0, 1.0), fps, STYLE)
