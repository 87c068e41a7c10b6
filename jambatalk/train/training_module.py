"""Network and losses in one module, which distributed training wraps as a whole."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from jambatalk.model.decoder import JambaDecoder
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.paper.lip_reader import LipReadingNetwork
from jambatalk.train.losses import lip_losses
from jambatalk.train.task import Losses


class TrainingModule(nn.Module):
    """A network from samples to motion, with its losses.

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
        """The network without its lip reader."""
        return self.network.model if isinstance(self.network, LipReadingNetwork) else self.network

    def forward(self, samples: Tensor, target: Tensor, style: Tensor) -> Losses:
        """Compute the losses of a batch.

        Args:
            samples: (b, n) at 16 kHz, loudness-normalised.
            target: (b, t, k), captured offsets in the network's unit, or weights.
            style: (b,), indices into the style table.
        """
        pred = self.predict(samples, target.shape[1], style)
        losses = self.compare(pred, target)
        if isinstance(self.network, LipReadingNetwork):
            reading = self.network.read_lips(pred, standardised(samples.to(pred.device)))
            blank = self.network.text_encoder.config.pad_token_id
            losses |= lip_losses(*reading, blank=blank)
        return losses

    def predict(self, samples: Tensor, frames: int, style: Tensor) -> Tensor:
        """Predict motions (b, t, k) of `frames` frames, or one less where features are paired."""
        model, decoder = self.model, self.model.decoder
        encoded = [model.encode_samples(one.cpu().numpy(), frames) for one in samples]
        features = torch.stack(encoded).float()
        style = style.to(features.device)
        vectors = None
        if isinstance(decoder, JambaDecoder) and model.config.style_width:
            vectors = decoder.style_table(style)
        with torch.autocast(features.device.type, enabled=False):  # millimetres need the precision
            return decoder(features, vectors)

    def compare(self, pred: Tensor, target: Tensor) -> Losses:
        """Compute the losses of motions (b, t, k) over the frames they share."""
        frames = min(pred.shape[1], target.shape[1])
        return self.loss(pred[:, :frames], target[:, :frames].to(pred.device))


def standardised(samples: Tensor) -> Tensor:
    """Scale samples (b, n) to mean 0 and variance 1, which the text encoder expects."""
    mean, variance = samples.mean(-1, keepdim=True), samples.var(-1, keepdim=True, unbiased=False)
    return (samples - mean) / (variance + 1e-7).sqrt()
