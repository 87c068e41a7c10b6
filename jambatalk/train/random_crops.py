"""Random crops of recordings, as tensors for training."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from jambatalk.data.dataset import Dataset, Recording
from jambatalk.model.config import JambaTalkConfig
from jambatalk.speech import SAMPLE_RATE, loudness_normalised
from jambatalk.train.long_enough import LongEnough
from jambatalk.train.task import SampleKey

NEUTRAL_SHARE = 0.5  # of the examples train the neutral style, the others their subject's
SLACK = 2  # frames by which headers may overstate a length


class RecordingTensors:
    """Converts recordings to the tensors of a network.

    Args:
        unit: metres per unit of the set's vertices.
    """

    def __init__(self, config: JambaTalkConfig, unit: float) -> None:
        self.scale = unit / config.unit
        self.styles = config.styles

    def tensors(self, recording: Recording) -> tuple[Tensor, Tensor]:
        """Return loudness-normalised samples (n,) and motion (t, k).

        Motion is offsets in the network's unit, or weights.
        """
        samples = torch.from_numpy(loudness_normalised(recording.audio))
        if recording.weights is not None:
            return samples, torch.from_numpy(recording.weights)
        return samples, torch.from_numpy(recording.offsets(self.scale)).flatten(1)

    def style(self, recording: Recording) -> int:
        """Return the index of the subject's style; the neutral style for unknown subjects."""
        known = recording.subject in self.styles
        return self.styles.index(recording.subject) if known else 0


class RandomCrops(LongEnough):
    """Random crops of recordings, or whole recordings, each once an epoch.

    Args:
        frames: of a crop; None for whole recordings.

    Raises:
        DataError: no recording is long enough.
    """

    def __init__(self, recordings: Dataset, convert: RecordingTensors, frames: int | None) -> None:
        least = (frames or 0) + SLACK
        super().__init__(recordings, least, f"{least} frames", "Lower data.crop.")
        self.convert, self.frames = convert, frames

    def __getitem__(self, key: SampleKey) -> tuple[Tensor, Tensor, Tensor]:
        """Return samples (n,), motion (t, k) and the index of a style."""
        index, seed = key
        recording, rng = self.recordings[index], np.random.default_rng(seed)
        samples, motion = self.convert.tensors(recording)
        style = self.convert.style(recording) if rng.random() >= NEUTRAL_SHARE else 0
        if self.frames is not None:
            start = int(rng.integers(len(motion) - self.frames + 1))
            motion = motion[start : start + self.frames]
            first, count = (round(n / recording.fps * SAMPLE_RATE) for n in (start, self.frames))
            first = min(first, max(0, len(samples) - count))  # both were rounded
            samples = samples[first : first + count]
        return samples, motion, torch.tensor(style)
