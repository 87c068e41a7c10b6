"""Speech as the published networks take it: wav2vec 2.0 or HuBERT, and 50 Hz made frames.

n samples at 16 kHz    l features at 50 Hz    t frames    c channels
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from jambatalk.model.encoder import FEATURE_RATE
from jambatalk.model.hub_encoder import new_hub_encoder
from jambatalk.model.waveform import Convolutions

# parts of HuBERT that FaceXHuBERT and FaceDiffuser keep as they were pretrained
FROZEN = ("feature_extractor", "feature_projection", "encoder.layers.0", "encoder.layers.1")


def new_encoder(kind: str, architecture: dict[str, Any]) -> Any:
    """Build a speech encoder with random weights, whose convolutions run apart.

    Args:
        kind: "wav2vec2" or "hubert".
        architecture: fields of its configuration in `transformers`; the others are the default.
    """
    encoder: Any = new_hub_encoder(kind, architecture)
    encoder.config.layerdrop = 0.0
    encoder.feature_extractor = Convolutions(encoder.feature_extractor, encoder.config)
    return encoder


def normalised(samples: Tensor, epsilon: float) -> Tensor:
    """Return samples (n,) with mean 0 and variance 1 over the whole recording.

    Args:
        epsilon: added to the variance. 1e-5 in the networks of `transformers` 4.6, 1e-7 since:
            quiet speech (RMS 0.01) differs by 5 % between the two.
    """
    return (samples - samples.mean()) / (samples.var(unbiased=False) + epsilon).sqrt()


def convolved(encoder: Any, samples: Tensor) -> Tensor:
    """Compute the encoder's convolutions (1, c, l) of normalised samples (n,), without gradients.

    They are frozen in training, in every one of these networks.
    """
    with torch.no_grad():
        return encoder.feature_extractor.convolve(samples)


def transformed(encoder: Any, features: Tensor) -> Tensor:
    """Compute the encoder's output (1, l, c) from features (1, c', l) of any rate."""
    return encoder(features).last_hidden_state


def stretched(features: Tensor, count: int) -> Tensor:
    """Stretch features (1, c, l) linearly to so many, first on first and last on last.

    The places are computed in float32, as published: better ones differ by up to 4e-5.
    """
    return F.interpolate(features, count, mode="linear", align_corners=True)


def paired(features: Tensor) -> Tensor:
    """Join features (1, l, c) two by two, (1, l // 2, 2 c); an odd last one is dropped."""
    return features[:, : features.shape[1] // 2 * 2].unflatten(1, (-1, 2)).flatten(2)


def feature_count(samples: int) -> int:
    """Return how many features so many samples have."""
    return (samples - 400) // 320 + 1


def frames_of(features: int, fps: float) -> int:
    """Return how many frames so many features last, in the published order of rounding."""
    return int(features / FEATURE_RATE * fps)
