"""The decoder as published by the paper's authors.

It differs from :mod:`jambatalk.model.decoder` in the wiring of its layers: no residual around
Mamba, a norm without parameters around the experts, post-norm attention, no speaking style; and
its layers are tied. Mamba, experts, attention and LRL-RoPE themselves are the same modules.

    b batch    l frames    c channels of a feature    d width    V vertices

JambaTalk, arXiv 2408.01627.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from jambatalk.model import layers
from jambatalk.model.config import JambaTalkConfig


class PaperDecoder(nn.Module):
    """Speech features → offsets of all vertices from the template."""

    def __init__(self, config: JambaTalkConfig) -> None:
        super().__init__()
        self.feature_map = nn.Linear(config.encoder_width, config.width)
        self.order, self.blocks = config.block_keys(config.layers), nn.ModuleDict()
        for key, layer in zip(self.order, config.layers, strict=True):
            if key not in self.blocks:
                self.blocks[key] = BLOCKS[layer](config)
        self.motion_map = nn.Linear(config.width, config.outputs)
        nn.init.zeros_(self.motion_map.weight)
        nn.init.zeros_(self.motion_map.bias)

    def forward(
        self, features: Tensor, style: Tensor | None = None, amplitude: float = 1.0
    ) -> Tensor:
        """Predict all frames.

        Args:
            features: (b, l, 1, c) at the motion's frame rate.
            style: ignored; the network has one style.
            amplitude: factor of the motion.

        Returns:
            (b, l, 3 V): x, y, z of one vertex after the other, in the units of the training set.
        """
        x = self.feature_map(features.squeeze(2))  # (b, l, d)
        for key in self.order:
            x = self.blocks[key](x)
        return amplitude * self.motion_map(x)


class BareMamba(nn.Module):
    """mamba(x)."""

    def __init__(self, config: JambaTalkConfig) -> None:
        super().__init__()
        self.mamba = layers.mamba(config)

    def forward(self, x: Tensor) -> Tensor:
        """(b, l, d) → (b, l, d)."""
        return self.mamba(x)[0]


class MambaExperts(nn.Module):
    """x + experts(norm(mamba(norm(x)) + norm(x)))."""

    def __init__(self, config: JambaTalkConfig) -> None:
        super().__init__()
        self.mamba = layers.moe_mamba(config)
        self.mamba.dt_proj.reset_parameters()  # this Mamba was not mamba_ssm's: a plain layer
        self.experts = layers.experts(config)

    def forward(self, x: Tensor) -> Tensor:
        """(b, l, d) → (b, l, d)."""
        y = short_norm(x)
        y = self.mamba(y)[0] + y
        return x + self.experts(short_norm(y))


class PostNormAttention(nn.Module):
    """x = norm(x + attention(x)), then norm(x + feed_forward(x))."""

    def __init__(self, config: JambaTalkConfig) -> None:
        super().__init__()
        self.attention = layers.attention(config)
        self.attention.rotary.up.reset_parameters()  # the correction did not start at zero
        self.feed_forward = layers.feed_forward(config)
        self.norm1 = nn.LayerNorm(config.width)
        self.norm2 = nn.LayerNorm(config.width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(b, l, d) → (b, l, d)."""
        x = self.norm1(x + self.dropout(self.attention(x)[0]))
        return self.norm2(x + self.dropout(self.feed_forward(x)))


BLOCKS: dict[str, type[nn.Module]] = {
    "mamba": BareMamba,
    "mamba_moe": MambaExperts,
    "attention": PostNormAttention,
}


def short_norm(x: Tensor) -> Tensor:
    """Return x / ‖x‖ · d^(-1/2), as published; a root-mean-square norm would be · d^(+1/2)."""
    return F.normalize(x, dim=-1) * x.shape[-1] ** -0.5
