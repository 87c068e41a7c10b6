"""Choice of the device that the network runs on, and of the scan that fits it."""

from __future__ import annotations

import logging
import re

import torch

from jambatalk.errors import ModelError
from jambatalk.model.scan import scan_named

log = logging.getLogger(__name__)


def choose_device(name: str = "auto") -> str:
    """Return the device of that name, or the best one of this machine.

    Args:
        name: "auto" for a GPU where PyTorch finds one and the CPU otherwise, "cpu", "cuda", or
            "cuda:N" for one of several GPUs.

    Raises:
        ModelError: an unknown name, or a GPU that is not there.
    """
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        device = "cuda" if gpus else "cpu"
        log.info("Running on the %s.", "GPU" if gpus else "CPU")
        return device
    match = re.fullmatch(r"cpu|cuda(?::(\d{1,3}))?", name)
    if match is None:
        raise ModelError(f"There is no device '{name}'.", "Use auto, cpu, cuda or cuda:N.")
    if name != "cpu" and int(match[1] or 0) >= gpus:
        found = "PyTorch finds no GPU" if not gpus else f"PyTorch finds {gpus} GPUs"
        raise ModelError(
            f"The device '{name}' is not available: {found} on this machine.",
            "Use 'auto' or 'cpu', or install PyTorch for CUDA and a driver that fits it.",
        )
    return name


def choose_scan(device: str) -> str:
    """Return the fastest scan that runs on a device: "cuda" with mamba_ssm, otherwise "torch"."""
    if not device.startswith("cuda"):
        return "torch"
    try:
        scan_named("cuda")
    except ModelError as error:
        log.info("The slower scan 'torch' is used. %s", error)
        return "torch"
    return "cuda"
