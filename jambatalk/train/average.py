"""The average of several checkpoints of one network: one that keeps what each had learned.

Checkpoints along one training, or of trainings that went on from each other, lie in one basin of
the loss, and their mean is often better than any of them: "model soups", arXiv 2203.05482.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from jambatalk.errors import ModelError
from jambatalk.model.jambatalk import JambaTalk


def average(shares: Mapping[Path, float], folder: Path) -> JambaTalk:
    """Writes the mean of the decoders of some checkpoints, whose shares are made to sum to one.

    Encoder and configuration are the first one's; the model card is left alone.

    Raises:
        ModelError: no checkpoint, shares that are not positive, or decoders of different shapes.
    """
    if not shares or min(shares.values()) <= 0:
        raise ModelError("There is nothing to average.", "Give checkpoints with positive shares.")
    models = [JambaTalk.from_pretrained(source) for source in shares]
    first, total = models[0].decoder.state_dict(), sum(shares.values())
    for source, model in zip(shares, models, strict=True):
        theirs = {name: weight.shape for name, weight in model.decoder.state_dict().items()}
        if theirs != {name: weight.shape for name, weight in first.items()}:
            raise ModelError(f"{source} is another network.", "Average checkpoints of one network.")
    mean = {name: torch.zeros_like(weight) for name, weight in first.items()}
    for share, model in zip(shares.values(), models, strict=True):
        for name, weight in model.decoder.state_dict().items():
            mean[name] += share / total * weight
    models[0].decoder.load_state_dict(mean)
    models[0].save_pretrained(folder)
    return models[0]
