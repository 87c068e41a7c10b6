"""The decoder of FaceFormer and CodeTalker: one frame after the other, each fed back.

A frame attends to those before it, less the further back they lie (biased causal attention), and
to its own features of speech alone. Nothing later reaches an earlier frame: its keys and values
are kept, and a step costs one frame's work where the published code runs all earlier ones again.
Parameters are named as in :class:`torch.nn.TransformerDecoder`.

    t frames    q frames decoded at a time    r features a frame    h heads    d channels

FaceFormer, arXiv 2112.05329.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from jambatalk.networks.config import HEADS
from jambatalk.networks.positions import sines


def biased_mask(period: int, queries: Tensor, keys: Tensor) -> Tensor:
    """Return what is added to the scores of self-attention (h, q, k): the past counts for less.

    Args:
        period: frames that count as one step back.
        queries, keys: numbers of frames.
    """
    slopes = 4.0 ** -torch.arange(1, HEADS + 1, device=keys.device)
    distance = queries[:, None] - keys
    bias = -slopes[:, None, None] * distance.div(period, rounding_mode="floor")
    return bias.masked_fill(distance < 0, -math.inf)


def memory_mask(frames: int, features_per_frame: int) -> Tensor:
    """Return which features are hidden from each frame (t, t r).

    The decoder needs no such mask: it gives each frame its own features.
    """
    frame = torch.arange(frames)
    return frame.repeat_interleave(features_per_frame) != frame[:, None]


class Cache(NamedTuple):
    """What a layer keeps: of the decoded frames (1, h, t, d / h), of speech (1, t, h, r, d / h).

    A frame with one feature attends to it whatever its query is, so that what it hears is known
    from the start: `heard` (1, t, d), in place of the speech's keys and values.
    """

    keys: Tensor
    values: Tensor
    speech_keys: Tensor | None = None
    speech_values: Tensor | None = None
    heard: Tensor | None = None


class CausalDecoderLayer(nn.TransformerDecoderLayer):
    """Self-attention, attention to speech and feed-forward, each followed by its norm."""

    def __init__(self, width: int) -> None:
        super().__init__(width, HEADS, 2 * width, batch_first=True)

    def begin(self, memory: Tensor) -> Cache:
        """Return the cache before the first frame, of speech (1, t, r, d)."""
        empty = memory.new_empty(1, HEADS, 0, memory.shape[-1] // HEADS)
        if memory.shape[2] == 1 and not self.training:  # no dropout of attention
            (values,) = _project(self.multihead_attn, memory[:, :, 0], 2, 1)
            return Cache(empty, empty, heard=self.multihead_attn.out_proj(values.flatten(2)))
        keys, values = _project(self.multihead_attn, memory, 1, 2)
        return Cache(empty, empty, keys.transpose(2, 3), values.transpose(2, 3))

    def decode(self, x: Tensor, bias: Tensor, cache: Cache) -> tuple[Tensor, Cache]:
        """Decode the next frames x (1, q, d), biased by (h, q, k) towards all k until then."""
        q, k, v = (y.transpose(1, 2) for y in _project(self.self_attn, x, 0, 3))
        start = cache.keys.shape[2]
        cache = cache._replace(
            keys=torch.cat([cache.keys, k], 2), values=torch.cat([cache.values, v], 2)
        )
        dropout = self.self_attn.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(q, cache.keys, cache.values, bias[None], dropout)
        x = self.norm1(x + self.dropout1(self.self_attn.out_proj(y.transpose(1, 2).flatten(2))))
        own = slice(start, start + x.shape[1])  # each frame's own speech
        x = self.norm2(x + self.dropout2(self._hear(x, cache, own)))
        y = self.linear2(self.dropout(F.relu(self.linear1(x))))
        return self.norm3(x + self.dropout3(y)), cache

    def _hear(self, x: Tensor, cache: Cache, own: slice) -> Tensor:
        """Attend from frames (1, q, d) to their own speech."""
        if cache.heard is not None:
            return cache.heard[:, own]
        assert cache.speech_keys is not None
        assert cache.speech_values is not None
        (q,) = _project(self.multihead_attn, x, 0, 1)  # (1, q, h, d / h)
        keys, values = cache.speech_keys[:, own], cache.speech_values[:, own]
        dropout = self.multihead_attn.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(q[..., None, :], keys, values, None, dropout)
        return self.multihead_attn.out_proj(y.flatten(2))


class CausalDecoder(nn.Module):
    """Layers, periodic positions and biases.

    Args:
        period: of positions and biases, frames.
        features_per_frame: of speech: 1 where it was stretched to the frames, 2 at 25 a second.
    """

    def __init__(self, width: int, layers: int, period: int, features_per_frame: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(CausalDecoderLayer(width) for _ in range(layers))
        self.width, self.period, self.features_per_frame = width, period, features_per_frame
        self.dropout = nn.Dropout(0.1)  # of the input

    def begin(self, memory: Tensor) -> list[Cache]:
        """Return each layer's cache before the first frame, of speech (1, t r, d)."""
        windows = memory.unflatten(1, (-1, self.features_per_frame))
        return [layer.begin(windows) for layer in self._layers]

    def forward(self, x: Tensor, caches: list[Cache]) -> tuple[Tensor, list[Cache]]:
        """Decode the next frames x (1, q, d), also all at once."""
        start = caches[0].keys.shape[2]
        frames = torch.arange(start + x.shape[1], device=x.device)
        bias = biased_mask(self.period, frames[start:], frames)
        x = self.dropout(x + sines(frames[start:] % self.period, self.width))
        kept = []
        for layer, cache in zip(self._layers, caches, strict=True):
            x, cache = layer.decode(x, bias, cache)
            kept.append(cache)
        return x, kept

    def run(
        self, memory: Tensor, first: Tensor, feed_back: Callable[[Tensor], Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Decode frame by frame, from the input of the first (1, 1, d).

        Args:
            memory: speech (1, t r, d), which says how many frames there are.
            feed_back: the output of a frame (1, 1, d) → the input of the next.

        Returns:
            Outputs and inputs (1, t, d).
        """
        caches, x = self.begin(memory), first
        inputs: list[Tensor] = []
        outputs: list[Tensor] = []
        for _ in range(memory.shape[1] // self.features_per_frame):
            if outputs:
                x = feed_back(outputs[-1])
            y, caches = self(x, caches)
            inputs.append(x)
            outputs.append(y)
        return torch.cat(outputs, 1), torch.cat(inputs, 1)

    def published_positions(self) -> Tensor:
        """Return the table of positions that the authors saved with their weights."""
        frames = torch.arange((600 // self.period + 1) * self.period)
        return sines(frames % self.period, self.width)[None]

    @property
    def _layers(self) -> list[CausalDecoderLayer]:
        return list(self.layers)  # type: ignore[arg-type]


def _project(
    attention: nn.MultiheadAttention, x: Tensor, first: int, count: int
) -> tuple[Tensor, ...]:
    """Project to some of queries, keys and values (0, 1, 2), split in heads (..., h, d / h)."""
    rows = slice(first * attention.embed_dim, (first + count) * attention.embed_dim)
    y = F.linear(x, attention.in_proj_weight[rows], attention.in_proj_bias[rows])
    return tuple(part.unflatten(-1, (HEADS, -1)) for part in y.chunk(count, -1))
