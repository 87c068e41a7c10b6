"""The choice of a device and of its scan, on machines with and without a GPU."""

import pytest
import torch

from jambatalk import TalkingHead
from jambatalk.errors import ModelError
from jambatalk.model import device
from jambatalk.model.device import choose_device, choose_scan


def pretend_gpus(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)


def test_auto_chooses_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_gpus(monkeypatch, 0)
    assert choose_device() == choose_device("auto") == "cpu"
    pretend_gpus(monkeypatch, 2)
    assert choose_device() == "cuda"
    assert choose_device("cpu") == "cpu"
    assert choose_device("cuda:1") == "cuda:1"


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "CUDA", "", "mps", "cuda:-1"])
def test_unknown_device_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_gpus(monkeypatch, 1)
    with pytest.raises(ModelError, match=r"no device .*Use auto, cpu, cuda"):
        choose_device(name)


@pytest.mark.parametrize(("name", "gpus"), [("cuda", 0), ("cuda:0", 0), ("cuda:2", 2)])
def test_missing_gpu_is_refused(name: str, gpus: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_gpus(monkeypatch, gpus)
    with pytest.raises(ModelError, match=f"'{name}' is not available: PyTorch finds"):
        choose_device(name)


def test_device_is_checked_before_the_checkpoint_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_gpus(monkeypatch, 0)
    with pytest.raises(ModelError, match="'cuda' is not available"):
        TalkingHead.from_pretrained("no/such-checkpoint", device="cuda")


def test_scan_fits_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_scan("cpu") == "torch"
    monkeypatch.setattr(device, "scan_named", lambda _: None)
    assert choose_scan("cuda:1") == "cuda"

    def unavailable(_: str) -> None:
        raise ModelError("mamba_ssm is not installed.")

    monkeypatch.setattr(device, "scan_named", unavailable)
    assert choose_scan("cuda") == "torch"
