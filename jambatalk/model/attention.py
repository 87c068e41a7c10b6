"""Grouped-query attention with a low-rank learned rotary embedding (LRL-RoPE).

Shapes: b batch, l frames, d channels, h heads, k channels a head, w window.
JambaTalk, arXiv 2408.01627, section 3.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


class LowRankRotary(nn.Module):
    """Rotary position embedding whose sines and cosines are corrected by a learned low-rank map.

    Angles are t·θ_i with θ_i = 10000^(-2i/d), over the whole width before heads are split;
    pairs are even and odd channels. The correction starts at zero, as plain rotary embedding.
    """

    def __init__(self, d_model: int, rank: int = 16) -> None:
        super().__init__()
        theta = 10000.0 ** (-torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)
        self.register_buffer("theta", theta, persistent=False)
        self.down = nn.Linear(d_model, rank, bias=False)
        self.up = nn.Linear(rank, d_model, bias=False)
        nn.init.zeros_(self.up.weight)

    def forward(self, length: int, position: int = 0) -> tuple[Tensor, Tensor]:
        """The sines and cosines of `length` frames from number `position` on, (l, d/2) each."""
        # float64 until the sine: an hour has 108,000 frames
        t = position + torch.arange(length, dtype=torch.float64, device=self.theta.device)
        angles = torch.outer(t, self.theta)  # (l, d/2)
        table = torch.cat([angles.sin(), angles.cos()], -1).to(self.down.weight.dtype)  # (l, d)
        sin, cos = (table + self.up(self.down(table))).chunk(2, -1)
        return sin, cos


def rotate(x: Tensor, sin: Tensor, cos: Tensor) -> Tensor:
    """Turns the pairs of even and odd channels of x (b, l, d) by their frame's angles."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)


class AttentionState(NamedTuple):
    """Where a sequence was left: what the next frames may look back at, and their number."""

    keys: Tensor  # (b, h, at most w, k)
    values: Tensor
    position: int


class GroupedQueryAttention(nn.Module):
    """Self-attention in which several query heads share a key-value head, (b, l, d) → (b, l, d).

    With a window, a frame attends to itself and to that many frames before it: time and memory grow
    linearly with length, and a sequence can be continued where it was left. Without, every frame
    attends to all. Grouped queries: arXiv 2305.13245.
    """

    def __init__(
        self, d_model: int, heads: int, kv_heads: int, rotary_rank: int, window: int | None
    ) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.window = heads, kv_heads, window
        kv_width = d_model // heads * kv_heads
        self.q_proj = nn.Linear(d_model, d_model)
        self.k_proj = nn.Linear(d_model, kv_width)
        self.v_proj = nn.Linear(d_model, kv_width)
        self.out_proj = nn.Linear(d_model, d_model)
        self.rotary = LowRankRotary(d_model, rotary_rank)

    def forward(
        self, x: Tensor, state: AttentionState | None = None
    ) -> tuple[Tensor, AttentionState | None]:
        """Continues from `state` (None: from the start); returns the output and the new state,
        which without a window there is none of."""
        state = state or self.initial_state(batch=len(x))
        sin, cos = self.rotary(x.shape[1], state.position)
        q = self._split(rotate(self.q_proj(x), sin, cos))  # (b, h, l, k)
        k = self._split(rotate(self._share(self.k_proj(x)), sin, cos))
        v = self._split(self._share(self.v_proj(x)))
        if self.window is None:
            y, state = F.scaled_dot_product_attention(q, k, v), None
        else:
            k, v = torch.cat([state.keys, k], 2), torch.cat([state.values, v], 2)
            y = _look_back(q, k, v, self.window)
            last = slice(max(0, k.shape[2] - self.window), None)
            state = AttentionState(k[:, :, last], v[:, :, last], state.position + x.shape[1])
        return self.out_proj(y.transpose(1, 2).flatten(2)), state

    def initial_state(self, position: int = 0, batch: int = 1) -> AttentionState:
        """Return the initial state at frame `position`."""
        nothing = self.out_proj.weight.new_zeros(batch, self.heads, 0, self.head_width)
        return AttentionState(nothing, nothing, position)

    @property
    def head_width(self) -> int:
        """Channels of a head."""
        return self.q_proj.out_features // self.heads

    def _share(self, x: Tensor) -> Tensor:
        """Gives each query head its group's key or value head: (b, l, kv width) → (b, l, d)."""
        groups = x.unflatten(-1, (self.kv_heads, -1))
        return groups.repeat_interleave(self.heads // self.kv_heads, 2).flatten(2)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def _look_back(q: Tensor, k: Tensor, v: Tensor, window: int) -> Tensor:
    """Attention of each frame to itself and to at most `window` before it.

    Frames are cut into blocks of `window`, each of which sees itself and the block before.

    Args:
        q: (b, h, l, k).
        k, v: (b, h, p + l, k), p <= window frames earlier.
    """
    length, past = q.shape[2], k.shape[2] - q.shape[2]
    padding = -length % window
    blocks = (length + padding) // window
    q = F.pad(q, (0, 0, 0, padding)).unflatten(2, (blocks, window))  # (b, h, blocks, w, k)
    near = [
        F.pad(x, (0, 0, window - past, padding)).unfold(2, 2 * window, window).transpose(-1, -2)
        for x in (k, v)
    ]  # (b, h, blocks, 2w, k) each
    frame = torch.arange(window, device=q.device)
    key = torch.arange(2 * window, device=q.device) - window
    distance = frame[:, None] - key  # (w, 2w)
    place = key + window * torch.arange(blocks, device=q.device)[:, None]  # (blocks, 2w)
    mask = ((distance >= 0) & (distance <= window)) & (place >= -past)[:, None]  # (blocks, w, 2w)
    y = F.scaled_dot_product_attention(q, *near, attn_mask=mask)
    return y.flatten(2, 3)[:, :, :length]
