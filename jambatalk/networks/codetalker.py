"""CodeTalker: speech to codes of motion, frame by frame, and codes to motion.

    n samples    t frames    S subjects    d channels    V vertices    p parts    z of a code
    h of the first stage

arXiv 2301.02379.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from jambatalk.networks.config import CodeTalkerConfig
from jambatalk.networks.faceformer import features_before_transformer, new_causal_decoder
from jambatalk.networks.motion_codes import MotionCodes
from jambatalk.networks.network import Network, composed, count_decoder_layers
from jambatalk.networks.positions import sines

FIRST_STAGE = ("encoder.", "decoder.", "quantize.")  # names in the first stage's file


class Run(NamedTuple):
    """What a run gives, frame by frame."""

    latents: Tensor  # (1, t p, z), before quantisation
    inputs: Tensor  # (1, t, d), of the decoder
    fed_back: Tensor  # (1, t, h), what the first stage maps to the offsets that were fed back


class CodeTalker(Network):
    """Speech → offsets of all vertices, in the style of a training subject.

    The decoder of codes looks both ways and normalises over time, so that all frames until now
    are decoded anew for each one that is fed back; the work grows with the square of the length.
    """

    config: CodeTalkerConfig
    shortest = 2  # one frame cannot be normalised over time

    def __init__(self, config: CodeTalkerConfig) -> None:
        super().__init__(config)
        width, hidden = config.width, self.audio_encoder.config.hidden_size
        self.audio_feature_map = nn.Linear(hidden, width)
        self.vertice_map = nn.Linear(config.outputs, width)
        self.transformer_decoder = new_causal_decoder(config)
        self.feat_map = nn.Linear(width, config.parts * config.code_width, bias=False)
        self.learnable_style_emb = nn.Embedding(len(config.styles), width)
        self.autoencoder = MotionCodes(config)

    def freeze(self) -> None:
        """Keep the convolutions and the first stage as they are."""
        super().freeze()
        self.autoencoder.requires_grad_(False)

    def train(self, mode: bool = True) -> CodeTalker:
        """Set training mode of the second stage; the first stays in evaluation mode."""
        super().train(mode)
        self.autoencoder.eval()
        return self

    @classmethod
    def sizes(cls, weights: Mapping[str, Tensor]) -> dict[str, Any]:
        """Read the widths off the authors' weights, of both stages."""
        weights = {name.removeprefix("autoencoder."): w for name, w in weights.items()}
        width, outputs = weights["vertice_map.weight"].shape
        codes, code_width = weights["quantize.embedding.weight"].shape
        feed_forward, hidden = weights["encoder.encoder_transformer.net.1.fn.fn.l1.weight"].shape
        blocks = sum(
            name.startswith("encoder.encoder_transformer.net.") and name.endswith("l1.weight")
            for name in weights
        )
        return {
            "width": width,
            "vertices": outputs // 3,
            "layers": count_decoder_layers(weights),
            "hidden": hidden,
            "blocks": blocks,
            "feed_forward": feed_forward,
            "codes": codes,
            "code_width": code_width,
            "parts": len(weights["feat_map.weight"]) // code_width,
        }

    def rename(self, weights: Mapping[str, Tensor], cure: str) -> dict[str, Tensor]:
        """Put the first stage's weights beside the second's."""
        return {
            f"autoencoder.{name}" if name.startswith(FIRST_STAGE) else name: weight
            for name, weight in weights.items()
        }

    def constants(self) -> dict[str, Tensor]:
        """Return the published tables of positions, of which the first stage uses one row."""
        row = sines(torch.zeros(1), self.config.hidden)[:, None]
        return {
            "PPE.pe": self.transformer_decoder.published_positions(),
            "autoencoder.encoder.encoder_pos_embedding.pe": row,
            "autoencoder.decoder.decoder_pos_embedding.pe": row,
        }

    def extract_features(self, samples: Tensor, frames: int | None = None) -> Tensor:
        """Compute the decoder's memory (1, t, d), or (1, 2 t, d) at 25 frames a second."""
        return features_before_transformer(self, samples, frames)

    def decode(self, features: Tensor, style: Tensor, template: Tensor, seed: int = 0) -> Tensor:
        """Predict offsets (1, t, 3 V) in a mixture (1, S) of subjects."""
        latents = self.run(features, style).latents
        return self.autoencoder.decode(self.autoencoder.nearest(latents).codes)

    def run(self, memory: Tensor, style: Tensor) -> Run:
        """Decode frame by frame.

        Codes of earlier frames stay as they are, but not their offsets: what is fed back is the
        last frame as decoded then. Its offsets only pass through two linear maps, which are one.
        """
        s, decoder = self.style_vector(style), self.autoencoder.decoder
        codes = memory.new_zeros(1, 0, self.config.parts * self.config.code_width)
        convolved, fed_back = memory.new_zeros(1, decoder.width, 0), []
        weight, bias = composed(self.vertice_map, decoder.vertice_map_reverse)

        def feed_back(y: Tensor) -> Tensor:
            nonlocal codes, convolved
            new = self.autoencoder.nearest(self.latents(y)).codes
            codes = torch.cat([codes, self.autoencoder.joined(new)], 1)
            if codes.shape[1] == 1:  # decoded as two equal ones: a constant of the weights
                last = decoder.single_frame()
            else:
                last, convolved = decoder.last_frame(codes, convolved)
            fed_back.append(last)
            return F.linear(last, weight, bias) + s

        outputs, inputs = self.transformer_decoder.run(memory, s, feed_back)
        feed_back(outputs[:, -1:])  # the last frame, which no other follows
        return Run(self.latents(outputs), inputs, torch.cat(fed_back, 1))

    def latents(self, y: Tensor) -> Tensor:
        """Map the decoder's output (1, t, d) to latents (1, t p, z)."""
        return self.feat_map(y).unflatten(-1, (self.config.parts, -1)).flatten(1, 2)

    def style_vector(self, style: Tensor) -> Tensor:
        """Return the vector (1, 1, d) of a mixture (1, S) of subjects."""
        return (style @ self.learnable_style_emb.weight)[:, None]

    def force(self, memory: Tensor, style: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
        """Decode with the captured offsets (1, t, 3 V) fed back, all frames at once.

        Returns:
            Latents (1, t p, z), and the decoder's inputs (1, t, d).
        """
        before = F.pad(offsets[:, :-1], (0, 0, 1, 0))
        fed = self.vertice_map(before) + self.style_vector(style)
        y = self.transformer_decoder(fed, self.transformer_decoder.begin(memory))[0]
        return self.latents(y), fed

    def losses(
        self, samples: Tensor, template: Tensor, target: Tensor, style: Tensor
    ) -> dict[str, Tensor]:
        """Compute the terms of the second stage's loss, which is their sum.

        The first stage is frozen, in evaluation mode.

        Args:
            samples: (n,) at 16 kHz.
            template: (1, 3 V), and target (1, t, 3 V), in the units of the training set.
            style: (1, S).
        """
        memory = self.extract_features(samples, target.shape[1])
        target = target[:, : memory.shape[1] // self.config.features_per_frame]
        offsets = target - template[:, None]
        latents, _ = self.force(memory, style, offsets)
        with torch.no_grad():
            codes = self.autoencoder.nearest(self.autoencoder.encode(offsets)).codes
        vertices = self.autoencoder.decode(self.autoencoder.nearest(latents).codes)
        return {
            "vertices": F.mse_loss(vertices + template[:, None], target),
            "codes": F.mse_loss(latents, codes),
        }
