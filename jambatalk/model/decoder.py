"""The Jamba decoder: from speech features and a style to what the face does."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from jambatalk.model import layers as parts
from jambatalk.model.attention import AttentionState, GroupedQueryAttention
from jambatalk.model.config import JambaTalkConfig
from jambatalk.model.mamba import Mamba, MambaState

BlockState = MambaState | AttentionState | None
DecoderState = list[BlockState]  # of every block, in their order

PARTS = {  # layer → its parts, each of which stands in a residual
    "mamba": (parts.mamba,),
    "mamba_moe": (parts.moe_mamba, parts.experts),
    "attention": (parts.attention, parts.feed_forward),
}


class JambaDecoder(nn.Module):
    """A stack of Mamba, Mamba with experts, and attention, in the pattern of the configuration.

    Shapes: b batch, l frames, m encoder layers, c their channels, d width, s style width,
    k outputs, blendshapes for one. JambaTalk, arXiv 2408.01627; the interleaving is Jamba's, arXiv
    2403.19887.
    """

    def __init__(self, config: JambaTalkConfig) -> None:
        super().__init__()
        heard = len(config.encoder.layers)
        self.layer_norm = nn.LayerNorm(config.encoder_width, elementwise_affine=False)
        self.layer_mix = nn.Parameter(torch.zeros(heard))
        self.dropout = nn.Dropout(config.dropout)  # of features: no voice is to be learned by heart
        self.feature_map = nn.Linear(config.encoder_width, config.width)
        self.style_table = nn.Embedding(len(config.styles), config.style_width)
        self.order, self.blocks = _stack(config)
        self.norm = StyledNorm(config.width, config.style_width)
        self.motion_map = nn.Linear(config.width, config.outputs)
        # What a unit of each output does to the blendshapes. Training sets it so that every output
        # moves the face equally far: one blendshape moves the lips by centimetres, another hardly.
        units = torch.eye(len(config.blendshapes)) if config.blendshapes else None  # (k, k)
        self.register_buffer("output_units", units)
        nn.init.normal_(self.style_table.weight, std=0.5)
        nn.init.zeros_(self.motion_map.bias)

    def forward(self, features: Tensor, style: Tensor) -> Tensor:
        """Predicts all frames of a recording.

        Args:
            features: (b, l, m, c) at the motion's frame rate.
            style: (b, s).

        Returns:
            (b, l, k), not clamped.
        """
        return self.step(features, style, self.initial_state(batch=len(features)))[0]

    def initial_state(self, position: int = 0, batch: int = 1) -> DecoderState:
        """Return the initial decoder state at frame `position`."""
        mixers = (self.blocks[key].inner for key in self.order)
        return [
            mixer.initial_state(position, batch)
            if isinstance(mixer, GroupedQueryAttention)
            else None
            for mixer in mixers
        ]

    def step(
        self, features: Tensor, style: Tensor, state: DecoderState
    ) -> tuple[Tensor, DecoderState]:
        """Predicts the frames that follow where a recording was left, and leaves it anew; shapes as
        in :meth:`forward`. A frame depends on no later one."""
        mix = torch.softmax(self.layer_mix, 0)
        heard = torch.einsum("blmc,m->blc", self.layer_norm(features), mix)  # (b, l, c)
        x = self.feature_map(self.dropout(heard))  # (b, l, d)
        left = []
        for key, before in zip(self.order, state, strict=True):
            x, after = self.blocks[key](x, style, before)
            left.append(after)
        motion = self.motion_map(self.norm(x, style))
        return (motion if self.output_units is None else motion @ self.output_units), left


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

    def forward(self, x: Tensor, style: Tensor, state: BlockState) -> tuple[Tensor, BlockState]:
        """Adds what `inner` makes of x (b, l, d); the state is that of an `inner` that has one."""
        y = self.norm(x, style)
        if isinstance(self.inner, Mamba | GroupedQueryAttention):
            y, state = self.inner(y, state)
        else:
            y = self.inner(y)
        return x + self.dropout(y), state


def _stack(config: JambaTalkConfig) -> tuple[list[str], nn.ModuleDict]:
    """The residuals by key, and the order of the keys in which they are run."""
    builders = [build for layer in config.layers for build in PARTS[layer]]
    order, blocks = config.order([build.__name__ for build in builders]), nn.ModuleDict()
    for key, build in zip(order, builders, strict=True):
        if key not in blocks:
            blocks[key] = StyledResidual(build(config), config)
    return order, blocks
