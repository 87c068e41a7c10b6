"""The published networks with their losses, each in one module, one recording a step.

    n samples    t frames    k outputs (3 V for vertices)

A recording is samples (1, n) at 16 kHz, the captured motion (1, t, k) and its template (1, 3 V), in
the set's units, and the index of a style (1,).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from jambatalk.networks.motion_codes import MotionCodes
from jambatalk.networks.network import Network
from jambatalk.networks.selftalk import SelfTalk
from jambatalk.paper.layouts import LETTERS
from jambatalk.paper.lip_reader import LipReader
from jambatalk.train.task import Losses

if TYPE_CHECKING:
    from transformers import Wav2Vec2ForCTC


class PublishedModule(nn.Module):
    """A network with the losses that it computes itself."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        network.freeze()

    @property
    def model(self) -> Network:
        """The network that is saved."""
        return self.network

    def forward(self, samples: Tensor, target: Tensor, template: Tensor, style: Tensor) -> Losses:
        """Compute the losses of a recording."""
        network, device = self.network, self.network.device
        row = network.table()[style.to(device)]
        return self.losses(samples[0].to(device), template.to(device), target.to(device), row)

    def losses(self, samples: Tensor, template: Tensor, target: Tensor, style: Tensor) -> Losses:
        """Compute the losses of samples (n,) in a style (1, s)."""
        return self.network.losses(samples, template, target, style)

    def predict(self, samples: Tensor, target: Tensor, template: Tensor, style: Tensor) -> Tensor:
        """Predict offsets from the template, or weights, (1, t, k), of the target's length."""
        network, device = self.network, self.network.device
        features = network.extract_features(samples[0].to(device), target.shape[1])
        row = network.table()[style.to(device)]
        return network.decode(features, row, template.to(device))


class SelfTalkModule(PublishedModule):
    """SelfTalk with its lip reader and its frozen text encoder."""

    network: SelfTalk

    def __init__(
        self, network: SelfTalk, lip_reader: LipReader, text_encoder: Wav2Vec2ForCTC
    ) -> None:
        super().__init__(network)
        self.lip_reader, self.text_encoder = lip_reader, text_encoder.requires_grad_(False)

    def train(self, mode: bool = True) -> SelfTalkModule:
        """Set training mode; the text encoder stays in evaluation mode."""
        super().train(mode)
        self.text_encoder.eval()
        return self

    def losses(self, samples: Tensor, template: Tensor, target: Tensor, style: Tensor) -> Losses:
        """Compute the losses of samples (n,); there is one style."""
        reading = self.lip_reader, self.text_encoder
        return self.network.reading_losses(samples, template, target, *reading)


class FirstStageModule(nn.Module):
    """CodeTalker's autoencoder of motion, which hears nothing."""

    def __init__(self, codes: MotionCodes) -> None:
        super().__init__()
        self.codes = codes

    @property
    def model(self) -> MotionCodes:
        """The network that is saved."""
        return self.codes

    def forward(self, samples: Tensor, target: Tensor, template: Tensor, style: Tensor) -> Losses:
        """Compute the losses of a recording."""
        device = next(self.parameters()).device
        return self.codes.loss(template.to(device), target.to(device))

    def predict(self, samples: Tensor, target: Tensor, template: Tensor, style: Tensor) -> Tensor:
        """Reconstruct offsets (1, t, 3 V) of the captured motion from its codes."""
        device = next(self.parameters()).device
        codes = self.codes.nearest(self.codes.encode((target - template[:, None]).to(device)))
        return self.codes.decode(codes.codes)


def new_lip_reader(lips: Tensor, text_encoder: Wav2Vec2ForCTC) -> LipReader:
    """Build an untrained lip reader of vertices (h,) for the letters of a text encoder."""
    config = text_encoder.config
    reader = LipReader(len(lips), config.hidden_size, config.vocab_size or LETTERS)
    reader.lips.copy_(torch.as_tensor(lips))
    return reader
