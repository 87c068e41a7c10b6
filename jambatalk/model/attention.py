"""Grouped-query attention with a low-rank learned rotary embedding (LRL-RoPE).

Shapes: b batch, l frames, d channels, h heads, k channels a head, w window.
JambaTalk, arXiv 2408.01627, section 3.
"""

from __future__ import annotations

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

    def forward(self, length: int) -> tuple[Tensor, Tensor]:
        """The sines and cosines of frames 0 .. length-1, (l, d/2) each."""
        # float64 until the sine: an hour has 108,000 frames
        t = torch.arange(length, dtype=torch.float64, device=self.theta.device)
        angles = torch.outer(t, self.theta)  # (l, d/2)
        table = torch.cat([angles.sin(), angles.cos()], -1).to(self.down.weight.dtype)  # (l, d)
        sin, cos = (table + self.up(self.down(table))).chunk(2, -1)
        return sin, cos


def rotate(x: Tensor, sin: Tensor, cos: Tensor) -> Tensor:
    """Turns the pairs of even and odd channels of x (b, l, d) by their frame's angles."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)


class GroupedQueryAttention(nn.Module):
    """Self-attention in which several query heads share a key-value head, (b, l, d) → (b, l, d).

    With a window, a frame attends to that many frames on each side, and time and memory grow
    linearly with length. Grouped queries: arXiv 2305.13245.
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

    def forward(self, x: Tensor) -> Tensor:
        """Attends; x (b, l, d)."""
        sin, cos = self.rotary(x.shape[1])
        q = self._split(rotate(self.q_proj(x), sin, cos))  # (b, h, l, k)
        k = self._split(rotate(self._share(self.k_proj(x)), sin, cos))
        v = self._split(self._share(self.v_proj(x)))
        if self.window is None:
            y = F.scaled_dot_product_attention(q, k, v)
        else:
            y = _banded_attention(q, k, v, self.window)
        return self.out_proj(y.transpose(1, 2).flatten(2))

    def _share(self, x: Tensor) -> Tensor:
        """Gives each query head its group's key or value head: (b, l, kv width) → (b, l, d)."""
        groups = x.unflatten(-1, (self.kv_heads, -1))
        return groups.repeat_interleave(self.heads // self.kv_heads, 2).flatten(2)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def _banded_attention(q: Tensor, k: Tensor, v: Tensor, window: int) -> Tensor:
    """Attention of each frame to those at most `window` away; q, k, v (b, h, l, k).

    Frames are cut into blocks of `window`, each of which sees itself and its two neighbours.
    """
    length = q.shape[2]
    padding = -length % window
    blocks = (length + padding) // window
    q = F.pad(q, (0, 0, 0, padding)).unflatten(2, (blocks, window))  # (b, h, blocks, w, k)
    # each block's keys start one block earlier: unfold over the padded frames
    near = [
        F.pad(x, (0, 0, window, padding + window)).unfold(2, 3 * window, window).transpose(-1, -2)
        for x in (k, v)
    ]  # (b, h, blocks, 3w, k) each
    frame = torch.arange(window, device=q.device)
    key = torch.arange(3 * window, device=q.device) - window
    close = (frame[:, None] - key).abs() <= window  # (w, 3w)
    place = key + window * torch.arange(blocks, device=q.device)[:, None]  # (blocks, 3w)
    real = (place >= 0) & (place < length)
    own = frame[:, None] == key  # frames of the padding attend to themselves, not to nothing
    mask = close & real[:, None] | own  # (blocks, w, 3w)
    y = F.scaled_dot_product_attention(q, *near, attn_mask=mask)
    return y.flatten(2, 3)[:, :, :length]
