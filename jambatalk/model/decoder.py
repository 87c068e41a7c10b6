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
        self.dropout = nn.Dropout(config.dropout)  # of features: no voice is to be learned by heart
        self.feature_map = nn.Linear(config.encoder_width, config.width)
        self.style_table = nn.Embedding(len(config.styles), config.style_width)
        self.blocks = nn.ModuleList(
            StyledResidual(inner, config)
            for layer in config.layers
            for inner in _inner(layer, config)
        )
        self.norm = StyledNorm(config.width, config.style_width)
        self.motion_map = nn.Linear(config.width, len(config.actions))
        # What a unit of each output does to the actions. Training sets it so that every output
        # moves the face equally far: one action moves the lips by centimetres, another hardly.
        self.register_buffer("output_units", torch.eye(len(config.actions)))  # (k, k)
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
        x = self.feature_map(self.dropout(heard))  # (b, l, d)
        for block in self.blocks:
            x = block(x, style)
        return self.motion_map(self.norm(x, style)) @ self.output_units


class StyledNorm(nn.Module):
    """Root-mean-square norm whose gain and bias the style sets: adaptive normalisation, as in
    arXiv 2212.09748. It starts as the plain norm."""

    def __init__(self, width: int, style_width: int) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(width)
        self.style_map = nn.Linear(style_width, 2 * width, bias=False)
        nn.init.zeros_(self.style_map.weight)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Norms x (b, l, d) in a style (b, s)."""
        gain, bias = self.style_map(style)[:, None].chunk(2, -1)  # (b, 1, d) each
        return self.norm(x) * (1 + gain) + bias


class StyledResidual(nn.Module):
    """x + dropout(inner(norm(x, style)))."""

    def __init__(self, inner: nn.Module, config: JambaTalkConfig) -> None:
        super().__init__()
        self.norm = StyledNorm(config.width, config.style_width)
        self.inner = inner
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Adds what `inner` makes of x (b, l, d)."""
        y = self.inner(self.norm(x, style))
        if isinstance(y, tuple):  # Mamba also gives its state
            y = y[0]
        return x + self.dropout(y)


def _inner(layer: Layer, config: JambaTalkConfig) -> list[nn.Module]:
    """What one layer of the pattern is made of, each part to stand in a residual."""
    width = config.width
    if layer == "attention":
        attention = GroupedQueryAttention(
            width, config.heads, config.kv_heads, config.rotary_rank, config.attention_window
        )
        forward = [nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width)]
        return [attention, nn.Sequential(*forward)]
    mamba = Mamba(width, config.d_state, config.d_conv, config.expand)
    if layer == "mamba":
        return [mamba]
    return [mamba, MixtureOfExperts(width, config.experts, config.experts_per_frame)]
