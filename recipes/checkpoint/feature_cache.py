"""Features of the frozen speech encoder, computed once for each recording."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from jambatalk.model.jambatalk import JambaTalk
from jambatalk.speech import SAMPLE_RATE, Speech


class FeatureCache:
    """Runs the frozen encoder over recordings, and keeps the features.

    Args:
        seed: of the run, of which augmented versions depend.
        folder: where features are kept; None to keep none.
    """

    def __init__(self, model: JambaTalk, seed: int = 0, folder: Path | None = None) -> None:
        self.model, self.seed, self.folder = model, seed, folder
        if folder:
            folder.mkdir(parents=True, exist_ok=True)

    def __call__(
        self,
        name: str,
        samples: np.ndarray,
        variant: int = 0,
        change: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> Tensor:
        """Return features (t, m, c) float16 of a recording.

        Args:
            name: unique.
            samples: (n,) at 16 kHz.
            variant: number of the augmented version, 0 for none.
            change: augments the samples.
        """
        path = None
        if self.folder:
            path = self.folder / f"{name.replace('/', '-')}.{self.seed}.{variant}.npy"
            if path.exists():
                return torch.from_numpy(np.load(path, allow_pickle=False))
        samples = change(samples) if change else samples
        features = self.model.encode(Speech.from_array(samples, SAMPLE_RATE)).half()
        if path:
            part = path.with_suffix(f".{os.getpid()}.part")  # another run may write the same file
            with part.open("wb") as file:
                np.save(file, features.numpy())
            part.replace(path)
        return features
