"""The selective scan of Mamba, as PyTorch and as the CUDA kernel of mamba_ssm.

    h_t = exp(Δ_t A) h_{t-1} + Δ_t B_t u_t        y_t = C_t · h_t + D u_t

    b batch    l frames    d channels    n states
    u input    Δ step sizes    A, B, C, D the state space    h state    y output

Mamba, arXiv 2312.00752, section 3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from jambatalk.errors import ModelError

BLOCK = 16  # frames discretised at a time: enough to keep a core busy, few enough for its cache


Scan = Callable[..., tuple[Tensor, Tensor]]  # as selective_scan


def scan_named(name: str) -> Scan:
    """Return the scan of that name: "torch", for any device, or "cuda".

    It is never replaced by the other one silently.

    Raises:
        ModelError: an unknown name; "cuda" without mamba_ssm or a GPU.
    """
    if name == "torch":
        return selective_scan
    if name != "cuda":
        raise ModelError(f"There is no scan '{name}'.", "Use 'torch' or 'cuda'.")
    try:
        import mamba_ssm.ops.selective_scan_interface  # noqa: F401
    except ImportError as error:
        raise ModelError(
            f"The scan 'cuda' needs the kernels of mamba_ssm ({error}).",
            "Install them: MAMBA_KEEP_CUDA_BUILD=TRUE pip install --no-build-isolation "
            "'jambatalk[cuda]'. Or use the scan 'torch'.",
        ) from error
    if not torch.cuda.is_available():
        raise ModelError("The scan 'cuda' needs a CUDA GPU.", "Use the scan 'torch'.")
    return cuda_selective_scan


def selective_scan(
    u: Tensor,
    delta: Tensor,
    a: Tensor,
    b: Tensor,
    c: Tensor,
    d: Tensor,
    state: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Run the recurrence over all frames, in float32 or wider whatever the input.

    Training stores one state in 16 and recomputes the others.

    Args:
        u: (b, l, d) input.
        delta: (b, l, d) step sizes, positive.
        a: (d, n) negative, A = -exp(A_log).
        b: (b, l, n) input projection.
        c: (b, l, n) output projection.
        d: (d,) skip.
        state: (b, d, n) after the frame before; None for zeros.

    Returns:
        y (b, l, d) in u's type, and the state (b, d, n) after the last frame.
    """
    dtype = u.dtype
    wide = torch.promote_types(dtype, torch.float32)
    u, delta, a, b, c, d = (x.to(wide) for x in (u, delta, a, b, c, d))
    if state is None:
        state = u.new_zeros(u.shape[0], *a.shape)
    y, state = _BlockedScan.apply(u, delta, a, b, c, state.to(wide))
    return torch.addcmul(y, u, d).to(dtype), state


def cuda_selective_scan(
    u: Tensor,
    delta: Tensor,
    a: Tensor,
    b: Tensor,
    c: Tensor,
    d: Tensor,
    state: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Run :func:`selective_scan` by `selective_scan_fn` of mamba_ssm, in float32.

    The returned state carries no gradient. The project's tests replace the kernel by a stand-in;
    the kernel itself was not run.

    Raises:
        ModelError: the tensors are not on a CUDA device.
    """
    from mamba_ssm.ops.selective_scan_interface import selective_scan_fn

    if not u.is_cuda:
        raise ModelError(
            "The scan 'cuda' was chosen, and the network is not on a CUDA device.",
            "Move it there, or use the scan 'torch'.",
        )
    dtype = u.dtype
    u, delta, a, b, c, d = (x.float() for x in (u, delta, a, b, c, d))
    y, end = selective_scan_fn(
        u.transpose(1, 2).contiguous(),  # (b, d, l)
        delta.transpose(1, 2).contiguous(),  # (b, d, l)
        a,
        b.transpose(1, 2).contiguous(),  # (b, n, l)
        c.transpose(1, 2).contiguous(),  # (b, n, l)
        d,
        return_last_state=True,
    )
    y, end = y.transpose(1, 2), end.detach()
    if state is not None:  # the kernel starts from zeros; the recurrence is linear in its start
        carried = torch.exp(delta.cumsum(1)[..., None] * a) * state[:, None]  # (b, l, d, n)
        y = y + (carried @ c[..., None]).squeeze(-1)
        end = end + carried[:, -1].detach()
    return y.to(dtype), end


class _BlockedScan(torch.autograd.Function):
    """The recurrence without its skip, block by block in buffers that stay in the cache.

    Only the states between blocks are stored; the backward pass recomputes the others, which costs
    less than fetching them from memory.
    """

    @staticmethod
    def forward(
        ctx: Any, u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, h: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return y (b, l, d) and the last state."""
        du, y = delta * u, torch.empty_like(u)
        bounds = u.new_empty(-(-u.shape[1] // BLOCK) + 1, *h.shape)  # states between blocks
        bounds[0] = h
        decay, states = (u.new_empty(u.shape[0], BLOCK, *a.shape) for _ in range(2))
        with torch.autocast(u.device.type, enabled=False):
            for block in range(len(bounds) - 1):
                now = slice(block * BLOCK, (block + 1) * BLOCK)
                hs = _states(bounds[block], delta[:, now], a, du[:, now], b[:, now], decay, states)
                bounds[block + 1] = hs[:, -1]
                y[:, now] = (hs @ c[:, now, :, None]).squeeze(-1)
        ctx.save_for_backward(u, delta, a, b, c, bounds)
        return y, bounds[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, y_grad: Tensor, h_grad: Tensor) -> tuple[Tensor, ...]:
        """Return the gradients of all inputs; h_grad is that of the last state."""
        u, delta, a, b, c, bounds = ctx.saved_tensors
        du = delta * u
        du_grad, step_grad, b_grad, c_grad = (torch.empty_like(x) for x in (u, delta, b, c))
        a_grad = torch.zeros_like(a)
        decay, states, grads = (u.new_empty(u.shape[0], BLOCK, *a.shape) for _ in range(3))
        with torch.autocast(u.device.type, enabled=False):
            for block in reversed(range(len(bounds) - 1)):
                now = slice(block * BLOCK, (block + 1) * BLOCK)
                h = bounds[block]
                hs = _states(h, delta[:, now], a, du[:, now], b[:, now], decay, states)
                size = hs.shape[1]
                decays, gs = decay[:, :size], grads[:, :size]
                c_grad[:, now] = (y_grad[:, now, None] @ hs).squeeze(2)
                # through each state's own output, then through all states after it
                torch.mul(y_grad[:, now, :, None], c[:, now, None], out=gs)
                by_frame = gs.unbind(1)
                by_frame[-1].add_(h_grad)
                for g, after, fade in zip(
                    by_frame[-2::-1], by_frame[:0:-1], decays.unbind(1)[:0:-1], strict=True
                ):
                    g.addcmul_(fade, after)
                h_grad = decays[:, 0] * gs[:, 0]
                du_grad[:, now] = (gs @ b[:, now, :, None]).squeeze(-1)
                b_grad[:, now] = (du[:, now, None] @ gs).squeeze(2)
                # through exp(Δ A), whose gradient is that of the decay times itself
                exponent = decays.mul_(gs)
                exponent[:, 0] *= h
                exponent[:, 1:] *= hs[:, :-1]
                step_grad[:, now] = torch.mul(exponent, a, out=gs).sum(-1)
                a_grad += exponent.mul_(delta[:, now, :, None]).sum((0, 1))
        return du_grad * delta, step_grad.addcmul_(du_grad, u), a_grad, b_grad, c_grad, h_grad


def _states(
    h: Tensor, delta: Tensor, a: Tensor, du: Tensor, b: Tensor, decay: Tensor, states: Tensor
) -> Tensor:
    """Compute all states (b, block, d, n) of one block that starts from state h.

    They are written into `states`, and exp(Δ A) into `decay`, buffers of a whole block.
    """
    decay, states = decay[:, : delta.shape[1]], states[:, : delta.shape[1]]
    torch.mul(delta[..., None], a, out=decay).exp_()
    torch.mul(du[..., None], b[:, :, None], out=states)
    for fade, inflow in zip(decay.unbind(1), states.unbind(1), strict=True):
        h = inflow.addcmul_(fade, h)
    return states
