"""Mixture of experts: each frame is answered by the feed-forward networks that know it best."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


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
        shares = self.shares(torch.softmax(x.float() @ self.gate.float(), -1))  # (b, l, E)
        hidden = torch.relu(torch.einsum("bld,edh->bleh", x, self.w1))
        return torch.einsum("bleh,ehd,ble->bld", hidden, self.w2, shares.to(x.dtype))

    def shares(self, gates: Tensor) -> Tensor:
        """What each expert's answer counts, (b, l, E), for the softmax of the gate (b, l, E)."""
        if self.experts_per_frame < gates.shape[-1]:
            floor = gates.topk(self.experts_per_frame, -1).values[..., -1:]
            gates = gates.masked_fill(gates < floor, 0.0)
        return gates / gates.sum(-1, keepdim=True)


class PaperMixtureOfExperts(MixtureOfExperts):
    """Top-2 gating as in the published code, with its second-expert policy and its capacity.

    Each expert takes a limited number of a recording's frames: those that have it as their first
    come first, each in their order in time; what no expert takes is answered with zero. arXiv
    2006.16668, algorithm 1.

    Args:
        second_expert: "all" frames ask their second expert, "none" does, or "random": while
            training, those with a share under `THRESHOLD` only by chance, as published.
    """

    CAPACITY = 2.0  # times the frames there are for an expert
    TRAINING_CAPACITY = 1.25
    LEAST = 4  # frames
    THRESHOLD = 0.2

    def __init__(self, d_model: int, experts: int = 2, second_expert: str = "all") -> None:
        super().__init__(d_model, experts, 2)
        self.second_expert = second_expert

    def shares(self, gates: Tensor) -> Tensor:
        """As :meth:`MixtureOfExperts.shares`; shares of frames that were not taken are 0."""
        best = gates.topk(2, -1)
        share = best.values / best.values.sum(-1, keepdim=True)  # (b, l, 2)
        first, second = (
            F.one_hot(place, gates.shape[-1]).to(share.dtype) for place in best.indices.unbind(-1)
        )  # (b, l, E) each, 0 or 1
        if self.second_expert == "none":
            second = torch.zeros_like(second)
        elif self.second_expert == "random" and self.training:
            chance = torch.rand_like(share[..., 1:]) * self.THRESHOLD
            second = second * (chance < share[..., 1:])
        frames, factor = gates.shape[1], self.TRAINING_CAPACITY if self.training else self.CAPACITY
        capacity = int(frames * factor / gates.shape[-1])
        capacity = max(min(capacity, frames), self.LEAST)
        first = first * (first.cumsum(1) <= capacity)
        waiting = first.sum(1, keepdim=True)  # (b, 1, E)
        second = second * (waiting + second.cumsum(1) <= capacity)
        return first * share[..., :1] + second * share[..., 1:]


def _uniform(experts: int, rows: int, columns: int) -> Tensor:
    return torch.empty(experts, rows, columns).uniform_(-(rows**-0.5), rows**-0.5)
