"""Speech heard while it is spoken: samples in, features out as soon as they are certain.

An encoder that attends to all of a recording knows nothing before its end. Here it hears one window
after the other, each of a step with some sound before and after it, and what it hears of a step
depends on that window alone. So the pieces in which sound arrives are no matter, nor is how long it
lasts, and a recording at once and the same one in pieces are heard alike.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from jambatalk.errors import SpeechError
from jambatalk.model.encoder import FEATURE_RATE, WhisperSpeechEncoder, count_frames, to_frame_rate
from jambatalk.speech import SAMPLE_RATE

SAMPLES = round(SAMPLE_RATE / FEATURE_RATE)  # of a feature
AT_ONCE = 16  # windows: enough to keep the cores busy, few enough for their caches


class StreamingEncoder:
    """One recording as it arrives, at the motion's frame rate.

    Shapes: t frames, m encoder layers, c channels.
    """

    def __init__(self, encoder: WhisperSpeechEncoder) -> None:
        self.encoder = encoder
        self.before, self.step, self.after = encoder.window
        self._sound = np.zeros(self.before * SAMPLES, np.float32)  # from the next window on
        self._arrived = 0  # samples
        self._features: Tensor | None = None  # those that a frame to come lies between
        self._heard = self._frames = 0  # features so far, frames so far
        self._open = True

    @property
    def look_ahead(self) -> float:
        """Seconds of sound after a frame's moment that must have arrived before it is certain, at
        most."""
        return (self.step + self.after + 1) / FEATURE_RATE

    def feed(self, samples: np.ndarray) -> Tensor:
        """Hears on.

        Args:
            samples: (n,) float32, 16 kHz; any n.

        Returns:
            (t, m, c): the frames that are certain now, after those of earlier calls.

        Raises:
            SpeechError: samples that are not (n,) numbers, or the recording is over.
        """
        samples = np.asarray(samples, np.float32)
        if not self._open or samples.ndim != 1 or not np.isfinite(samples).all():
            raise SpeechError(
                "These samples cannot be heard: "
                + ("the recording is over." if not self._open else "they are not (n,) numbers."),
                "Give one row of samples at 16 kHz, before finish().",
            )
        self._arrived += len(samples)
        self._sound = np.concatenate([self._sound, samples])
        self._hear(self._complete_steps())
        return self._take(self._certain_frames())

    def finish(self) -> Tensor:
        """The frames that were left: (t, m, c). After its end a recording is silent."""
        self._open = False
        total = max(1, -(-self._arrived // SAMPLES))  # features
        missing = -(-(total - self._heard) // self.step)  # steps
        wanted = (self.before + missing * self.step + self.after) * SAMPLES
        self._sound = np.pad(self._sound, (0, max(0, wanted - len(self._sound))))
        self._hear(missing)
        self._features = self._features[: len(self._features) - (self._heard - total)]
        self._heard = total
        return self._take(count_frames(self._arrived / SAMPLE_RATE, self.encoder.fps))

    def _complete_steps(self) -> int:
        """Steps of which the whole window has arrived."""
        return max(0, len(self._sound) // SAMPLES - self.before - self.after) // self.step

    def _certain_frames(self) -> int:
        """Frames, counted from the beginning, that lie between features that were heard."""
        last = self._heard - 1  # a frame at the last feature or later lies beside an unknown one
        return max(0, int(np.ceil(last / FEATURE_RATE * self.encoder.fps - 1e-9)))

    def _hear(self, steps: int) -> None:
        """Adds what is heard in the next steps to the features, and forgets their sound."""
        size = (self.before + self.step + self.after) * SAMPLES
        stride = self.step * SAMPLES
        for first in range(0, steps, AT_ONCE):
            count = min(AT_ONCE, steps - first)
            windows = np.stack([self._sound[i * stride : i * stride + size] for i in range(count)])
            heard = self.encoder.encode_windows(windows)[:, self.before : self.before + self.step]
            heard = heard.flatten(0, 1)  # (count · step, m, c)
            kept = [] if self._features is None else [self._features]
            self._features = torch.cat([*kept, heard])
            self._heard += len(heard)
            self._sound = self._sound[count * stride :]

    def _take(self, end: int) -> Tensor:
        """Frames up to number `end`, interpolated linearly; frames after the last feature repeat
        it."""
        if self._features is None:  # nothing yet
            encoder = self.encoder
            weight = next(encoder.parameters())  # on whose device it hears
            return weight.new_zeros(0, len(encoder.layers), encoder.width)
        first = self._heard - len(self._features)  # number of the first feature there is
        frames = to_frame_rate(self._features, self.encoder.fps, end, self._frames, first)
        self._frames = end
        needed = int(end / self.encoder.fps * FEATURE_RATE) - first  # of these, by the next frame
        self._features = self._features[max(0, min(needed, len(self._features) - 1)) :]
        return frames
