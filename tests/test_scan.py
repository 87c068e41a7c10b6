"""The selective scan against its definition."""

import pytest
import torch
from torch import Tensor

from jambatalk.model.scan import selective_scan


def inputs(length: int, kind: torch.dtype = torch.float32) -> dict[str, Tensor]:
    torch.manual_seed(length)
    batch, channels, states = 2, 6, 4
    return {
        "u": torch.randn(batch, length, channels, dtype=kind),
        "delta": torch.rand(batch, length, channels, dtype=kind) * 0.2,
        "a": -torch.rand(channels, states, dtype=kind) * 16,
        "b": torch.randn(batch, length, states, dtype=kind),
        "c": torch.randn(batch, length, states, dtype=kind),
        "d": torch.randn(channels, dtype=kind),
    }


def definition(u, delta, a, b, c, d) -> tuple[Tensor, Tensor]:
    """Frame by frame as written in the paper, in float64."""
    u, delta, a, b, c, d = (x.double() for x in (u, delta, a, b, c, d))
    h, ys = u.new_zeros(u.shape[0], u.shape[2], a.shape[1]), []
    for t in range(u.shape[1]):
        step = delta[:, t, :, None]
        h = torch.exp(step * a) * h + step * b[:, t, None, :] * u[:, t, :, None]
        ys.append((h * c[:, t, None, :]).sum(-1) + d * u[:, t])
    return torch.stack(ys, 1), h


@pytest.mark.parametrize("length", [1, 31, 32, 33, 100, 1000])
def test_equals_its_definition(length: int) -> None:
    x = inputs(length)
    y, h = selective_scan(**x)
    expected, state = definition(**x)
    torch.testing.assert_close(y, expected.float(), atol=2e-6, rtol=1e-5)
    torch.testing.assert_close(h, state.float(), atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("split", [1, 5, 32, 50, 99])
def test_split_anywhere_equals_whole(split: int) -> None:
    x = inputs(100)
    whole, end = selective_scan(**x)
    first = {k: v[:, :split] if v.ndim == 3 else v for k, v in x.items()}
    rest = {k: v[:, split:] if v.ndim == 3 else v for k, v in x.items()}
    y1, state = selective_scan(**first)
    y2, state = selective_scan(**rest, state=state)
    torch.testing.assert_close(torch.cat([y1, y2], 1), whole)
    torch.testing.assert_close(state, end)


def test_gradients_are_those_of_the_definition() -> None:
    ours = {k: v.requires_grad_() for k, v in inputs(70).items()}
    theirs = {k: v.detach().double().requires_grad_() for k, v in ours.items()}
    (selective_scan(**ours)[0] ** 2).sum().backward()
    (definition(**theirs)[0] ** 2).sum().backward()
    for name, x in ours.items():
        torch.testing.assert_close(x.grad, theirs[name].grad.float(), atol=1e-4, rtol=1e-4)


def test_half_precision_is_computed_in_float32() -> None:
    x = inputs(200)
    y, state = selective_scan(**{k: v.bfloat16() for k, v in x.items()})
    expected, _ = selective_scan(**{k: v.bfloat16().float() for k, v in x.items()})
    assert y.dtype == torch.bfloat16
    assert state.dtype == torch.float32
    torch.testing.assert_close(y.float(), expected, atol=0.02, rtol=0.01)
