"""The Jamba decoder: speech features and a style → blendshape weights or vertex offsets.

    b batch     l frames     m encoder layers    c channels of a feature
    d width     s channels of a style            k outputs, e.g. one for each blendshape

JambaTalk, arXiv 2408.01627; the interleaving is Jamba's, arXiv 2403.19887.

A decoder may also name the phone of each frame and detect lip contact, by linear maps of its last
state. A mean error leaves lips ajar where a speaker closes them for a few frames: where contact is
detected, the decoder closes them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from jambatalk.model import layers
from jambatalk.model.attention import AttentionState, GroupedQueryAttention
from jambatalk.model.config import JambaTalkConfig
from jambatalk.model.mamba import Mamba, MambaState

BlockState = MambaState | AttentionState | None
DecoderState = list[BlockState]  # of each block, in the order in which they run

LAYER_MODULES = {  # layer → builders of its modules, each of which stands in a residual
    "mamba": (layers.mamba,),
    "mamba_moe": (layers.moe_mamba, layers.experts),
    "attention": (layers.attention, layers.feed_forward),
}


class JambaDecoder(nn.Module):
    """A stack of Mamba, Mamba with experts, and attention, in the pattern of the configuration."""

    def __init__(self, config: JambaTalkConfig) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(config.encoder_width, elementwise_affine=False)
        self.layer_mix = nn.Parameter(torch.zeros(len(config.encoder.layers)))
        self.dropout = nn.Dropout(config.dropout)  # of features, against overfitting to voices
        self.feature_map = nn.Linear(config.encoder_width, config.width)
        self.style_table = nn.Embedding(len(config.styles), config.style_width)
        builders = [build for layer in config.layers for build in LAYER_MODULES[layer]]
        self.order = config.block_keys([build.__name__ for build in builders])  # as they run
        self.blocks = nn.ModuleDict()
        for key, build in zip(self.order, builders, strict=True):
            if key not in self.blocks:
                self.blocks[key] = StyledResidual(build(config), config)
        self.norm = StyledNorm(config.width, config.style_width)
        self.motion_map = nn.Linear(config.width, config.outputs)
        self.articulation = ArticulationHeads(config) if config.phones else None
        # The blendshape weights of one unit of each output. Training sets them so that all outputs
        # move the face equally far: one blendshape moves the lips by centimetres, another hardly.
        units = torch.eye(len(config.blendshapes)) if config.blendshapes else None  # (k, k)
        self.register_buffer("output_units", units)
        nn.init.normal_(self.style_table.weight, std=0.5)
        nn.init.zeros_(self.motion_map.bias)

    def forward(self, features: Tensor, style: Tensor, amplitude: float = 1.0) -> Tensor:
        """Predict all frames of a recording.

        Args:
            features: (b, l, m, c) at the motion's frame rate.
            style: (b, s).
            amplitude: see :meth:`step`.

        Returns:
            (b, l, k), not clamped.
        """
        return self.step(features, style, self.initial_state(batch=len(features)), amplitude)[0]

    def initial_state(self, position: int = 0, batch: int = 1) -> DecoderState:
        """Return the state at frame `position`, with nothing before it."""
        mixers = (self.blocks[key].inner for key in self.order)
        return [
            m.initial_state(position, batch) if isinstance(m, GroupedQueryAttention) else None
            for m in mixers
        ]

    def step(
        self, features: Tensor, style: Tensor, state: DecoderState, amplitude: float = 1.0
    ) -> tuple[Tensor, DecoderState]:
        """Predict the next frames of a recording; no frame depends on a later one.

        Args:
            features: (b, l, m, c), of the frames that follow those before.
            style: (b, s).
            state: from :meth:`initial_state` or the step before.
            amplitude: factor of the motion. Lips that touch do so at any: they are closed after it.

        Returns:
            (b, l, k), not clamped, and the new state.
        """
        x, new_state = self.states(features, style, state)
        motion = amplitude * self.motion(x, style)
        if self.articulation is not None:
            motion = self.articulation.close_lips(motion, x)
        return motion, new_state

    def states(
        self, features: Tensor, style: Tensor, state: DecoderState
    ) -> tuple[Tensor, DecoderState]:
        """Return the last state of each frame, (b, l, d); arguments as for :meth:`step`."""
        mix = torch.softmax(self.layer_mix, 0)  # (m,)
        mixed = torch.einsum("blmc,m->blc", self.layer_norm(features), mix)  # (b, l, c)
        x = self.feature_map(self.dropout(mixed))  # (b, l, d)
        new_state = []
        for key, block_state in zip(self.order, state, strict=True):
            x, block_state = self.blocks[key](x, style, block_state)
            new_state.append(block_state)
        return x, new_state

    def motion(self, x: Tensor, style: Tensor) -> Tensor:
        """Map last states (b, l, d) in a style (b, s) to motion (b, l, k)."""
        motion = self.motion_map(self.norm(x, style))
        units = self.output_units
        return motion if units is None else motion @ units


class ArticulationHeads(nn.Module):
    """What each frame articulates: logits of phones, and of lip contact.

    Contact is bilabial (the lips touch, as in P, B, M) or labiodental (the lower lip lies at the
    upper teeth, as in F, V).
    """

    CERTAIN = (0.35, 0.65)  # probability from which contact counts, and counts fully
    AT_TEETH = 2.2e-3  # metres: largest lip aperture in labiodental contact

    aperture: Tensor

    def __init__(self, config: JambaTalkConfig) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(config.width)
        self.phone_map = nn.Linear(config.width, len(config.phones))
        self.contact_map = nn.Linear(config.width, 2)
        self.closing = config.blendshapes.index("mouthClose")
        # Metres of lip aperture for a weight of 1 of each blendshape; of the face trained on
        self.register_buffer("aperture", torch.zeros(len(config.blendshapes)))  # (k,)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits of phones (b, l, p) and of contact (b, l, 2) of last states (b, l, d)."""
        x = self.norm(x)
        return self.phone_map(x), self.contact_map(x)

    def close_lips(self, motion: Tensor, x: Tensor) -> Tensor:
        """Close the lips of motion (b, l, k) with mouthClose where there is contact."""
        low, high = self.CERTAIN
        contact = torch.sigmoid(self.contact_map(self.norm(x)))  # (b, l, 2)
        certain = ((contact - low) / (high - low)).clamp(0.0, 1.0)
        certain = certain * certain * (3.0 - 2.0 * certain)  # smoothstep
        aperture = motion.clamp(0.0, 1.0) @ self.aperture  # (b, l)
        excess = torch.stack([aperture, aperture - self.AT_TEETH], -1).clamp(min=0.0)
        excess = (certain * excess).amax(-1)  # (b, l)
        closed = motion.clone()
        closed[..., self.closing] += excess / -self.aperture[self.closing]
        return closed


class StyledNorm(nn.Module):
    """Root-mean-square norm with gain and bias set by the style, initially the plain norm.

    Adaptive normalisation (adaLN), arXiv 2212.09748.
    """

    def __init__(self, width: int, style_width: int) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(width)
        self.style_map = nn.Linear(style_width, 2 * width, bias=False)
        nn.init.zeros_(self.style_map.weight)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Normalise x (b, l, d) in a style (b, s)."""
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
        """Return x (b, l, d) plus `inner` of it, and the new state of an `inner` that has one."""
        y = self.norm(x, style)
        if isinstance(self.inner, Mamba | GroupedQueryAttention):
            y, state = self.inner(y, state)
        else:
            y = self.inner(y)
        return x + self.dropout(y), state
