"""Weights in a .pth: read as tensors, nothing in the file is executed."""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from jambatalk.errors import ModelError, brief
from jambatalk.files.regular import LARGEST, check_file, damaged

if TYPE_CHECKING:
    from torch import Tensor

KIND = "a file of weights (.pth)"


def read_pth(path: Path, cure: str) -> dict[str, Tensor]:
    """Read the tensors of a .pth by name.

    Args:
        path: of a state dict, or of one under "state_dict" beside what training kept.
        cure: where such weights come from.

    Raises:
        ModelError: it cannot be read, or holds anything but tensors.
    """
    import torch  # takes seconds

    check_file(path, ModelError, KIND, cure, LARGEST)
    try:
        try:  # mapped: parts that are not used are then never read
            stored = torch.load(path, "cpu", weights_only=True, mmap=True)
        except RuntimeError:  # the format before PyTorch 1.6
            stored = torch.load(path, "cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        name = re.search(r"GLOBAL (\S+)", str(error))
        more = f"would import '{brief(name[1])}'" if name else "holds more than weights"
        raise ModelError(f"'{path}' is refused: it {more}.", cure) from error
    except Exception as error:  # a damaged file may raise nearly anything
        raise damaged(path, error, ModelError, KIND, cure) from error
    if isinstance(stored, Mapping) and isinstance(stored.get("state_dict"), Mapping):
        stored = stored["state_dict"]
    if not isinstance(stored, Mapping) or not all(
        isinstance(name, str) and isinstance(weight, torch.Tensor)
        for name, weight in stored.items()
    ):
        raise ModelError(f"'{path}' does not hold the weights of a network by their names.", cure)
    return dict(stored)
