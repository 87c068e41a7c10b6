"""Sines and cosines that tell a transformer where a frame or step lies. arXiv 1706.03762."""

import math

import torch
from torch import Tensor


def sines(places: Tensor, width: int) -> Tensor:
    """Return sin and cos of p · 10000^(-2k/d) in even and odd channels, for places p: (p, d)."""
    k = torch.arange(0, width, 2, device=places.device)
    angles = places[:, None] * torch.exp(k * (-math.log(10_000.0) / width))
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)[:, :width]
