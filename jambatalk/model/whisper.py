"""Whisper's encoder, as its paper describes it (arXiv 2212.04356).

`transformers` has the same network; importing it takes three seconds, which is as long as all the
rest of a short video. The names of the weights are those of `transformers`.

    b batch    n samples    s steps of 10 ms    l features of 20 ms    m layers    c channels
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from jambatalk.errors import ModelError
from jambatalk.model.config import EncoderConfig, WhisperConfig
from jambatalk.model.encoder import SpeechEncoder
from jambatalk.speech import SAMPLE_RATE

N_FFT = 400  # samples: 25 ms
HOP = 160  # samples: 10 ms


class WhisperSpeechEncoder(SpeechEncoder):
    """Whisper's encoder on the real length of the speech instead of a padded 30 s window."""

    model: WhisperEncoder
    steps_per_feature = 2

    def __init__(self, config: EncoderConfig, fps: float) -> None:
        model = _load(config)
        shape = model.config
        super().__init__(model, config, fps, shape.d_model, shape.encoder_layers)

    def inputs(self, samples: np.ndarray, frames: int | None = None) -> Tensor:
        """Compute log-mel spectrograms (b, mels, s) of samples (b, n)."""
        mel = log_mel(torch.as_tensor(samples), self.model.config.num_mel_bins)
        return mel.to(self.device)

    def hidden_states(self, inputs: Tensor) -> Tensor:
        """Compute the chosen layers (b, l, m, c) of spectrograms (b, mels, s)."""
        outputs = self.model(inputs, max(self.layers))
        return torch.stack([outputs[layer - 1] for layer in self.layers], -2)


class WhisperEncoder(nn.Module):
    """Log-mel spectrogram in, the outputs of all layers out, for any length."""

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__()
        self.config = config
        width = config.d_model
        self.conv1 = nn.Conv1d(config.num_mel_bins, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.layers = nn.ModuleList(WhisperLayer(config) for _ in range(config.encoder_layers))
        self.layer_norm = nn.LayerNorm(width)  # before Whisper's decoder; unused here

    def forward(self, mel: Tensor, layers: int) -> list[Tensor]:
        """Return the outputs (b, l, c) of the first layers for spectrograms (b, mels, s)."""
        x = F.gelu(self.conv1(mel))
        x = F.gelu(self.conv2(x)).transpose(1, 2)  # (b, l, c)
        x = x + sinusoids(x.shape[1], x.shape[2]).to(x)
        outputs = []
        for layer in self.layers[:layers]:
            x = layer(x)
            outputs.append(x)
        return outputs


class WhisperLayer(nn.Module):
    """Pre-norm self-attention and feed-forward."""

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__()
        self.self_attn = WhisperAttention(config.d_model, config.encoder_attention_heads)
        self.self_attn_layer_norm = nn.LayerNorm(config.d_model)
        self.fc1 = nn.Linear(config.d_model, config.encoder_ffn_dim)
        self.fc2 = nn.Linear(config.encoder_ffn_dim, config.d_model)
        self.final_layer_norm = nn.LayerNorm(config.d_model)

    def forward(self, x: Tensor) -> Tensor:
        """(b, l, c) → (b, l, c)."""
        x = x + self.self_attn(self.self_attn_layer_norm(x))
        return x + self.fc2(F.gelu(self.fc1(self.final_layer_norm(x))))


class WhisperAttention(nn.Module):
    """Self-attention of every feature to all."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(b, l, c) → (b, l, c)."""
        q, k, v = (
            project(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (b, h, l, c / h)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        return self.out_proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


def sinusoids(length: int, width: int) -> Tensor:
    """Return positions (length, width): sines, then cosines, of wavelengths 2π to 20000π."""
    rate = torch.exp(-np.log(10000.0) / (width // 2 - 1) * torch.arange(width // 2))
    angle = torch.arange(length)[:, None] * rate
    return torch.cat([angle.sin(), angle.cos()], 1)


def log_mel(samples: Tensor, mels: int) -> Tensor:
    """Compute Whisper's input (b, mels, s), about -1 to 1, from samples (b, n) at 16 kHz."""
    spectrum = torch.stft(samples, N_FFT, HOP, window=torch.hann_window(N_FFT), return_complex=True)
    power = spectrum[..., :-1].abs() ** 2  # (b, frequencies, s)
    decades = (torch.as_tensor(mel_filters(mels)) @ power).clamp(min=1e-10).log10()
    loudest = decades.amax((1, 2), keepdim=True)
    return (decades.clamp(min=loudest - 8.0) + 4.0) / 4.0


def mel_filters(mels: int) -> np.ndarray:
    """Return triangular filters on the mel scale, (mels, frequencies) float32.

    Slaney's scale, linear below 1 kHz and logarithmic above, with triangles of equal area
    ("Auditory Toolbox", 1998).
    """
    step = np.log(6.4) / 27  # of a mel above 1 kHz, where the 15th lies
    corners = np.linspace(0.0, 15 + np.log(SAMPLE_RATE / 2 / 1000) / step, mels + 2)
    corners = np.where(corners < 15, corners * 200 / 3, 1000 * np.exp(step * (corners - 15)))  # Hz
    frequencies = np.linspace(0, SAMPLE_RATE / 2, N_FFT // 2 + 1)
    low, middle, high = (corners[i : mels + i, None] for i in range(3))
    rising, falling = (frequencies - low) / (middle - low), (high - frequencies) / (high - middle)
    return (2 / (high - low) * np.minimum(rising, falling).clip(0.0)).astype(np.float32)


def _load(config: EncoderConfig) -> WhisperEncoder:
    if config.source is None:
        if not config.architecture:
            raise ModelError(
                "The network's configuration does not describe its speech encoder.",
                "Give encoder.architecture, or an encoder.source to load.",
            )
        return WhisperEncoder(WhisperConfig(**config.architecture))
    from jambatalk.model.hub_encoder import load_hub_encoder

    hub_encoder: Any = load_hub_encoder("whisper", config.source).encoder
    fields = [field.name for field in dataclasses.fields(WhisperConfig)]
    model = WhisperEncoder(WhisperConfig(**{f: getattr(hub_encoder.config, f) for f in fields}))
    weights = hub_encoder.state_dict()
    del weights["embed_positions.weight"]  # sinusoids, which the model computes itself
    model.load_state_dict(weights)
    return model
