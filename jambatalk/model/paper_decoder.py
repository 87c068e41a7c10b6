"""The network as the paper's authors published it, and its two layouts.

It differs from :mod:`jambatalk.model.decoder` in what goes round the layers: no residual round
Mamba, a norm without parameters round the experts, post-norm attention, no speaking style; and its
layers are tied. Mamba, experts, attention and LRL-RoPE themselves are the same modules.

Shapes: b batch, l frames, d width, V vertices. JambaTalk, arXiv 2408.01627.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from jambatalk.model import layers as parts
from jambatalk.model.config import JambaTalkConfig


class PaperDecoder(nn.Module):
    """Speech features → offsets of all vertices from the template."""

    def __init__(self, config: JambaTalkConfig) -> None:
        super().__init__()
        self.feature_map = nn.Linear(config.encoder_width, config.width)
        self.order, self.blocks = config.order(config.layers), nn.ModuleDict()
        for key, layer in zip(self.order, config.layers, strict=True):
            if key not in self.blocks:
                self.blocks[key] = BLOCKS[layer](config)
        self.motion_map = nn.Linear(config.width, config.outputs)
        nn.init.zeros_(self.motion_map.weight)
        nn.init.zeros_(self.motion_map.bias)

    def forward(self, features: Tensor, style: Tensor | None = None) -> Tensor:
        """Predicts all frames.

        Args:
            features: (b, l, 1, c) at the motion's frame rate.
            style: not used; there is none.

        Returns:
            (b, l, 3 V): x, y, z of one vertex after the other, in the units of the training set.
        """
        x = self.feature_map(features.squeeze(2))  # (b, l, d)
        for key in self.order:
            x = self.blocks[key](x)
        return self.motion_map(x)


class BareMamba(nn.Module):
    """mamba(x)."""

    def __init__(self, config: JambaTalkConfig) -> None:
        super().__init__()
        self.mamba = parts.mamba(config)

    def forward(self, x: Tensor) -> Tensor:
        """(b, l, d) → (b, l, d)."""
        return self.mamba(x)[0]


class MambaExperts(nn.Module):
    """x + experts(norm(mamba(norm(x)) + norm(x)))."""

    def __init__(self, config: JambaTalkConfig) -> None:
        super().__init__()
        self.mamba = parts.moe_mamba(config)
        self.experts = parts.experts(config)

    def forward(self, x: Tensor) -> Tensor:
        """(b, l, d) → (b, l, d)."""
        y = short_norm(x)
        y = self.mamba(y)[0] + y
        return x + self.experts(short_norm(y))


class PostNormAttention(nn.Module):
    """x = norm(x + attention(x)), then norm(x + feed_forward(x))."""

    def __init__(self, config: JambaTalkConfig) -> None:
        super().__init__()
        self.attention = parts.attention(config)
        self.feed_forward = parts.feed_forward(config)
        self.norm1 = nn.LayerNorm(config.width)
        self.norm2 = nn.LayerNorm(config.width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(b, l, d) → (b, l, d)."""
        x = self.norm1(x + self.dropout(self.attention(x)[0]))
        return self.norm2(x + self.dropout(self.feed_forward(x)))


BLOCKS = {"mamba": BareMamba, "mamba_moe": MambaExperts, "attention": PostNormAttention}


def short_norm(x: Tensor) -> Tensor:
    """x / ‖x‖ · d^(-1/2): as published. A root-mean-square norm would lengthen by d^(+1/2), so
    that what passes here is d times smaller."""
    return F.normalize(x, dim=-1) * x.shape[-1] ** -0.5
