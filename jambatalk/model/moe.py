"""Mixture of experts: each frame is answered by the feed-forward networks that know it best."""

import torch
from torch import Tensor, nn


class MixtureOfExperts(nn.Module):
    """Top-k gated experts, (b, l, d) → (b, l, d), deterministic.

    Every expert sees every frame and the answers are weighted by the gate: with the few small
    experts used here that is faster than dispatching frames, drops none, and gives the same sum.
    JambaTalk, arXiv 2408.01627, section 3; gating of arXiv 2006.16668.
    """

    def __init__(self, d_model: int, experts: int = 2, experts_per_frame: int = 2) -> None:
        super().__init__()
        hidden = 4 * d_model
        self.experts_per_frame = experts_per_frame
        self.gate = nn.Parameter(torch.randn(d_model, experts) * d_model**-0.5)
        self.w1 = nn.Parameter(_uniform(experts, d_model, hidden))
        self.w2 = nn.Parameter(_uniform(experts, hidden, d_model))

    def forward(self, x: Tensor) -> Tensor:
        """The gate-weighted sum of the experts' answers."""
        shares = torch.softmax(x.float() @ self.gate.float(), -1)  # (b, l, E)
        if self.experts_per_frame < shares.shape[-1]:
            floor = shares.topk(self.experts_per_frame, -1).values[..., -1:]
            shares = shares.masked_fill(shares < floor, 0.0)
        shares = shares / shares.sum(-1, keepdim=True)
        hidden = torch.relu(torch.einsum("bld,edh->bleh", x, self.w1))
        return torch.einsum("bleh,ehd,ble->bld", hidden, self.w2, shares.to(x.dtype))


def _uniform(experts: int, rows: int, columns: int) -> Tensor:
    return torch.empty(experts, rows, columns).uniform_(-(rows**-0.5), rows**-0.5)
