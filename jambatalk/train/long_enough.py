"""The recordings of a data set that are long enough to train on."""

from __future__ import annotations

import logging

import numpy as np

from jambatalk.data.dataset import Dataset
from jambatalk.errors import DataError

log = logging.getLogger(__name__)


class LongEnough:
    """Recordings of at least a length, each once an epoch; subclasses make examples of them.

    Args:
        least: frames.
        length: the same, in words.
        cure: what to do where all recordings are shorter.

    Raises:
        DataError: no recording is long enough.
    """

    def __init__(self, recordings: Dataset, least: float, length: str, cure: str) -> None:
        self.recordings = recordings
        count = len(recordings)
        self.usable = [i for i in range(count) if recordings.frame_count(i) >= least]
        if short := count - len(self.usable):
            log.warning("%d recordings are shorter than %s: left out.", short, length)
        if not self.usable:
            raise DataError(f"No recording of '{recordings.name}' lasts {length}.", cure)

    def __len__(self) -> int:
        return len(self.usable)

    def epoch_order(self, rng: np.random.Generator) -> np.ndarray:
        """Return each recording once, shuffled."""
        return rng.permutation(self.usable)
