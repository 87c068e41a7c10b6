"""wav2vec 2.0, HuBERT and WavLM: encoders whose convolutions hear the waveform itself.

Their classes in `transformers` are used as they are. Convolutions and transformer run apart, so
that features can be resampled between the two and long recordings fit into memory.
arXiv 2006.11477, 2106.07447, 2110.13900.

Shapes: b batch, n samples, c channels, l features.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from jambatalk.errors import ModelError
from jambatalk.model.config import EncoderConfig
from jambatalk.model.encoder import CONTEXT, FEATURE_RATE, WINDOW, SpeechEncoder
from jambatalk.model.pretrained import blank, pretrained
from jambatalk.speech import SAMPLE_RATE

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel

STRIDE = int(SAMPLE_RATE / FEATURE_RATE)  # samples from one feature to the next
PIECE = WINDOW + 2 * CONTEXT  # features convolved at a time

Norm = Callable[[Tensor], Tensor]


class WaveformSpeechEncoder(SpeechEncoder):
    """An encoder of waveforms; its features are those of `transformers`, layer by layer.

    The last layer's are taken as the model gives them, after its closing norm where it has one.
    """

    steps_per_feature = 1

    def __init__(self, config: EncoderConfig, fps: float) -> None:
        if config.source is None:
            model = blank(config.kind, config.architecture)
        else:
            model = pretrained(config.kind, config.source)
        _check_rate(model, config)
        model.feature_extractor = Convolutions(model.feature_extractor, model.config)
        shape = model.config
        super().__init__(model, config, fps, shape.hidden_size, shape.num_hidden_layers)

    def unfreeze(self) -> None:
        """Lets training change the transformer; the convolutions stay as they are.

        In training mode the model's own dropout and masking of features (SpecAugment, see
        `apply_spec_augment` of its configuration) are on.
        """
        super().unfreeze()
        self.model.feature_extractor.requires_grad_(False)
        # a layer skipped by chance has no features, and other processes wait for its gradients
        self.model.config.layerdrop = 0.0

    def _front(self, samples: np.ndarray, frames: int | None = None) -> Tensor:
        """What the transformer gets, (1, c, l): features at 50 Hz, or at the motion's rate."""
        x = torch.tensor(samples, dtype=torch.float32, device=self.model.device)
        if getattr(self.model.config, "do_normalize", True):
            x = (x - x.mean()) / (x.var(unbiased=False) + 1e-7).sqrt()
        with torch.no_grad():  # frozen even in training
            features = self.model.feature_extractor.convolve(x)
        if self.resample == "before":
            frames = frames or max(1, int(features.shape[-1] / FEATURE_RATE * self.fps))
            features = F.interpolate(features, frames, mode="linear", align_corners=True)
        return features

    def _hear(self, heard: Tensor) -> Tensor:
        last = self.model.config.num_hidden_layers
        inner = [layer for layer in self.layers if layer < last]
        output = self.model(heard, output_hidden_states=inner or False)
        hidden = [
            output.last_hidden_state if layer == last else output.hidden_states[layer]
            for layer in self.layers
        ]
        return torch.stack(hidden, -2)[0]


class Convolutions(nn.Module):
    """A model's own convolutions, which let pass what has been through them.

    They stand in the model under the names they had there. So the library's forward, given
    features instead of samples, is its transformer alone.
    """

    def __init__(self, extractor: nn.Module, config: PretrainedConfig) -> None:
        super().__init__()
        self.conv_layers = extractor.conv_layers
        self.reach = _reach(config)

    def forward(self, x: Tensor, norm: Norm | None = None) -> Tensor:
        """Samples (b, n) become features (b, c, l); features remain what they are.

        Args:
            x: either.
            norm: of the first convolution, when the samples are a piece of a recording.
        """
        if x.ndim == 3:
            return x
        x = x[:, None]
        first, *rest = self.conv_layers
        x = first(x) if norm is None else first.activation(norm(first.conv(x)))
        for layer in rest:
            x = layer(x)
        return x

    def convolve(self, x: Tensor) -> Tensor:
        """Features (1, c, l) of a recording (n,) of any length, in pieces as one."""
        x = F.pad(x, (0, max(0, self.reach - len(x))))[None]
        length = (x.shape[-1] - self.reach) // STRIDE + 1
        if length <= PIECE:
            return self(x)
        norm = self._norm_over_time(x)
        features = [
            self(x[:, first * STRIDE : (end - 1) * STRIDE + self.reach], norm)
            for first, end in _pieces(length, PIECE)
        ]
        return torch.cat(features, -1)

    def _norm_over_time(self, x: Tensor) -> Norm | None:
        """The norm of the first convolution, for the whole of (1, n): base models use each
        channel's mean and variance over time. None for models that norm every moment alone."""
        first = self.conv_layers[0]
        norm = getattr(first, "layer_norm", None)
        if not isinstance(norm, nn.GroupNorm):
            return None
        (width,), (step,) = first.conv.kernel_size, first.conv.stride
        length = (x.shape[-1] - width) // step + 1
        sums = torch.zeros(2, norm.num_channels, dtype=torch.float64, device=x.device)
        for start, end in _pieces(length, PIECE * STRIDE // step):
            y = first.conv(x[:, None, start * step : (end - 1) * step + width])[0]
            sums += torch.stack([z.sum(-1, dtype=torch.float64) for z in (y, y.square())])
        mean, square = sums / length
        return functools.partial(
            F.batch_norm,
            running_mean=mean.float(),
            running_var=(square - mean**2).float(),
            weight=norm.weight,
            bias=norm.bias,
            eps=norm.eps,
        )


def _pieces(length: int, longest: int) -> Iterator[tuple[int, int]]:
    """Starts and ends of pieces of about equal length."""
    bounds = np.linspace(0, length, math.ceil(length / longest) + 1).astype(int)
    return itertools.pairwise(bounds.tolist())


def _reach(config: PretrainedConfig) -> int:
    """Samples that one feature hears."""
    reach, stride = 1, 1
    for kernel, step in zip(config.conv_kernel, config.conv_stride, strict=True):
        reach += (kernel - 1) * stride
        stride *= step
    return reach


def _check_rate(model: PreTrainedModel, config: EncoderConfig) -> None:
    adapter = getattr(model.config, "add_adapter", False)
    if math.prod(model.config.conv_stride) != STRIDE or adapter:
        raise ModelError(
            f"The speech encoder '{config.source or config.kind}' does not give 50 features a "
            + ("second, because of its adapter." if adapter else "second."),
            "Choose another.",
        )
