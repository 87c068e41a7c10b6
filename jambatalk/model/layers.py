"""The modules that decoder layers are made of, built from the configuration.

How they are wired is up to the decoders.
"""

from __future__ import annotations

from torch import nn

from jambatalk.model.attention import GroupedQueryAttention
from jambatalk.model.config import JambaTalkConfig
from jambatalk.model.mamba import Mamba
from jambatalk.model.moe import MixtureOfExperts, PaperMixtureOfExperts


def mamba(config: JambaTalkConfig) -> Mamba:
    """Build the mixer of a "mamba" layer."""
    return Mamba(config.width, config.d_state, config.d_conv, config.expand)


def moe_mamba(config: JambaTalkConfig) -> Mamba:
    """Build the mixer of a "mamba_moe" layer."""
    d_state, d_conv = config.moe_d_state or config.d_state, config.moe_d_conv or config.d_conv
    return Mamba(config.width, d_state, d_conv, config.expand)


def experts(config: JambaTalkConfig) -> MixtureOfExperts:
    """Build the mixture of experts of a "mamba_moe" layer."""
    if config.block == "paper":
        return PaperMixtureOfExperts(config.width, config.experts, config.second_expert)
    return MixtureOfExperts(config.width, config.experts, config.experts_per_frame)


def attention(config: JambaTalkConfig) -> GroupedQueryAttention:
    """Build the self-attention of an "attention" layer."""
    return GroupedQueryAttention(
        config.width,
        config.heads,
        config.kv_heads,
        config.rotary_rank,
        config.attention_window,
        dropout=_inner_dropout(config),
    )


def feed_forward(config: JambaTalkConfig) -> nn.Sequential:
    """Build the network of one hidden layer behind attention."""
    hidden = config.feed_forward or 4 * config.width
    return nn.Sequential(
        nn.Linear(config.width, hidden),
        nn.Sequential(nn.ReLU(), nn.Dropout(_inner_dropout(config))),
        nn.Linear(hidden, config.width),
    )


def _inner_dropout(config: JambaTalkConfig) -> float:
    """Return the dropout inside of attention and feed-forward, which only the paper has."""
    return config.dropout if config.block == "paper" else 0.0
