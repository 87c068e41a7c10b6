"""Speech encoders: waveform in, features at the motion's frame rate out.

n samples at 16 kHz    s steps of the encoder's input    l features at 50 Hz
t frames of motion     m encoder layers                  c channels
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from jambatalk.errors import ModelError
from jambatalk.model.config import EncoderConfig
from jambatalk.speech import SAMPLE_RATE

FEATURE_RATE = 50.0  # features a second, of every encoder here
FEATURE_SAMPLES = round(SAMPLE_RATE / FEATURE_RATE)
WINDOW = 1000  # features (20 s) of a long recording that are encoded at a time
CONTEXT = 100  # features (2 s) on each side of a window that are encoded with it and dropped


class SpeechEncoder(nn.Module):
    """A speech encoder, read at the hidden layers that the decoder mixes.

    It is frozen unless :meth:`unfreeze` is called. Subclasses compute the input and the layers.
    """

    model: Any  # of `transformers` or our own, each with its `config`
    steps_per_feature: int

    def __init__(
        self, model: nn.Module, config: EncoderConfig, fps: float, width: int, depth: int
    ) -> None:
        super().__init__()
        if not all(1 <= layer <= depth for layer in config.layers):
            raise ModelError(
                f"The speech encoder '{config.source or config.kind}' has {depth} layers, "
                f"not all of {config.layers}.",
                f"Choose layers from 1 to {depth}.",
            )
        self.model = model.requires_grad_(False)
        self.layers, self.resample, self.fps = config.layers, config.resample, fps
        self.window = config.window
        self.width = 2 * width if self.resample == "pairs" else width  # channels of a frame
        self.trainable = False
        self.eval()

    def forward(self, samples: np.ndarray, frames: int | None = None) -> Tensor:
        """Encode a recording of any length.

        A long one is encoded in overlapping windows, so that memory does not grow with the square
        of its length; in training mode it is encoded in one piece.

        Args:
            samples: (n,) float32, 16 kHz.
            frames: of the motion that belongs to them, to which features are stretched; None for
                as many as their length gives. Pairs of features are never stretched.

        Returns:
            (t, m, c).
        """
        inputs = self.inputs(samples[None], frames)  # (1, ..., s)
        length = max(1, inputs.shape[-1] // self.steps_per_feature)  # features
        if self.training or length <= WINDOW + 2 * CONTEXT:
            return self._frames(self.hidden_states(inputs)[0], len(samples), frames)
        windows = []
        for start in range(0, length, WINDOW):
            before = min(CONTEXT, start)
            first = (start - before) * self.steps_per_feature
            last = (start + WINDOW + CONTEXT) * self.steps_per_feature
            features = self.hidden_states(inputs[..., first:last])[0]
            windows.append(features[before : before + WINDOW])
        return self._frames(torch.cat(windows), len(samples), frames)

    def inputs(self, samples: np.ndarray, frames: int | None = None) -> Tensor:
        """Compute the encoder's input (b, ..., s) from samples (b, n), on the encoder's device."""
        raise NotImplementedError

    def hidden_states(self, inputs: Tensor) -> Tensor:
        """Compute the layers that the decoder mixes, (b, l, m, c), from inputs (b, ..., s)."""
        raise NotImplementedError

    def unfreeze(self) -> None:
        """Let training change the weights."""
        self.model.requires_grad_(True)
        self.trainable = True

    def train(self, mode: bool = True) -> SpeechEncoder:
        """Set training mode; a frozen encoder stays in evaluation mode."""
        return super().train(mode and self.trainable)

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return next(self.parameters()).device

    def _frames(self, features: Tensor, samples: int, frames: int | None) -> Tensor:
        """Bring features (l, m, c) of so many samples to the motion's rate: (t, m, c)."""
        if self.resample == "after":
            frames = frames or count_frames(samples / SAMPLE_RATE, self.fps)
            return to_frame_rate(features, self.fps, frames)
        if self.resample == "pairs":
            even = features[: len(features) // 2 * 2].unflatten(0, (-1, 2))  # (t, 2, m, c / 2)
            return even.transpose(1, 2).flatten(2)
        return features  # "before": they were computed at that rate


def count_frames(seconds: float, fps: float) -> int:
    """Return the number of frames of motion for a recording, at least one."""
    return max(1, round(seconds * fps))


def to_frame_rate(features: Tensor, fps: float, end: int, start: int = 0, first: int = 0) -> Tensor:
    """Interpolate features at 50 Hz linearly at the times t / fps of frames `start` to `end` - 1.

    Args:
        features: (l, m, c). Frames after the last of them repeat it.
        first: the number of the first of them.

    Returns:
        (end - start, m, c).
    """
    t = torch.arange(start, end, dtype=torch.float64, device=features.device)
    position = (t / fps * FEATURE_RATE - first).clamp(max=len(features) - 1)
    before = position.floor().long()
    after = (before + 1).clamp(max=len(features) - 1)
    fraction = (position - before)[:, None, None].to(features.dtype)
    return torch.lerp(features[before], features[after], fraction)
