"""What makes the steps of a training."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from jambatalk.train.config import OptimizerConfig

NARROW = 32  # rows or columns: a matrix with fewer belongs to a gate, a style or a state


def make_optimizers(
    weights: Sequence[Tensor], config: OptimizerConfig
) -> list[torch.optim.Optimizer]:
    """Optimizers that share the weights among them, at one learning rate.

    "muon" steps every matrix the same way along all its directions (Jordan and others, "Muon: an
    optimizer for hidden layers in neural networks", 2024) and is scaled to the size of AdamW's
    steps (arXiv 2502.16982, section 2.2), which remain for all that is no matrix.
    """
    rate = {"lr": config.learning_rate, "weight_decay": config.weight_decay}
    if config.name == "adam":
        return [torch.optim.Adam(weights, **rate)]
    if config.name == "adamw":
        return [torch.optim.AdamW(weights, **rate)]
    matrices = [w for w in weights if w.ndim == 2 and min(w.shape) >= NARROW]
    known = {id(weight) for weight in matrices}
    others = [w for w in weights if id(w) not in known]
    muon = torch.optim.Muon(matrices, **rate, adjust_lr_fn="match_rms_adamw")
    return [muon, torch.optim.AdamW(others, **rate)]
