"""What layers are made of, built from the configuration; how they are wired is the decoder's."""

from __future__ import annotations

from torch import nn

from jambatalk.model.attention import GroupedQueryAttention
from jambatalk.model.config import JambaTalkConfig
from jambatalk.model.mamba import Mamba
from jambatalk.model.moe import MixtureOfExperts, PaperMixtureOfExperts


def mamba(config: JambaTalkConfig) -> Mamba:
    """The mixer of a layer of its own."""
    return Mamba(config.width, config.d_state, config.d_conv, config.expand)


def moe_mamba(config: JambaTalkConfig) -> Mamba:
    """The mixer beside experts."""
    d_state, d_conv = config.moe_d_state or config.d_state, config.moe_d_conv or config.d_conv
    return Mamba(config.width, d_state, d_conv, config.expand)


def experts(config: JambaTalkConfig) -> MixtureOfExperts:
    """The mixture behind a mixer."""
    if config.block == "paper":
        return PaperMixtureOfExperts(config.width, config.experts, config.second_expert)
    return MixtureOfExperts(config.width, config.experts, config.experts_per_frame)


def attention(config: JambaTalkConfig) -> GroupedQueryAttention:
    """Self-attention over the recording, or over the frames before."""
    return GroupedQueryAttention(
        config.width, config.heads, config.kv_heads, config.rotary_rank, config.attention_window
    )


def feed_forward(config: JambaTalkConfig) -> nn.Sequential:
    """The network of one hidden layer behind attention."""
    hidden = config.feed_forward or 4 * config.width
    return nn.Sequential(
        nn.Linear(config.width, hidden), nn.ReLU(), nn.Linear(hidden, config.width)
    )
