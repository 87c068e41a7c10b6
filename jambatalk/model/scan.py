"""The selective scan of Mamba in plain PyTorch.

    h_t = exp(Δ_t A) h_{t-1} + Δ_t B_t u_t        y_t = C_t · h_t + D u_t

Shapes: b batch, l frames, d channels, n states. Mamba, arXiv 2312.00752, section 3.
"""

import torch
from torch import Tensor

BLOCK = 32  # frames discretised at a time: enough to keep the cores busy, small enough for cache


def selective_scan(
    u: Tensor,
    delta: Tensor,
    a: Tensor,
    b: Tensor,
    c: Tensor,
    d: Tensor,
    state: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Runs the recurrence over all frames, in float32 whatever comes in.

    Args:
        u: (b, l, d) input.
        delta: (b, l, d) step sizes, positive.
        a: (d, n) negative, A = -exp(A_log).
        b: (b, l, n) input projection.
        c: (b, l, n) output projection.
        d: (d,) skip.
        state: (b, d, n) where an earlier call ended; None starts at rest.

    Returns:
        y (b, l, d) in u's type, and the state (b, d, n) after the last frame.
    """
    kind = u.dtype
    u, delta, a, b, c, d = (x.float() for x in (u, delta, a, b, c, d))
    batch, length, channels = u.shape
    h = u.new_zeros(batch, channels, a.shape[1]) if state is None else state.float()
    du = delta * u
    outputs = []
    for start in range(0, length, BLOCK):
        now = slice(start, start + BLOCK)
        decay = torch.exp(delta[:, now, :, None] * a)  # (b, block, d, n)
        inflow = du[:, now, :, None] * b[:, now, None, :]  # (b, block, d, n)
        states = []
        # unbind has one backward for all frames; indexing x[:, t] would have one a frame
        for decay_t, inflow_t in zip(decay.unbind(1), inflow.unbind(1), strict=True):
            h = torch.addcmul(inflow_t, decay_t, h)
            states.append(h)
        outputs.append((torch.stack(states, 1) @ c[:, now, :, None]).squeeze(-1))
    y = torch.cat(outputs, 1) + u * d
    return y.to(kind), h
