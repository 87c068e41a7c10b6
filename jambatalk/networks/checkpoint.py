"""Checkpoint folders of any network: of JambaTalk, or of one of the published ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jambatalk.model.checkpoint import (
    WEIGHTS_FILE,
    check_weights,
    read_config_as,
    read_weights,
)
from jambatalk.model.config import JambaTalkConfig
from jambatalk.networks.config import NetworkConfig, config_of

if TYPE_CHECKING:
    from jambatalk.model.jambatalk import JambaTalk
    from jambatalk.networks.network import Network


def read_any_config(folder: Path) -> JambaTalkConfig | NetworkConfig:
    """Read the configuration of a checkpoint folder; that of a published network names it.

    Raises:
        ModelError: it is missing or not JSON, or a field has no valid value.
    """

    def read(values: Any) -> JambaTalkConfig | NetworkConfig:
        published = isinstance(values, dict) and "network" in values
        return config_of(values) if published else JambaTalkConfig.from_dict(values)

    return read_config_as(folder, read)


def load_network(folder: Path, device: str = "cpu") -> JambaTalk | Network:
    """Load the network of a checkpoint folder, ready for inference.

    Args:
        device: see :func:`jambatalk.model.device.choose_device`, which has resolved "auto".

    Raises:
        ModelError: no such checkpoint, or weights that are not this network's.
    """
    import torch  # takes seconds

    from jambatalk.model.jambatalk import JambaTalk

    config = read_any_config(folder)
    if isinstance(config, JambaTalkConfig):
        return JambaTalk.from_pretrained(folder, device)
    from jambatalk.networks.registry import new_network  # needs transformers

    with torch.device("meta"):  # no memory: all weights are in the file
        network = new_network(config)
    path = folder / WEIGHTS_FILE
    weights = read_weights(path)
    check_weights(network, weights, path)
    network.load_state_dict({name: w.float() for name, w in weights.items()}, assign=True)
    return network.eval().to(device)
