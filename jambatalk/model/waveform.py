"""wav2vec 2.0, HuBERT and WavLM: encoders that begin with convolutions of the waveform.

Their classes in `transformers` are used as they are. Convolutions and transformer run separately,
so that features can be resampled between the two and long recordings fit into memory.
arXiv 2006.11477, 2106.07447, 2110.13900.

    b batch    n samples    l features at 50 Hz    m layers    c channels
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from jambatalk.errors import ModelError
from jambatalk.model.config import EncoderConfig
from jambatalk.model.encoder import (
    CONTEXT,
    FEATURE_RATE,
    FEATURE_SAMPLES,
    WINDOW,
    SpeechEncoder,
)
from jambatalk.model.hub_encoder import load_hub_encoder, new_hub_encoder

if TYPE_CHECKING:
    from transformers import PretrainedConfig

PIECE = WINDOW + 2 * CONTEXT  # features that are convolved at a time

Norm = Callable[[Tensor], Tensor]


class WaveformSpeechEncoder(SpeechEncoder):
    """An encoder of `transformers`, read layer by layer.

    The last layer is read after the closing norm, where the model has one.
    """

    steps_per_feature = 1

    def __init__(self, config: EncoderConfig, fps: float) -> None:
        model: Any
        if config.source is None:
            model = new_hub_encoder(config.kind, config.architecture)
        else:
            model = load_hub_encoder(config.kind, config.source)
        adapter = getattr(model.config, "add_adapter", False)
        if math.prod(model.config.conv_stride) != FEATURE_SAMPLES or adapter:
            raise ModelError(
                f"The speech encoder '{config.source or config.kind}' does not give 50 features a "
                + ("second, because of its adapter." if adapter else "second."),
                "Choose another.",
            )
        model.feature_extractor = Convolutions(model.feature_extractor, model.config)
        shape = model.config
        super().__init__(model, config, fps, shape.hidden_size, shape.num_hidden_layers)

    def unfreeze(self) -> None:
        """Let training change the transformer; the convolutions stay as they are.

        In training mode the model's own dropout and masking of features (SpecAugment, see
        `apply_spec_augment` of its configuration) are on.
        """
        super().unfreeze()
        self.model.feature_extractor.requires_grad_(False)
        # a layer skipped at random has no features, and other processes wait for its gradients
        self.model.config.layerdrop = 0.0

    def inputs(self, samples: np.ndarray, frames: int | None = None) -> Tensor:
        """Compute the transformer's input (b, c, l) from samples (b, n).

        Its rate is 50 Hz, or the motion's if features are resampled "before".
        """
        convolutions = []
        for recording in torch.tensor(samples, dtype=torch.float32, device=self.device):
            x = recording
            if getattr(self.model.config, "do_normalize", True):
                x = (x - x.mean()) / (x.var(unbiased=False) + 1e-7).sqrt()
            with torch.no_grad():  # frozen even in training
                convolutions.append(self.model.feature_extractor.convolve(x))
        features = torch.cat(convolutions)
        if self.resample == "before":
            frames = frames or max(1, int(features.shape[-1] / FEATURE_RATE * self.fps))
            features = F.interpolate(features, frames, mode="linear", align_corners=True)
        return features

    def hidden_states(self, inputs: Tensor) -> Tensor:
        """Compute the chosen layers (b, l, m, c) from the transformer's input (b, c, l)."""
        last = self.model.config.num_hidden_layers
        inner = [layer for layer in self.layers if layer < last]
        output = self.model(inputs, output_hidden_states=inner or False)
        hidden = [
            output.last_hidden_state if layer == last else output.hidden_states[layer]
            for layer in self.layers
        ]
        return torch.stack(hidden, -2)


class Convolutions(nn.Module):
    """The convolutions of a model, which pass features through unchanged.

    They replace the model's own under the same names. So its forward, given features instead of
    samples, runs the transformer alone.
    """

    conv_layers: Any

    def __init__(self, extractor: Any, config: PretrainedConfig) -> None:
        super().__init__()
        self.conv_layers = extractor.conv_layers
        self.reach, stride = 1, 1  # samples that one feature depends on
        for kernel, step in zip(config.conv_kernel, config.conv_stride, strict=True):
            self.reach += (kernel - 1) * stride
            stride *= step

    def forward(self, x: Tensor, norm: Norm | None = None) -> Tensor:
        """Convolve samples (b, n) to features (b, c, l); return features (b, c, l) unchanged.

        Args:
            x: samples or features.
            norm: replaces that of the first convolution, for a piece of a longer recording.
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
        """Compute features (1, c, l) of a recording (n,), in pieces that give the same as one."""
        x = F.pad(x, (0, max(0, self.reach - len(x))))[None]
        length = (x.shape[-1] - self.reach) // FEATURE_SAMPLES + 1
        if length <= PIECE:
            return self(x)
        norm = self._norm_over_time(x)
        features = [
            self(x[:, first * FEATURE_SAMPLES : (end - 1) * FEATURE_SAMPLES + self.reach], norm)
            for first, end in _pieces(length, PIECE)
        ]
        return torch.cat(features, -1)

    def _norm_over_time(self, x: Tensor) -> Norm | None:
        """Return the norm of the first convolution with its statistics over all of (1, n).

        Base models use each channel's mean and variance over time; models that normalise each
        moment separately need none: None.
        """
        first = self.conv_layers[0]
        norm = getattr(first, "layer_norm", None)
        if not isinstance(norm, nn.GroupNorm):
            return None
        (width,), (step,) = first.conv.kernel_size, first.conv.stride
        length = (x.shape[-1] - width) // step + 1
        sums = torch.zeros(2, norm.num_channels, dtype=torch.float64, device=x.device)
        for start, end in _pieces(length, PIECE * FEATURE_SAMPLES // step):
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
    """Return starts and ends of pieces of about equal length."""
    bounds = np.linspace(0, length, math.ceil(length / longest) + 1).astype(int)
    return itertools.pairwise(bounds.tolist())
