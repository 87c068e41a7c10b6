"""What is trained: a network and its losses in one module, so that processes can share the work."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from jambatalk.model.jambatalk import JambaTalk
from jambatalk.paper.lip_reader import LipReadingNetwork
from jambatalk.train.losses import Losses, lip_losses


class Learner(nn.Module):
    """A network that hears recordings and is told how far off its motion is.

    Shapes: b batch, n samples, t frames, k outputs (3 V for vertices).

    Args:
        network: with a lip reader, its losses are added.
        loss: compares motions.
    """

    def __init__(self, network: JambaTalk | LipReadingNetwork, loss: nn.Module) -> None:
        super().__init__()
        self.network, self.loss = network, loss

    @property
    def model(self) -> JambaTalk:
        """The network without a lip reader."""
        return self.network.model if isinstance(self.network, LipReadingNetwork) else self.network

    def forward(self, samples: Tensor, motion: Tensor, style: Tensor) -> Losses:
        """The losses of a batch.

        Args:
            samples: (b, n) at 16 kHz, loudness_normalised.
            motion: (b, t, k), what was captured: offsets in the network's unit, or weights.
            style: (b,), rows of the style table.
        """
        predicted = self.predict(samples, motion.shape[1], style)
        losses = self.compare(predicted, motion)
        if isinstance(self.network, LipReadingNetwork):
            heard = normalised(samples.to(predicted.device))
            read = self.network.read_lips(predicted, heard)
            losses |= lip_losses(*read, blank=self.network.text_encoder.config.pad_token_id)
        return losses

    def predict(self, samples: Tensor, frames: int, style: Tensor) -> Tensor:
        """Motions (b, t, k) of about so many frames; pairs of features make one less."""
        model = self.model
        heard = [model.encode_samples(one.cpu().numpy(), frames) for one in samples]
        features = torch.stack(heard).float()
        style = style.to(features.device)
        table = model.decoder.style_table(style) if model.config.style_width else None
        with torch.autocast(features.device.type, enabled=False):  # millimetres need digits
            return model.decoder(features, table)

    def compare(self, predicted: Tensor, motion: Tensor) -> Losses:
        """The losses of motions (b, t, k), as far as both reach."""
        frames = min(predicted.shape[1], motion.shape[1])
        return self.loss(predicted[:, :frames], motion[:, :frames].to(predicted.device))


def normalised(samples: Tensor) -> Tensor:
    """Samples (b, n) of mean 0 and variance 1, as the text encoder was trained on."""
    mean, variance = samples.mean(-1, keepdim=True), samples.var(-1, keepdim=True, unbiased=False)
    return (samples - mean) / (variance + 1e-7).sqrt()
