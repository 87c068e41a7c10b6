"""Optimizers: Adam, AdamW, and Muon for matrices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from jambatalk.train.training_config import OptimizerConfig

NARROW = 32  # rows or columns: narrower matrices belong to a gate, a style or a state
MOMENTUM = 0.95
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # coefficients of its quintic, applied five times
ADAMW_RMS = 0.2  # root mean square of AdamW's steps, in learning rates


def make_optimizers(
    weights: Sequence[Tensor], config: OptimizerConfig
) -> list[torch.optim.Optimizer]:
    """Create the optimizers that share the weights at one learning rate.

    For "muon", :class:`Muon` updates the matrices and AdamW all else.
    """
    rate, decay, betas = config.learning_rate, config.weight_decay, (0.9, config.beta2)
    if config.name == "adam":
        return [torch.optim.Adam(weights, rate, betas)]
    if config.name == "adamw":
        return [torch.optim.AdamW(weights, rate, betas, weight_decay=decay)]
    matrices = [w for w in weights if w.ndim == 2 and min(w.shape) >= NARROW]
    ids = {id(weight) for weight in matrices}
    others = [w for w in weights if id(w) not in ids]
    return [
        Muon(matrices, rate, decay),
        torch.optim.AdamW(others, rate, betas, weight_decay=decay),
    ]


class Muon(torch.optim.Optimizer):
    """Orthogonalised momentum, scaled to the size of AdamW's steps.

    Jordan and others, "Muon: an optimizer for hidden layers in neural networks", 2024; scale of
    arXiv 2502.16982, section 2.2. The same as `torch.optim.Muon` with `match_rms_adamw`, in
    float32: its bfloat16 takes longer than the rest of a step on a CPU without it.
    """

    def __init__(self, matrices: Iterable[Tensor], lr: float, weight_decay: float) -> None:
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Update the matrices; `closure` is ignored."""
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                state = self.state[matrix]
                if not state:
                    state["momentum"] = torch.zeros_like(matrix)
                momentum = state["momentum"].lerp_(matrix.grad, 1 - MOMENTUM)
                update = orthogonalised(matrix.grad.lerp(momentum, MOMENTUM))
                scale = ADAMW_RMS * max(matrix.shape) ** 0.5
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.sub_(update, alpha=group["lr"] * scale)


def orthogonalised(matrix: Tensor) -> Tensor:
    """Bring all singular values of a matrix (m, n) near 1, between 0.7 and 1.2."""
    a, b, c = NEWTON_SCHULZ
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    x = wide / wide.norm().clamp(min=1e-7)
    for _ in range(5):
        gram = x @ x.T
        x = a * x + torch.addmm(gram, gram, gram, beta=b, alpha=c) @ x
    return x if matrix.shape[0] <= matrix.shape[1] else x.T
