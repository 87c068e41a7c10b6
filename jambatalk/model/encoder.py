"""Speech encoders: waveform in, features at the motion's frame rate out."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor, nn

from jambatalk.errors import ModelError
from jambatalk.model.config import EncoderConfig
from jambatalk.model.whisper import WhisperConfig, WhisperEncoder, log_mel
from jambatalk.speech import SAMPLE_RATE, loudness_normalised

FEATURE_RATE = 50.0  # features a second, of every encoder here
WINDOW = 1000  # features (20 s) heard at a time in a long recording
CONTEXT = 100  # features (2 s) heard on each side of a window and then dropped


class SpeechEncoder(nn.Module):
    """A speech encoder, read at the hidden layers the decoder wants.

    It is frozen unless :meth:`unfreeze` is called. Long recordings are heard in overlapping
    windows, so that memory does not grow with the square of their length.
    """

    steps_per_feature: int  # of the encoder's input

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

    @torch.inference_mode()
    def forward(self, samples: np.ndarray) -> Tensor:
        """Hears a recording of any length.

        Args:
            samples: (n,) float32, 16 kHz.

        Returns:
            (t, m, c): t frames at the motion's rate, m layers, c channels.
        """
        heard = self._front(samples).to(next(self.parameters()).device)  # (..., steps)
        length = max(1, heard.shape[-1] // self.steps_per_feature)
        if length <= WINDOW + 2 * CONTEXT:
            return self._frames(self._hear(heard), len(samples))
        parts = []
        for start in range(0, length, WINDOW):
            before = min(CONTEXT, start)
            first = (start - before) * self.steps_per_feature
            last = (start + WINDOW + CONTEXT) * self.steps_per_feature
            parts.append(self._hear(heard[..., first:last])[before : before + WINDOW])
        return self._frames(torch.cat(parts), len(samples))

    def encode_samples(self, samples: np.ndarray, frames: int | None = None) -> Tensor:
        """As :meth:`forward`, but in one piece whatever the length, and with gradients.

        Args:
            samples: (n,) float32, 16 kHz.
            frames: of the motion that belongs to them, to which they are stretched, as VOCASET is
                learned from; None for as many as :meth:`forward` gives. Pairs cannot be stretched.
        """
        heard = self._front(samples, frames).to(next(self.parameters()).device)
        return self._frames(self._hear(heard), len(samples), frames)

    def unfreeze(self) -> None:
        """Lets training change the weights."""
        self.model.requires_grad_(True)
        self.trainable = True

    def train(self, mode: bool = True) -> SpeechEncoder:
        """Training mode, if it is trained: a frozen encoder always hears the same."""
        return super().train(mode and self.trainable)

    def _frames(self, features: Tensor, samples: int, frames: int | None = None) -> Tensor:
        """What was heard of so many samples, (l, m, c), as (t, m, c) at the motion's rate."""
        if self.resample == "after":
            frames = frames or count_frames(samples / SAMPLE_RATE, self.fps)
            return to_frame_rate(features, self.fps, frames)
        if self.resample == "pairs":
            even = features[: len(features) // 2 * 2].unflatten(0, (-1, 2))  # (t, 2, m, c)
            return even.transpose(1, 2).flatten(2)
        return features  # they came at that rate

    def _front(self, samples: np.ndarray, frames: int | None = None) -> Tensor:
        """The encoder's input, time last."""
        raise NotImplementedError

    def _hear(self, heard: Tensor) -> Tensor:
        """The wanted layers of one window: (l, m, c)."""
        raise NotImplementedError


class WhisperSpeechEncoder(SpeechEncoder):
    """Whisper's encoder on the real length of the speech instead of a padded 30 s window."""

    steps_per_feature = 2  # mel frames of 10 ms

    def __init__(self, config: EncoderConfig, fps: float) -> None:
        model = _whisper(config)
        shape = model.config
        super().__init__(model, config, fps, shape.d_model, shape.encoder_layers)

    def _front(self, samples: np.ndarray, frames: int | None = None) -> Tensor:
        samples = torch.as_tensor(samples)[None]
        return log_mel(samples, self.model.config.num_mel_bins)[0]  # (mels, steps)

    def _hear(self, heard: Tensor) -> Tensor:
        return self._layers(heard[None])[0]

    @torch.inference_mode()
    def encode_windows(self, samples: np.ndarray) -> Tensor:
        """What is heard in windows (b, n), each brought to the usual level: (b, l, m, c)."""
        samples = torch.as_tensor(np.stack([loudness_normalised(window) for window in samples]))
        mel = log_mel(samples, self.model.config.num_mel_bins)
        return self._layers(mel.to(next(self.parameters()).device))

    def _layers(self, mel: Tensor) -> Tensor:
        outputs = self.model(mel, max(self.layers))
        return torch.stack([outputs[i - 1] for i in self.layers], -2)


def build_encoder(config: EncoderConfig, fps: float) -> SpeechEncoder:
    """The encoder of a configuration: with its source's weights, or empty to be filled.

    Args:
        config: which, and what of it.
        fps: frames a second of the motion.

    Raises:
        ModelError: the source cannot be loaded, or has no such layers.
    """
    if config.kind == "whisper":
        return WhisperSpeechEncoder(config, fps)
    from jambatalk.model.waveform import WaveformSpeechEncoder

    return WaveformSpeechEncoder(config, fps)


def _whisper(config: EncoderConfig) -> WhisperEncoder:
    if config.source is None:
        return WhisperEncoder(WhisperConfig(**config.architecture))
    from jambatalk.model.pretrained import pretrained

    published = pretrained("whisper", config.source).encoder
    fields = [field.name for field in dataclasses.fields(WhisperConfig)]
    model = WhisperEncoder(WhisperConfig(**{f: getattr(published.config, f) for f in fields}))
    weights = published.state_dict()
    del weights["embed_positions.weight"]  # sinusoids, which the model makes itself
    model.load_state_dict(weights)
    return model


def count_frames(seconds: float, fps: float) -> int:
    """Frames of motion that belong to a recording, at least one."""
    return max(1, round(seconds * fps))


def to_frame_rate(
    features: Tensor, fps: float, frames: int, start: int = 0, first: int = 0
) -> Tensor:
    """Features (l, m, c) at 50 Hz, interpolated linearly at t/fps for frames number `start` to
    `frames`: (t, m, c). Frames after the last feature repeat it.

    Args:
        first: number of the first of the features.
    """
    t = torch.arange(start, frames, dtype=torch.float64, device=features.device)
    place = (t / fps * FEATURE_RATE - first).clamp(max=len(features) - 1)
    before = place.floor().long()
    after = (before + 1).clamp(max=len(features) - 1)
    part = (place - before)[:, None, None].to(features.dtype)
    return torch.lerp(features[before], features[after], part)
