"""What makes the steps of a training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from jambatalk.train.training_config import OptimizerConfig

NARROW = 32  # rows or columns: a matrix with fewer belongs to a gate, a style or a state
MOMENTUM = 0.95
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # of its quintic, five times
AS_ADAMW = 0.2  # root mean square of AdamW's steps, in learning rates


def make_optimizers(
    weights: Sequence[Tensor], config: OptimizerConfig
) -> list[torch.optim.Optimizer]:
    """Optimizers that share the weights among them, at one learning rate: for "muon",
    :class:`Muon` steps the matrices, AdamW all else."""
    rate = {"lr": config.learning_rate, "weight_decay": config.weight_decay}
    if config.name == "adam":
        return [torch.optim.Adam(weights, **rate)]
    if config.name == "adamw":
        return [torch.optim.AdamW(weights, **rate)]
    matrices = [w for w in weights if w.ndim == 2 and min(w.shape) >= NARROW]
    known = {id(weight) for weight in matrices}
    others = [w for w in weights if id(w) not in known]
    return [Muon(matrices, **rate), torch.optim.AdamW(others, **rate)]


class Muon(torch.optim.Optimizer):
    """Steps every matrix the same way along all its directions (Jordan and others, "Muon: an
    optimizer for hidden layers in neural networks", 2024), scaled to the size of AdamW's steps
    (arXiv 2502.16982, section 2.2).

    `torch.optim.Muon` with `match_rms_adamw` in float32: its bfloat16 takes longer than all the
    rest of a step on a processor that has none.
    """

    def __init__(self, matrices: Iterable[Tensor], lr: float, weight_decay: float) -> None:
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """Makes a step down the gradients; there is no closure."""
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                state = self.state[matrix]
                if not state:
                    state["momentum"] = torch.zeros_like(matrix)
                momentum = state["momentum"].lerp_(matrix.grad, 1 - MOMENTUM)
                step = orthogonal(matrix.grad.lerp(momentum, MOMENTUM))
                size = AS_ADAMW * max(matrix.shape) ** 0.5
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.sub_(step, alpha=group["lr"] * size)


def orthogonal(matrix: Tensor) -> Tensor:
    """A matrix (m, n) with all its singular values brought near 1, between 0.7 and 1.2."""
    a, b, c = NEWTON_SCHULZ
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    x = wide / wide.norm().clamp(min=1e-7)
    for _ in range(5):
        gram = x @ x.T
        x = a * x + torch.addmm(gram, gram, gram, beta=b, alpha=c) @ x
    return x if matrix.shape[0] <= matrix.shape[1] else x.T
