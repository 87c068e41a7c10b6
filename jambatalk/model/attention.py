"""Grouped-query attention with a low-rank learned rotary embedding (LRL-RoPE).

    b batch     l frames     p past frames     w window (frames that a frame looks back)
    d channels  h query heads    g key-value heads    k channels a head, d / h

JambaTalk, arXiv 2408.01627, section 3; grouped queries: arXiv 2305.13245.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


class LowRankRotary(nn.Module):
    """Rotary position embedding whose sines and cosines a learned low-rank map corrects.

    Angles are t·θ_i with θ_i = 10000^(-2i/d), over the whole width before heads are split; pairs
    are even and odd channels. The correction starts at zero, as plain rotary embedding.
    """

    theta: Tensor

    def __init__(self, d_model: int, rank: int = 16) -> None:
        super().__init__()
        theta = 10000.0 ** (-torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)
        self.register_buffer("theta", theta, persistent=False)  # (d/2,)
        self.down = nn.Linear(d_model, rank, bias=False)
        self.up = nn.Linear(rank, d_model, bias=False)
        nn.init.zeros_(self.up.weight)

    def forward(self, length: int, position: int = 0) -> tuple[Tensor, Tensor]:
        """Return sines and cosines (l, d/2) of `length` frames from frame `position` on."""
        # float64 up to the sine: an hour has 108,000 frames
        t = position + torch.arange(length, dtype=torch.float64, device=self.theta.device)
        angles = torch.outer(t, self.theta)  # (l, d/2)
        table = torch.cat([angles.sin(), angles.cos()], -1).to(self.down.weight.dtype)  # (l, d)
        sin, cos = (table + self.up(self.down(table))).chunk(2, -1)  # (l, d/2) each
        return sin, cos


def rotate(x: Tensor, sin: Tensor, cos: Tensor) -> Tensor:
    """Rotate the pairs of even and odd channels of x (b, l, d) by the angles of their frame."""
    even, odd = x[..., 0::2], x[..., 1::2]  # (b, l, d/2) each
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)


class AttentionState(NamedTuple):
    """Keys and values that the next frames may attend to, and the number of the next frame."""

    keys: Tensor  # (b, p, g k), p <= w, before rotation
    values: Tensor  # (b, p, g k)
    position: int


class GroupedQueryAttention(nn.Module):
    """Self-attention in which several query heads share a key-value head, (b, l, d) → (b, l, d).

    With a window, each frame attends to itself and to the `window` frames before it: time and
    memory grow linearly with length, and a sequence can be continued from a state. Without, every
    frame attends to all.
    """

    def __init__(
        self,
        d_model: int,
        heads: int,
        kv_heads: int,
        rotary_rank: int,
        window: int | None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.window, self.dropout = heads, kv_heads, window, dropout
        kv_width = d_model // heads * kv_heads  # g k
        self.q_proj = nn.Linear(d_model, d_model)
        self.k_proj = nn.Linear(d_model, kv_width)
        self.v_proj = nn.Linear(d_model, kv_width)
        self.out_proj = nn.Linear(d_model, d_model)
        self.rotary = LowRankRotary(d_model, rotary_rank)

    def forward(
        self, x: Tensor, state: AttentionState | None = None
    ) -> tuple[Tensor, AttentionState | None]:
        """Attend, continuing from `state` (None: from the first frame).

        Returns:
            The output and the new state; without a window there is none.
        """
        state = state or self.initial_state(batch=len(x))
        past, length = state.keys.shape[1], x.shape[1]
        sin, cos = self.rotary(past + length, state.position - past)  # (p + l, d/2) each
        keys = torch.cat([state.keys, self.k_proj(x)], 1)  # (b, p + l, g k)
        values = torch.cat([state.values, self.v_proj(x)], 1)
        # Angles differ over the whole width, so keys are rotated after they are repeated; the
        # state holds them before that, h / g times smaller.
        q = self._split_heads(rotate(self.q_proj(x), sin[past:], cos[past:]))  # (b, h, l, k)
        k = self._split_heads(rotate(self._repeat_heads(keys), sin, cos))  # (b, h, p + l, k)
        v = self._split_heads(self._repeat_heads(values))
        dropout = self.dropout if self.training else 0.0
        if self.window is None:
            y = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout)
            return self._merge_heads(y), None
        y = _windowed_attention(q, k, v, self.window, dropout)
        last = slice(max(0, past + length - self.window), None)
        state = AttentionState(keys[:, last], values[:, last], state.position + length)
        return self._merge_heads(y), state

    def initial_state(self, position: int = 0, batch: int = 1) -> AttentionState:
        """Return the state at frame `position`, with nothing before it."""
        empty = self.k_proj.weight.new_zeros(batch, 0, self.k_proj.out_features)
        return AttentionState(empty, empty, position)

    def _repeat_heads(self, x: Tensor) -> Tensor:
        """Repeat each key or value head for the query heads that share it: (b, l, g k) → d."""
        groups = x.unflatten(-1, (self.kv_heads, -1))  # (b, l, g, k)
        return groups.repeat_interleave(self.heads // self.kv_heads, 2).flatten(2)

    def _split_heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (b, h, l, k)

    def _merge_heads(self, x: Tensor) -> Tensor:
        return self.out_proj(x.transpose(1, 2).flatten(2))  # (b, l, d)


def _windowed_attention(q: Tensor, k: Tensor, v: Tensor, window: int, dropout: float) -> Tensor:
    """Attend from each frame to itself and to at most `window` frames before it.

    Frames are cut into blocks of `window`, each of which attends to itself and the block before.

    Args:
        q: (b, h, l, k).
        k: (b, h, p + l, k), starting p <= window frames earlier.
        v: as `k`.

    Returns:
        (b, h, l, k).
    """
    length, past = q.shape[2], k.shape[2] - q.shape[2]
    padding = -length % window
    blocks = (length + padding) // window
    q = F.pad(q, (0, 0, 0, padding)).unflatten(2, (blocks, window))  # (b, h, blocks, w, k)
    k, v = (
        F.pad(x, (0, 0, window - past, padding)).unfold(2, 2 * window, window).transpose(-1, -2)
        for x in (k, v)
    )  # (b, h, blocks, 2w, k) each
    query = torch.arange(window, device=q.device)
    key = torch.arange(2 * window, device=q.device) - window
    distance = query[:, None] - key  # (w, 2w)
    frame = key + window * torch.arange(blocks, device=q.device)[:, None]  # (blocks, 2w)
    near = (distance >= 0) & (distance <= window)
    mask = near & (frame >= -past)[:, None]  # (blocks, w, 2w)
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout)
    return y.flatten(2, 3)[:, :, :length]
