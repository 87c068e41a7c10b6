"""Mamba: a selective state space model behind a gate.

    b batch     l frames     d channels     e inner channels, expand · d
    n states    r rank of Δ  Δ step size of each channel and frame

Parameters carry the names of mamba_ssm, so that weights move freely between the two.
Mamba, arXiv 2312.00752, section 3.4.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from jambatalk.model.scan import Scan, scan_named


class MambaState(NamedTuple):
    """The end of a sequence: the last inputs of the convolution, and the state of the scan."""

    conv: Tensor  # (b, e, d_conv - 1)
    ssm: Tensor  # (b, e, n)


class Mamba(nn.Module):
    """One Mamba mixer, (b, l, d) → (b, l, d), causal."""

    def __init__(self, d_model: int, d_state: int = 16, d_conv: int = 4, expand: int = 2) -> None:
        super().__init__()
        inner = expand * d_model  # e
        self.rank = math.ceil(d_model / 16)  # r
        self.d_state, self.d_conv = d_state, d_conv
        self.scan: Scan = scan_named("torch")
        self.in_proj = nn.Linear(d_model, 2 * inner, bias=False)
        self.conv1d = nn.Conv1d(inner, inner, d_conv, groups=inner)  # padded by the state
        self.x_proj = nn.Linear(inner, self.rank + 2 * d_state, bias=False)
        self.dt_proj = nn.Linear(self.rank, inner)
        self.A_log = nn.Parameter(torch.log(torch.arange(1.0, d_state + 1).repeat(inner, 1)))
        self.D = nn.Parameter(torch.ones(inner))
        self.out_proj = nn.Linear(inner, d_model, bias=False)
        self._init_step_sizes()

    def _init_step_sizes(self, low: float = 1e-3, high: float = 0.1) -> None:
        """Draw the initial Δ log-uniformly between `low` and `high` (section 3.6 of the paper)."""
        nn.init.uniform_(self.dt_proj.weight, -(self.rank**-0.5), self.rank**-0.5)
        step = torch.exp(
            torch.empty_like(self.dt_proj.bias).uniform_(math.log(low), math.log(high))
        )
        with torch.no_grad():
            self.dt_proj.bias.copy_(step + torch.log(-torch.expm1(-step)))  # inverse of softplus

    def forward(self, x: Tensor, state: MambaState | None = None) -> tuple[Tensor, MambaState]:
        """Continue from `state` (None: from rest); return the output and the new state."""
        u, gate = self.in_proj(x).chunk(2, -1)  # (b, l, e) each
        u = u.transpose(1, 2)  # (b, e, l)
        past = u.new_zeros(*u.shape[:2], self.d_conv - 1) if state is None else state.conv
        padded = torch.cat([past, u], -1)  # (b, e, d_conv - 1 + l)
        u = F.silu(self.conv1d(padded)).transpose(1, 2)  # (b, l, e)
        delta, b, c = self.x_proj(u).split([self.rank, self.d_state, self.d_state], -1)
        y, ssm = self.scan(
            u,
            F.softplus(self.dt_proj(delta)),  # (b, l, e)
            -torch.exp(self.A_log.float()),  # (e, n)
            b,  # (b, l, n)
            c,  # (b, l, n)
            self.D,
            None if state is None else state.ssm,
        )
        conv = padded[..., x.shape[1] :]  # (b, e, d_conv - 1)
        return self.out_proj(y * F.silu(gate)), MambaState(conv, ssm)
