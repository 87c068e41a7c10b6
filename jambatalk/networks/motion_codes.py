"""CodeTalker's autoencoder: motion to the nearest codes of a codebook, and back.

    t frames    V vertices    h channels    p parts of a frame    z channels of a code

arXiv 2301.02379; vector quantisation, 1711.00937. Modules are named as in the authors' weights.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from jambatalk.errors import ModelError
from jambatalk.files.tensors import write_tensors
from jambatalk.model.checkpoint import CONFIG_FILE, load_weights, read_config_as, replace_files
from jambatalk.networks.config import CodeTalkerConfig, config_of
from jambatalk.networks.positions import sines

FIRST_STAGE_FILE = "first_stage.safetensors"
CURE = "Give the checkpoint that training CodeTalker's first stage wrote."
REACH = 2  # frames on each side that a convolution sees
DROPOUT = 0.1  # after the positions, in training
QUANTISATION_WEIGHT = 0.25  # of moving latents to their codes, against codes to their latents


class Quantised(NamedTuple):
    """Latents and the codes nearest to them."""

    codes: Tensor  # (1, t p, z), with the gradient of the latents
    indices: Tensor  # (t p,)
    loss: Tensor  # of quantisation
    perplexity: Tensor  # how many codes are used, if all equally often


class MotionCodes(nn.Module):
    """Offsets of vertices ↔ codes."""

    def __init__(self, config: CodeTalkerConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder, self.decoder = MotionEncoder(config), MotionDecoder(config)
        self.quantize: Any = nn.Module()
        self.quantize.embedding = nn.Embedding(config.codes, config.code_width)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write configuration and weights into a folder, for the second stage."""
        values = json.dumps(self.config.to_dict(), indent=2) + "\n"
        writers: dict[str, Callable[[Path], Any]] = {
            FIRST_STAGE_FILE: partial(write_tensors, self.state_dict()),
            CONFIG_FILE: lambda path: path.write_text(values),
        }
        replace_files(Path(folder), writers)

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> MotionCodes:
        """Load what :meth:`save_pretrained` wrote; raises ModelError."""
        config = read_config_as(Path(folder), config_of)
        if not isinstance(config, CodeTalkerConfig):
            raise ModelError(f"'{folder}' is not of CodeTalker's first stage.", CURE)
        codes = cls(config)
        load_weights(codes, Path(folder) / FIRST_STAGE_FILE)
        return codes

    def encode(self, offsets: Tensor) -> Tensor:
        """Compute latents (1, t p, z) of offsets (1, t, 3 V), frame after frame."""
        return self.encoder(offsets).unflatten(-1, (self.config.parts, -1)).flatten(1, 2)

    def nearest(self, latents: Tensor) -> Quantised:
        """Return the nearest codes of latents (1, t p, z), the first of equally near ones."""
        table, z = self.quantize.embedding.weight, latents[0]
        indices = self.distances(latents).argmin(1)
        codes = table[indices]
        loss = QUANTISATION_WEIGHT * F.mse_loss(z, codes.detach()) + F.mse_loss(codes, z.detach())
        used = F.one_hot(indices, len(table)).float().mean(0)
        perplexity = torch.exp(-(used * torch.log(used + 1e-10)).sum())
        return Quantised((z + (codes - z).detach())[None], indices, loss, perplexity)

    def distances(self, latents: Tensor) -> Tensor:
        """Compute the squared distances (t p, codes) of latents (1, t p, z) to all codes."""
        table, z = self.quantize.embedding.weight, latents[0]
        return z.square().sum(1, keepdim=True) + table.square().sum(1) - 2 * z @ table.T

    def decode(self, codes: Tensor) -> Tensor:
        """Compute offsets (1, t, 3 V) of codes (1, t p, z)."""
        return self.decoder(self.joined(codes))

    def joined(self, codes: Tensor) -> Tensor:
        """Join codes (1, t p, z) to frames (1, t, p z)."""
        return codes.unflatten(1, (-1, self.config.parts)).flatten(2)

    def loss(self, template: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Compute the terms of the first stage's loss, which is their sum.

        Args:
            template: (1, 3 V), and target (1, t, 3 V), in the units of the training set.
        """
        quantised = self.nearest(self.encode(target - template[:, None]))
        vertices = self.decode(quantised.codes) + template[:, None]
        return {"vertices": F.l1_loss(vertices, target), "quantisation": quantised.loss}


class MotionEncoder(nn.Module):
    """Offsets → latents, whose frames look both ways and are normalised over time."""

    def __init__(self, config: CodeTalkerConfig) -> None:
        super().__init__()
        width = config.hidden
        self.vertice_mapping = nn.Sequential(nn.Linear(config.outputs, width), nn.LeakyReLU(0.2))
        self.squasher = nn.Sequential(convolution(width))
        self.encoder_linear_embedding = named_linear(width, width)
        self.encoder_transformer = Blocks(config)
        if config.narrow:
            codes = config.parts * config.code_width
            self.encoder_linear_embedding_post = named_linear(width, codes)

    def forward(self, offsets: Tensor) -> Tensor:
        """Compute latents (1, t, p z) of offsets (1, t, 3 V)."""
        x = self.vertice_mapping(offsets)
        x = self.squasher(x.transpose(1, 2)).transpose(1, 2)
        x = self.encoder_linear_embedding.net(x)
        x = self.encoder_transformer(positioned(x, self.training))
        post = getattr(self, "encoder_linear_embedding_post", None)
        return x if post is None else post.net(x)


class MotionDecoder(nn.Module):
    """Codes → offsets, in the same way back."""

    def __init__(self, config: CodeTalkerConfig) -> None:
        super().__init__()
        self.width = width = config.hidden
        if config.narrow:
            codes = config.parts * config.code_width
            self.decoder_linear_embedding_pre = named_linear(codes, width)
        self.expander: Any = nn.Sequential(convolution(width))
        self.decoder_linear_embedding = named_linear(width, width)
        self.decoder_transformer = Blocks(config)
        # without bias where the codes are narrow
        self.vertice_map_reverse = nn.Linear(width, config.outputs, bias=not config.narrow)

    def forward(self, codes: Tensor) -> Tensor:
        """Compute offsets (1, t, 3 V) of codes (1, t, p z)."""
        x = self._normed(self._convolved(codes))
        return self.vertice_map_reverse(self.decoder_transformer(x))

    def last_frame(self, codes: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        """Compute what is mapped to the offsets of the last frame, (1, 1, h), and it alone.

        Args:
            codes: (1, t, p z) of all frames, more than one.
            before: (1, h, t - 1), convolved, as the last call returned; the padding and the reach
                of the convolution leave all but two of them as they are.

        Returns:
            The last frame, and the frames (1, h, t), convolved.
        """
        count, window = codes.shape[1], 2 * REACH + 1
        convolved = self._convolved(codes[:, -window:])
        if count > window:  # its first frames lack their neighbours
            kept = before[..., : count - REACH - 1]
            convolved = torch.cat([kept, convolved[..., REACH:]], -1)
        return self.decoder_transformer(self._normed(convolved), last_alone=True), convolved

    def single_frame(self) -> Tensor:
        """Compute the same, (1, 1, h), of a sequence of equal frames, whatever they are.

        Normalised over time, they are exactly zero: a constant of the weights.
        """
        zero = self.decoder_linear_embedding.net.weight.new_zeros(1, 1, self.width)
        x = positioned(self.decoder_linear_embedding.net(zero), self.training)
        return self.decoder_transformer(x)

    def _convolved(self, codes: Tensor) -> Tensor:
        """(1, t, p z) → (1, h, t), before the norm over time."""
        pre = getattr(self, "decoder_linear_embedding_pre", None)
        x = codes if pre is None else pre.net(codes)
        return self.expander[0][:2](x.transpose(1, 2))

    def _normed(self, convolved: Tensor) -> Tensor:
        """(1, h, t) → what enters the blocks (1, t, h)."""
        x = self.expander[0][2](convolved).transpose(1, 2)
        return positioned(self.decoder_linear_embedding.net(x), self.training)


class Blocks(nn.Module):
    """Attention and feed-forward in turn, each on its normalised input and added to it."""

    def __init__(self, config: CodeTalkerConfig) -> None:
        super().__init__()
        kinds: tuple[Any, Any] = (Attention, FeedForward)
        self.net = nn.ModuleList(
            Block(config, kind) for _ in range(config.blocks) for kind in kinds
        )

    def forward(self, x: Tensor, last_alone: bool = False) -> Tensor:
        """(1, t, h) → (1, t, h), or (1, 1, h) of the last frame, which costs less."""
        for block in self.net[:-2]:
            x = block(x)
        attention, feed_forward = self.net[-2:]
        return feed_forward(attention(x, queries=1) if last_alone else attention(x))


class Block(nn.Module):
    """x + fn(norm(x))."""

    def __init__(self, config: CodeTalkerConfig, kind: type[nn.Module]) -> None:
        super().__init__()
        self.fn: Any = nn.Module()
        self.fn.norm, self.fn.fn = nn.LayerNorm(config.hidden), kind(config)

    def forward(self, x: Tensor, queries: int = 0) -> Tensor:
        """(1, t, h) → (1, t, h), or of the last frames alone, so many as there are queries."""
        y = self.fn.fn(self.fn.norm(x), queries) if queries else self.fn.fn(self.fn.norm(x))
        return x[:, -queries:] + y


class Attention(nn.Module):
    """Attention to all frames; scores are scaled by the whole width, not by a head's."""

    def __init__(self, config: CodeTalkerConfig) -> None:
        super().__init__()
        self.heads, width = config.attention_heads, config.hidden
        self.to_qkv, self.to_out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width)

    def forward(self, x: Tensor, queries: int = 0) -> Tensor:
        """(1, t, h) → (1, t, h), or of the last frames alone."""
        width = x.shape[-1]
        weights = self.to_qkv.weight.split([width, 2 * width])
        q, kv = (F.linear(y, w) for y, w in zip((x[:, -queries:], x), weights, strict=True))
        q, k, v = (y.unflatten(-1, (self.heads, -1)).transpose(1, 2) for y in (q, *kv.chunk(2, -1)))
        y = F.scaled_dot_product_attention(q, k, v, scale=width**-0.5)
        return self.to_out(y.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """Two linear maps, with the tanh form of GELU between."""

    def __init__(self, config: CodeTalkerConfig) -> None:
        super().__init__()
        self.l1 = nn.Linear(config.hidden, config.feed_forward)
        self.l2 = nn.Linear(config.feed_forward, config.hidden)

    def forward(self, x: Tensor) -> Tensor:
        """(1, t, h) → (1, t, h)."""
        return self.l2(F.gelu(self.l1(x), approximate="tanh"))


def convolution(width: int) -> nn.Sequential:
    """Build a convolution over five frames, normalised over the whole sequence."""
    return nn.Sequential(
        nn.Conv1d(width, width, 2 * REACH + 1, padding=REACH, padding_mode="replicate"),
        nn.LeakyReLU(0.2),
        nn.InstanceNorm1d(width),
    )


def named_linear(inputs: int, outputs: int) -> Any:
    """Build a linear map that is called `net`."""
    module = nn.Module()
    module.net = nn.Linear(inputs, outputs)
    return module


def positioned(x: Tensor, training: bool) -> Tensor:
    """Add a place to frames (1, t, h): as published, all of them have that of the first."""
    x = x + sines(torch.zeros(1, device=x.device), x.shape[-1])
    return F.dropout(x, DROPOUT, training)
