"""The range of a person's lips, by which the lips of different people are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class LipRange:
    """Mean and standard deviation of a person's lip aperture and mouth width, (2,) each."""

    mean: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, lips: np.ndarray) -> LipRange:
        """Measure lips (t, 2) in any unit, ignoring NaN."""
        return cls(np.nanmean(lips, 0), np.nanstd(lips, 0))

    @classmethod
    def median(cls, ranges: Sequence[LipRange]) -> LipRange:
        """Return the middle of several people's ranges."""
        return cls(
            np.median([one.mean for one in ranges], 0), np.median([one.spread for one in ranges], 0)
        )

    def standardise(self, lips: np.ndarray) -> np.ndarray:
        """Convert lips (t, 2) to mean 0 and standard deviation 1."""
        return ((lips - self.mean) / self.spread).astype(np.float32)

    def restore(self, lips: np.ndarray) -> np.ndarray:
        """Convert standardised lips (t, 2) to this range."""
        return (self.mean + lips * self.spread).astype(np.float32)
