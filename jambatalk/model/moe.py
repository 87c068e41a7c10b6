"""Mixtures of experts: feed-forward networks of which a gate chooses for each frame.

b batch    l frames    d channels    h hidden channels, 4 d    E experts
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


class MixtureOfExperts(nn.Module):
    """Top-k gated experts, (b, l, d) → (b, l, d), deterministic.

    All experts compute all frames, and the gate weights their outputs: with the few small experts
    used here that is faster than dispatching frames, drops none, and gives the same sum.
    JambaTalk, arXiv 2408.01627, section 3; gating of arXiv 2006.16668.
    """

    def __init__(self, d_model: int, experts: int = 2, experts_per_frame: int = 2) -> None:
        super().__init__()
        hidden = 4 * d_model
        self.experts_per_frame = experts_per_frame
        self.gate = nn.Parameter(torch.randn(d_model, experts) * d_model**-0.5)
        self.w1 = nn.Parameter(_uniform(experts, d_model, hidden, bound=d_model**-0.5))
        self.w2 = nn.Parameter(_uniform(experts, hidden, d_model, bound=hidden**-0.5))

    def forward(self, x: Tensor) -> Tensor:
        """Return the gate-weighted sum of the experts' outputs."""
        probabilities = torch.softmax(x.float() @ self.gate.float(), -1)  # (b, l, E)
        weights = self.gate_weights(probabilities).to(x.dtype)  # (b, l, E)
        hidden = torch.relu(torch.einsum("bld,edh->bleh", x, self.w1))
        return torch.einsum("bleh,ehd,ble->bld", hidden, self.w2, weights)

    def gate_weights(self, probabilities: Tensor) -> Tensor:
        """Return the weight of each expert's output, (b, l, E), from the gate's softmax."""
        if self.experts_per_frame < probabilities.shape[-1]:
            least = probabilities.topk(self.experts_per_frame, -1).values[..., -1:]
            probabilities = probabilities.masked_fill(probabilities < least, 0.0)
        return probabilities / probabilities.sum(-1, keepdim=True)


class PaperMixtureOfExperts(MixtureOfExperts):
    """Top-2 gating as in the published code, with its second-expert policy and its capacity.

    Each expert computes a limited number of a recording's frames: first those that rank it first,
    then those that rank it second, each in their order in time. A frame beyond the capacity gets 0.
    arXiv 2006.16668, algorithm 1.

    Args:
        second_expert: "all" frames use their second expert, "none" does, or "random": while
            training, a frame whose second weight w is below `THRESHOLD` uses it with probability
            w / `THRESHOLD`, as published.
    """

    CAPACITY = 2.0  # times the frames per expert
    TRAINING_CAPACITY = 1.25
    MIN_CAPACITY = 4  # frames
    THRESHOLD = 0.2

    def __init__(self, d_model: int, experts: int = 2, second_expert: str = "all") -> None:
        super().__init__(d_model, experts, experts_per_frame=2)
        self.second_expert = second_expert
        hidden = self.w1.shape[-1]
        with torch.no_grad():  # initialised as published
            self.gate.normal_()
            self.w1.uniform_(-(hidden**-0.5), hidden**-0.5)
            self.w2.uniform_(-(d_model**-0.5), d_model**-0.5)

    def gate_weights(self, probabilities: Tensor) -> Tensor:
        """Return the weights (b, l, E); those beyond an expert's capacity are 0."""
        best = probabilities.topk(2, -1)
        weight = best.values / best.values.sum(-1, keepdim=True)  # (b, l, 2)
        first, second = (
            F.one_hot(index, probabilities.shape[-1]).to(weight.dtype)
            for index in best.indices.unbind(-1)
        )  # (b, l, E) each, 0 or 1
        if self.second_expert == "none":
            second = torch.zeros_like(second)
        elif self.second_expert == "random" and self.training:
            chance = torch.rand_like(weight[..., 1:]) * self.THRESHOLD
            second = second * (chance < weight[..., 1:])
        frames, experts = probabilities.shape[1:]
        factor = self.TRAINING_CAPACITY if self.training else self.CAPACITY
        capacity = max(min(int(frames * factor / experts), frames), self.MIN_CAPACITY)
        first = first * (first.cumsum(1) <= capacity)
        taken = first.sum(1, keepdim=True)  # (b, 1, E)
        second = second * (taken + second.cumsum(1) <= capacity)
        return first * weight[..., :1] + second * weight[..., 1:]


def _uniform(*shape: int, bound: float) -> Tensor:
    return torch.empty(shape).uniform_(-bound, bound)
