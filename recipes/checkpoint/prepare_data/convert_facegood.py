"""FACEGOOD's repository: takes with rig weights, for captured training."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from jambatalk.errors import DataError
from recipes.checkpoint.prepare_data.transcode import transcode

# The takes whose weights are in the order of the name file; those of 1114_3_16 are not.
TAKES = ("1114_2_01", "1114_2_02", "1114_2_03", "1114_2_04", "1114_3_15")
NAMES = "shirley_1119_bs_name.npy"
FPS = 30.0


def convert_facegood(download: Path, data: Path) -> int:
    """Convert the takes the bundled checkpoint was trained and tested on; return their number.

    Raises:
        DataError: the download is incomplete.
    """
    found = sorted(download.rglob(NAMES))
    if not found:
        raise DataError(f"There is no code/train/{NAMES} in {download}.")
    train, names = found[0].parent, _load(found[0])
    folder = data / "facegood"
    folder.mkdir(parents=True, exist_ok=True)
    for take in TAKES:
        weights = _load(train / "bs_value" / f"bs_value_{take}.npy")
        if weights.ndim != 2 or weights.shape[1] != len(names):
            raise DataError(f"The weights of take {take} are not one column per channel.")
        np.savez_compressed(
            folder / f"{take}.npz",
            weights=weights.astype(np.float32),
            names=names.astype(str),
            fps=np.float32(FPS),
        )
        transcode(train / "wav" / f"{take}.wav", folder / f"{take}.flac")
    return len(TAKES)


def _load(path: Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}).") from error
