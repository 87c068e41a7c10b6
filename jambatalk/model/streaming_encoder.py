"""Speech encoded while it arrives: samples in, features out as soon as no later sound changes them.

An encoder that attends to a whole recording has no features before its end. Here it encodes one
window after the other, each a step with some sound before and after it, and the features of a step
depend on that window alone. So they depend neither on the pieces in which sound arrives nor on the
length of the recording, and a whole recording is encoded in the same way.

    n samples at 16 kHz    l features at 50 Hz    t frames of motion    m layers    c channels
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from jambatalk.errors import ModelError, SpeechError
from jambatalk.model.encoder import (
    FEATURE_RATE,
    FEATURE_SAMPLES,
    SpeechEncoder,
    count_frames,
    to_frame_rate,
)
from jambatalk.speech import SAMPLE_RATE, loudness_normalised

WINDOWS_AT_ONCE = 16  # enough to keep the cores busy, few enough for their caches


class StreamingEncoder:
    """Encodes one recording as it arrives, at the motion's frame rate.

    Raises:
        ModelError: the encoder has no window.
    """

    def __init__(self, encoder: SpeechEncoder) -> None:
        if encoder.window is None:
            raise ModelError(
                "This speech encoder needs whole recordings.",
                "Set encoder.window in the network's configuration.",
            )
        self.encoder = encoder
        self.before, self.step, self.after = encoder.window
        self._samples = np.zeros(self.before * FEATURE_SAMPLES, np.float32)  # from the next window
        self._received = 0  # samples so far
        weight = next(encoder.parameters())
        self._features = weight.new_zeros(0, len(encoder.layers), encoder.width)  # still needed
        self._encoded = 0  # features so far
        self._frames = 0  # frames returned so far
        self._finished = False

    @property
    def look_ahead(self) -> float:
        """Seconds of sound that a frame waits for after its own time, at most."""
        return (self.step + self.after + 1) / FEATURE_RATE

    def feed(self, samples: np.ndarray) -> Tensor:
        """Add samples.

        Args:
            samples: (n,) float32, 16 kHz; any n.

        Returns:
            (t, m, c): the frames that are ready, following those of earlier calls.

        Raises:
            SpeechError: samples that are not (n,) finite numbers, or the recording has ended.
        """
        if self._finished:
            raise SpeechError("The recording is over.", "Begin a new stream.")
        samples = np.asarray(samples)
        if samples.ndim != 1 or samples.dtype.kind != "f":
            raise SpeechError(
                f"{samples.dtype} of shape {samples.shape} is not one channel of samples.",
                "Give (n,) float32 in -1..1 at 16 kHz.",
            )
        samples = samples.astype(np.float32, copy=False)
        if not np.isfinite(samples).all():
            raise SpeechError("The samples contain NaN or infinity.", "Give finite samples.")
        self._received += len(samples)
        self._samples = np.concatenate([self._samples, samples])
        complete = len(self._samples) // FEATURE_SAMPLES - self.before - self.after  # features
        self._encode(max(0, complete) // self.step)
        last = self._encoded - 1  # a frame at the last feature or later also needs the next one
        ready = int(np.ceil(last / FEATURE_RATE * self.encoder.fps - 1e-9))  # frames
        return self._interpolate(ready)

    def finish(self) -> Tensor:
        """End the recording; return the remaining frames (t, m, c), with silence after its end."""
        self._finished = True
        total = max(1, -(-self._received // FEATURE_SAMPLES))  # features
        steps = -(-(total - self._encoded) // self.step)
        needed = (self.before + steps * self.step + self.after) * FEATURE_SAMPLES
        self._samples = np.pad(self._samples, (0, max(0, needed - len(self._samples))))
        self._encode(steps)
        self._features = self._features[: len(self._features) - (self._encoded - total)]
        self._encoded = total
        return self._interpolate(count_frames(self._received / SAMPLE_RATE, self.encoder.fps))

    @torch.no_grad()
    def _encode(self, steps: int) -> None:
        """Append the features of the next steps, and drop the samples that are not needed again."""
        size = (self.before + self.step + self.after) * FEATURE_SAMPLES
        stride = self.step * FEATURE_SAMPLES
        for first in range(0, steps, WINDOWS_AT_ONCE):
            count = min(WINDOWS_AT_ONCE, steps - first)
            windows = [self._samples[i * stride : i * stride + size] for i in range(count)]
            normalised = np.stack([loudness_normalised(window) for window in windows])  # (count, n)
            features = self.encoder.hidden_states(self.encoder.inputs(normalised))
            features = features[:, self.before : self.before + self.step].flatten(0, 1)
            self._features = torch.cat([self._features, features])  # (l, m, c)
            self._encoded += len(features)
            self._samples = self._samples[count * stride :]

    def _interpolate(self, end: int) -> Tensor:
        """Return the frames before `end` that have not been returned; drop features behind them."""
        if end <= self._frames:
            return self._features[:0]
        first = self._encoded - len(self._features)  # number of the first feature
        frames = to_frame_rate(self._features, self.encoder.fps, end, self._frames, first)
        self._frames = end
        unneeded = int(end / self.encoder.fps * FEATURE_RATE) - first  # by the next frame
        self._features = self._features[max(0, min(unneeded, len(self._features) - 1)) :]
        return frames
