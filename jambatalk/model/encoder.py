"""Speech encoders: waveform in, features at 50 Hz and then at the motion's frame rate out."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from jambatalk.errors import ModelError
from jambatalk.model.config import EncoderConfig
from jambatalk.model.whisper import WhisperConfig, WhisperEncoder, log_mel

if TYPE_CHECKING:
    from transformers import PreTrainedModel

FEATURE_RATE = 50.0  # features a second, of every encoder here
WINDOW = 1000  # features (20 s) heard at a time in a long recording
CONTEXT = 100  # features (2 s) heard on each side of a window and then dropped


class SpeechEncoder(nn.Module):
    """A frozen speech encoder, read at the hidden layers the decoder wants.

    Long recordings are heard in overlapping windows, so that memory does not grow with the
    square of their length.
    """

    steps_per_feature: int  # of the encoder's input

    def __init__(self, model: PreTrainedModel, layers: tuple[int, ...]) -> None:
        super().__init__()
        self.model = model.eval().requires_grad_(False)
        self.layers = layers

    @property
    def width(self) -> int:
        """Channels of a feature."""
        return self.model.config.hidden_size

    @torch.inference_mode()
    def forward(self, samples: np.ndarray) -> Tensor:
        """Hears a recording.

        Args:
            samples: (n,) float32, 16 kHz, levelled.

        Returns:
            (l, m, c): about 50 features a second, m layers, c channels.
        """
        heard = self._front(samples).to(next(self.parameters()).device)  # (..., steps)
        length = max(1, heard.shape[-1] // self.steps_per_feature)
        if length <= WINDOW + 2 * CONTEXT:
            return self._hear(heard)
        parts = []
        for start in range(0, length, WINDOW):
            before = min(CONTEXT, start)
            first = (start - before) * self.steps_per_feature
            last = (start + WINDOW + CONTEXT) * self.steps_per_feature
            parts.append(self._hear(heard[..., first:last])[before : before + WINDOW])
        return torch.cat(parts)

    def _front(self, samples: np.ndarray) -> Tensor:
        """The encoder's input, time last."""
        raise NotImplementedError

    def _hear(self, heard: Tensor) -> Tensor:
        """The wanted layers of one window: (l, m, c)."""
        raise NotImplementedError


class WhisperSpeechEncoder(SpeechEncoder):
    """Whisper's encoder on the real length of the speech instead of a padded 30 s window."""

    steps_per_feature = 2  # mel frames of 10 ms

    @property
    def width(self) -> int:
        """Channels of a feature."""
        return self.model.config.d_model

    def _front(self, samples: np.ndarray) -> Tensor:
        return log_mel(torch.as_tensor(samples), self.model.config.num_mel_bins)  # (mels, steps)

    def _hear(self, heard: Tensor) -> Tensor:
        outputs = self.model(heard, max(self.layers))
        return torch.stack([outputs[i - 1] for i in self.layers], -2)


class WaveformSpeechEncoder(SpeechEncoder):
    """wav2vec 2.0, HuBERT or WavLM (arXiv 2006.11477, 2106.07447, 2110.13900)."""

    steps_per_feature = 320  # samples
    receptive_field = 400  # samples that the first feature needs

    def _front(self, samples: np.ndarray) -> Tensor:
        x = torch.as_tensor(samples)
        x = (x - x.mean()) / (x.var(unbiased=False) + 1e-7).sqrt()
        return F.pad(x, (0, max(0, self.receptive_field - len(x))))[None]  # (1, steps)

    def _hear(self, heard: Tensor) -> Tensor:
        hidden = self.model(heard, output_hidden_states=True).hidden_states
        return torch.stack([hidden[i] for i in self.layers], -2)[0]


def build_encoder(config: EncoderConfig) -> SpeechEncoder:
    """The encoder of a configuration: with its source's weights, or empty to be filled.

    Raises:
        ModelError: the source cannot be loaded, or the kind is unknown.
    """
    names = {"wav2vec2": "Wav2Vec2", "hubert": "Hubert", "wavlm": "WavLM"}
    if config.kind == "whisper":
        return WhisperSpeechEncoder(_whisper(config).float(), config.layers)
    if config.kind not in names:
        raise ModelError(
            f"Unknown encoder '{config.kind}'.", f"Use {', '.join(['whisper', *names])}."
        )
    import transformers  # each class is imported when it is asked for, which takes seconds

    name = names[config.kind]
    if config.source is not None:
        model = _fetch(f"{name}Model", config.source)
    else:
        architecture = getattr(transformers, f"{name}Config")(**config.architecture)
        model = getattr(transformers, f"{name}Model")(architecture)
    return WaveformSpeechEncoder(model.float(), config.layers)


def _whisper(config: EncoderConfig) -> WhisperEncoder:
    if config.source is None:
        return WhisperEncoder(WhisperConfig(**config.architecture))
    published = _fetch("WhisperModel", config.source).encoder
    fields = [field.name for field in dataclasses.fields(WhisperConfig)]
    model = WhisperEncoder(WhisperConfig(**{f: getattr(published.config, f) for f in fields}))
    weights = published.state_dict()
    del weights["embed_positions.weight"]  # sinusoids, which the model makes itself
    model.load_state_dict(weights)
    return model


def _fetch(model: str, source: str) -> PreTrainedModel:
    """A pretrained model of `transformers`."""
    import transformers

    try:
        return getattr(transformers, model).from_pretrained(source)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"The speech encoder '{source}' could not be loaded ({error}).",
            "Give a local folder, or a name on the Hugging Face hub and a network.",
        ) from error


def count_frames(seconds: float, fps: float) -> int:
    """Frames of motion that belong to a recording, at least one."""
    return max(1, round(seconds * fps))


def to_frame_rate(features: Tensor, fps: float, frames: int) -> Tensor:
    """Features (l, m, c) at 50 Hz, interpolated linearly at t/fps for `frames` frames: (t, m, c).

    Frames after the last feature repeat it.
    """
    place = torch.arange(frames, dtype=torch.float64, device=features.device) / fps * FEATURE_RATE
    place = place.clamp(max=len(features) - 1)
    before = place.floor().long()
    after = (before + 1).clamp(max=len(features) - 1)
    part = (place - before)[:, None, None].to(features.dtype)
    return torch.lerp(features[before], features[after], part)
