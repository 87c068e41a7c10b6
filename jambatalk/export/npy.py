"""Vertices as one NumPy array."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jambatalk.motion.motion import Motion


def write_npy(motion: Motion, path: Path) -> None:
    """Write vertices (T, V, 3) float32 in metres, frame by frame, in constant memory."""
    shape = (len(motion), *motion.face.template.shape)
    with path.open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for vertices in motion.frames():
            file.write(vertices.astype("<f4").tobytes())
