"""The selective scan on a CPU beside other implementations in PyTorch.

    python benchmarks/scan_implementations.py

Width 1024, 16 states, batch 1, as in the published network. All implementations have the same
output, which is checked first. CPU time of one thread, which other load affects little; medians of
interleaved runs; ratios to this project's.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import statistics
import time
from collections.abc import Callable

import torch
from common import peak_memory
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from jambatalk.model.scan import selective_scan

CHANNELS, STATES = 1024, 16
FPS = 30
Form = Callable[..., Tensor]


def ours(u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    """Call the scan of this project."""
    return selective_scan(u, delta, a, b, c, d)[0]


def unbound(u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    """Discretise 32 frames at a time, with one backward step for all of them by `unbind`."""
    h, outputs = u.new_zeros(len(u), *a.shape), []
    for start in range(0, u.shape[1], 32):
        now = slice(start, start + 32)
        decay = torch.exp(delta[:, now, :, None] * a).unbind(1)
        inflow = ((delta * u)[:, now, :, None] * b[:, now, None]).unbind(1)
        states = []
        for fade, gain in zip(decay, inflow, strict=True):
            h = torch.addcmul(gain, fade, h)
            states.append(h)
        outputs.append((torch.stack(states, 1) @ c[:, now, :, None])[..., 0])
    return torch.cat(outputs, 1) + u * d


def sequential(u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    """Discretise everything at once, then loop over frames by index."""
    decay = torch.exp(delta[..., None] * a)  # (b, l, d, n)
    inflow = (delta * u)[..., None] * b[:, :, None]
    h, states = torch.zeros_like(decay[:, 0]), []
    for t in range(u.shape[1]):
        h = decay[:, t] * h + inflow[:, t]
        states.append(h)
    return (torch.stack(states, 1) @ c[..., None])[..., 0] + u * d


def channels_first(u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    """Follow the layout of the published reference: frames after channels, single outputs."""
    decay = torch.exp(torch.einsum("bld,dn->bdln", delta, a))
    inflow = torch.einsum("bld,bln,bld->bdln", delta, b, u)
    h, outputs = torch.zeros_like(decay[:, :, 0]), []
    for t in range(u.shape[1]):
        h = decay[:, :, t] * h + inflow[:, :, t]
        outputs.append(torch.einsum("bdn,bn->bd", h, c[:, t]))
    return torch.stack(outputs, 1) + u * d


def chunked(u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    """Scan chunks of 16 in parallel from zero, then loop over chunks to carry the state."""
    batch, length, width = u.shape
    pad = (0, 0, 0, -length % 16)
    steps = F.pad(delta, pad).view(batch, -1, 16, width)  # (b, chunks, 16, d)
    decay = torch.exp(steps[..., None] * a).unbind(2)
    gain = F.pad((delta * u), pad).view_as(steps)
    inflow = (gain[..., None] * F.pad(b, pad).view(*steps.shape[:3], 1, STATES)).unbind(2)
    h, inner = torch.zeros_like(inflow[0]), []
    for fade, x in zip(decay, inflow, strict=True):
        h = torch.addcmul(x, fade, h)
        inner.append(h)
    faded = torch.exp(steps.cumsum(2)[..., None] * a)  # since the chunk began
    carry, starts = torch.zeros_like(h[:, 0]), []
    for end, fade in zip(h.unbind(1), faded[:, :, -1].unbind(1), strict=True):
        starts.append(carry)
        carry = torch.addcmul(end, fade, carry)
    states = torch.stack(inner, 2) + faded * torch.stack(starts, 1)[:, :, None]
    states = states.flatten(1, 2)[:, :length]
    return (states @ c[..., None])[..., 0] + u * d


def parallel(u: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    """Scan associatively: combine pairs of frames recursively, and expand again."""

    def scan(decay: Tensor, inflow: Tensor) -> Tensor:
        if decay.shape[1] == 1:
            return inflow
        odd = decay.shape[1] % 2
        if odd:
            decay, inflow = (F.pad(x, (0, 0, 0, 0, 0, 1)) for x in (decay, inflow))
        first, second = decay[:, 0::2], decay[:, 1::2]
        pairs = scan(first * second, torch.addcmul(inflow[:, 1::2], second, inflow[:, 0::2]))
        before = F.pad(pairs[:, :-1], (0, 0, 0, 0, 1, 0))
        states = torch.stack([torch.addcmul(inflow[:, 0::2], first, before), pairs], 2)
        states = states.flatten(1, 2)
        return states[:, :-1] if odd else states

    decay = torch.exp(delta[..., None] * a)
    states = scan(decay, (delta * u)[..., None] * b[:, :, None])
    return (states @ c[..., None])[..., 0] + u * d


FORMS: dict[str, Form] = {
    "ours": ours,
    "blocks, unbound": unbound,
    "frame by frame": sequential,
    "channels first": channels_first,
    "chunks side by side": chunked,
    "parallel scan": parallel,
}


def inputs(frames: int) -> list[Tensor]:
    """Make inputs like those of a Mamba block: u, delta, a, b, c, d."""
    torch.manual_seed(0)
    wide, narrow = (1, frames, CHANNELS), (1, frames, STATES)
    a = -torch.arange(1.0, STATES + 1).repeat(CHANNELS, 1)
    return [
        torch.randn(wide),
        torch.rand(wide) * 0.1,
        a,
        torch.randn(narrow),
        torch.randn(narrow),
        torch.ones(CHANNELS),
    ]


def run(form: Form, x: list[Tensor], backward: bool) -> None:
    """Run forward, or forward and backward."""
    for tensor in x:
        tensor.grad = None
        tensor.requires_grad_(backward)
    y = form(*x)
    if backward:
        y.sum().backward()


def medians(forms: dict[str, Form], frames: int, backward: bool, runs: int) -> dict[str, float]:
    """Measure the median milliseconds of each implementation, in turns."""
    x = inputs(frames)
    milliseconds: dict[str, list[float]] = {name: [] for name in forms}
    for _ in range(runs + 1):
        for name, form in forms.items():
            start = time.thread_time()
            run(form, x, backward)
            milliseconds[name].append(1000 * (time.thread_time() - start))
    return {
        name: statistics.median(times[1:]) for name, times in milliseconds.items()
    }  # without warm-up


def peak(name: str, frames: int, backward: bool) -> float:
    """Measure the megabytes that one run adds to a new process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak, (name, frames, backward))


def _peak(name: str, frames: int, backward: bool) -> float:
    torch.set_num_threads(1)
    run(FORMS[name], inputs(10), backward)
    x = inputs(frames)
    before = peak_memory()
    run(FORMS[name], x, backward)
    return peak_memory() - before


def check() -> None:
    """Check that all implementations agree."""
    x = inputs(77)
    for name, form in FORMS.items():
        torch.testing.assert_close(form(*x), ours(*x), atol=1e-4, rtol=1e-4, msg=name)


def main() -> None:
    """Print the machine, the comparison, and time and memory by length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}")
    print(f"{CHANNELS} channels, {STATES} states, float32, CPU time of one thread")
    check()

    cases = {
        "forward, 10 s": (300, False),
        "forward, 60 s": (1800, False),
        "and backward, 5 s": (150, True),
    }
    print(f"\nmilliseconds, median of {options.runs} (ratio to ours)")
    print(f"{'':<20}" + "".join(f"{case:>20}" for case in cases))
    results = [
        medians(FORMS, frames, backward, options.runs) for frames, backward in cases.values()
    ]
    for name in FORMS:
        cells = [f"{r[name]:.0f} ({r[name] / r['ours']:.1f})" for r in results]
        print(f"{name:<20}" + "".join(f"{cell:>20}" for cell in cells))

    print("\nours by length, per frame (memory: peak above the inputs)")
    for minutes in (1, 3, 10):
        frames = round(minutes * 60 * FPS)
        cells = []
        for backward in (False, True):
            milliseconds = medians({"ours": ours}, frames, backward, 1)["ours"]
            memory = peak("ours", frames, backward)
            cells.append(f"{1000 * milliseconds / frames:.0f} µs, {1000 * memory / frames:.0f} kB")
        print(f"{minutes:>4} min: forward {cells[0]}; and backward {cells[1]}")
    memory = peak("blocks, unbound", 1800, True)
    print(f"blocks, unbound, 1 min: and backward {1000 * memory / 1800:.0f} kB")


if __name__ == "__main__":
    main()
