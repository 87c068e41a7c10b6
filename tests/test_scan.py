"""The selective scan against its definition."""

import sys
from types import ModuleType

import pytest
import torch
from torch import Tensor

from jambatalk.errors import ModelError
from jambatalk.model import scan
from jambatalk.model.config import EncoderConfig, JambaTalkConfig
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.model.mamba import Mamba
from jambatalk.model.scan import BLOCK, selective_scan


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
    """Compute the scan frame by frame as in the paper, in float64."""
    u, delta, a, b, c, d = (x.double() for x in (u, delta, a, b, c, d))
    h, ys = u.new_zeros(u.shape[0], u.shape[2], a.shape[1]), []
    for t in range(u.shape[1]):
        step = delta[:, t, :, None]
        h = torch.exp(step * a) * h + step * b[:, t, None, :] * u[:, t, :, None]
        ys.append((h * c[:, t, None, :]).sum(-1) + d * u[:, t])
    return torch.stack(ys, 1), h


@pytest.mark.parametrize("length", [1, BLOCK - 1, BLOCK, BLOCK + 1, 100, 1000])
def test_scan_equals_its_definition(length: int) -> None:
    x = inputs(length)
    y, h = selective_scan(**x)
    expected, state = definition(**x)
    torch.testing.assert_close(y, expected.float(), atol=2e-6, rtol=1e-5)
    torch.testing.assert_close(h, state.float(), atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("split", [1, 5, 32, 50, 99])
def test_scan_continues_from_its_state(split: int) -> None:
    x = inputs(100)
    whole, end = selective_scan(**x)
    first = {k: v[:, :split] if v.ndim == 3 else v for k, v in x.items()}
    rest = {k: v[:, split:] if v.ndim == 3 else v for k, v in x.items()}
    y1, state = selective_scan(**first)
    y2, state = selective_scan(**rest, state=state)
    torch.testing.assert_close(torch.cat([y1, y2], 1), whole)
    torch.testing.assert_close(state, end)


def test_gradients_equal_those_of_the_definition() -> None:
    ours = {k: v.requires_grad_() for k, v in inputs(70).items()}
    theirs = {k: v.detach().double().requires_grad_() for k, v in ours.items()}
    (selective_scan(**ours)[0] ** 2).sum().backward()
    (definition(**theirs)[0] ** 2).sum().backward()
    for name, x in ours.items():
        torch.testing.assert_close(x.grad, theirs[name].grad.float(), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("length", [1, BLOCK, BLOCK + 3])
def test_gradients_equal_finite_differences(length: int) -> None:
    x = {k: v.requires_grad_() for k, v in inputs(length, torch.float64).items()}
    state = torch.randn(2, 6, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(selective_scan, (*x.values(), state))


def test_half_precision_is_computed_in_float32() -> None:
    x = inputs(200)
    y, state = selective_scan(**{k: v.bfloat16() for k, v in x.items()})
    expected, _ = selective_scan(**{k: v.bfloat16().float() for k, v in x.items()})
    assert y.dtype == torch.bfloat16
    assert state.dtype == torch.float32
    torch.testing.assert_close(y.float(), expected, atol=0.02, rtol=0.01)


def test_autocast_leaves_it_in_float32() -> None:
    ours = {k: v.requires_grad_() for k, v in inputs(40).items()}
    expected, _ = selective_scan(**ours)
    with torch.autocast("cpu", torch.bfloat16):
        y, _ = selective_scan(**ours)
        assert torch.equal(y, expected)
        (grad,) = torch.autograd.grad(y.sum(), ours["u"])
    assert torch.equal(grad, torch.autograd.grad(expected.sum(), ours["u"])[0])


def test_training_saves_few_states() -> None:
    x = {k: v.requires_grad_() for k, v in inputs(50 * BLOCK).items()}
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(saved.append, lambda t: t):
        selective_scan(**x)
    states = 2 * 50 * BLOCK * 6 * 4
    assert sum(t.numel() for t in saved if t.ndim > 3) <= states / BLOCK + 2 * 6 * 4


def kernel(u, delta, a, b, c, d, return_last_state: bool) -> tuple[Tensor, Tensor]:
    """Stand in for selective_scan_fn of mamba_ssm as documented: channels first, from zeros."""
    assert u.shape == delta.shape == (2, 6, u.shape[2])
    assert b.shape == c.shape == (2, 4, u.shape[2])
    assert {x.dtype for x in (u, delta, a, b, c, d)} == {torch.float32}
    assert return_last_state
    y, h = definition(u.mT, delta.mT, a, b.mT, c.mT, d)
    return y.mT.float(), h.float()


@pytest.fixture
def mamba_ssm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that there is a GPU with the kernel."""
    interface = ModuleType("mamba_ssm.ops.selective_scan_interface")
    interface.selective_scan_fn = kernel
    for name in ("mamba_ssm", "mamba_ssm.ops"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, interface.__name__, interface)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.Tensor, "is_cuda", property(lambda _: True))


@pytest.mark.usefixtures("mamba_ssm")
def test_cuda_scan_calls_the_kernel_as_documented() -> None:
    cuda, x = scan.scan_named("cuda"), inputs(50)
    y, end = cuda(**x)
    expected, state = selective_scan(**x)
    torch.testing.assert_close(y, expected, atol=2e-6, rtol=1e-5)
    torch.testing.assert_close(end, state, atol=2e-6, rtol=1e-5)
    again, end = cuda(**x, state=end)
    expected, state = selective_scan(**x, state=state)
    torch.testing.assert_close(again, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(end, state, atol=2e-6, rtol=1e-5)
    assert cuda(**{k: v.bfloat16() for k, v in x.items()})[0].dtype == torch.bfloat16


def small() -> JambaTalk:
    encoder = EncoderConfig(
        layers=(1,),
        architecture={
            "d_model": 8,
            "encoder_layers": 1,
            "encoder_attention_heads": 1,
            "encoder_ffn_dim": 8,
            "num_mel_bins": 80,
        },
    )
    return JambaTalk(
        JambaTalkConfig(encoder=encoder, encoder_width=8, width=32, blendshapes=("a",))
    )


@pytest.mark.usefixtures("mamba_ssm")
def test_scan_is_chosen_for_the_whole_network() -> None:
    model = small()
    blocks = [m for m in model.modules() if isinstance(m, Mamba)]
    assert {m.scan for m in blocks} == {selective_scan}
    model.use_scan("cuda")
    assert {m.scan for m in blocks} == {scan.cuda_selective_scan}


def test_unavailable_scan_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mamba_ssm", None)
    with pytest.raises(ModelError, match=r"pip install .*cuda"):
        small().use_scan("cuda")
    with pytest.raises(ModelError, match="no scan 'fast'"):
        small().use_scan("fast")
