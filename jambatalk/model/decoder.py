"""The Jamba decoder: from speech features and a style to what the face does."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from jambatalk.model.attention import GroupedQueryAttention
from jambatalk.model.config import JambaTalkConfig, Layer
from jambatalk.model.mamba import Mamba
from jambatalk.model.moe import MixtureOfExperts


class JambaDecoder(nn.Module):
    """A stack of Mamba, Mamba with experts, and attention, in the pattern of the configuration.

    Shapes: b batch, l frames, m encoder layers, c their channels, d width, s style width,
    k actions. JambaTalk, arXiv 2408.01627; the interleaving is Jamba's, arXiv 2403.19887.
    """

    def __init__(self, config: JambaTalkConfig) -> None:
        super().__init__()
        heard = len(config.encoder.layers)
        self.layer_norm = nn.LayerNorm(config.encoder_width, elementwise_affine=False)
        self.layer_mix = nn.Parameter(torch.zeros(heard))
        self.feature_map = nn.Linear(config.encoder_width, config.width)
        self.style_table = nn.Embedding(len(config.styles), config.style_width)
        self.style_map = nn.Linear(config.style_width, config.width, bias=False)
        self.layers = nn.ModuleList(_block(layer, config) for layer in config.layers)
        self.norm = nn.RMSNorm(config.width)
        self.motion_map = nn.Linear(config.width, len(config.actions))
        nn.init.normal_(self.style_table.weight, std=0.5)
        nn.init.zeros_(self.motion_map.bias)

    def forward(self, features: Tensor, style: Tensor) -> Tensor:
        """Predicts the weights of all frames.

        Args:
            features: (b, l, m, c) at the motion's frame rate.
            style: (b, s).

        Returns:
            (b, l, k), not clamped.
        """
        mix = torch.softmax(self.layer_mix, 0)
        heard = torch.einsum("blmc,m->blc", self.layer_norm(features), mix)  # (b, l, c)
        x = self.feature_map(heard) + self.style_map(style)[:, None]  # (b, l, d)
        for layer in self.layers:
            x = layer(x)
        return self.motion_map(self.norm(x))


class Residual(nn.Module):
    """x + dropout(inner(norm(x)))."""

    def __init__(self, width: int, inner: nn.Module, dropout: float) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(width)
        self.inner = inner
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Adds what `inner` makes of x (b, l, d)."""
        y = self.inner(self.norm(x))
        if isinstance(y, tuple):  # Mamba also gives its state
            y = y[0]
        return x + self.dropout(y)


def _block(layer: Layer, config: JambaTalkConfig) -> nn.Module:
    width, dropout = config.width, config.dropout
    if layer == "attention":
        attention = GroupedQueryAttention(
            width, config.heads, config.kv_heads, config.rotary_rank, config.attention_window
        )
        forward = nn.Sequential(nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width))
        return nn.Sequential(Residual(width, attention, dropout), Residual(width, forward, dropout))
    mamba = Residual(width, Mamba(width, config.d_state, config.d_conv, config.expand), dropout)
    if layer == "mamba":
        return mamba
    experts = MixtureOfExperts(width, config.experts, config.experts_per_frame)
    return nn.Sequential(mamba, Residual(width, experts, dropout))
