"""The published networks by name; built from the authors' weights, or from a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from jambatalk.errors import ModelError
from jambatalk.networks.codetalker import CodeTalker
from jambatalk.networks.config import NetworkConfig
from jambatalk.networks.facediffuser import FaceDiffuser, FaceDiffuserBeat, FaceDiffuserRig
from jambatalk.networks.faceformer import FaceFormer
from jambatalk.networks.facexhubert import FaceXHuBERT
from jambatalk.networks.layouts import LAYOUTS, find_layout
from jambatalk.networks.network import Network
from jambatalk.networks.selftalk import SelfTalk
from jambatalk.networks.weights import fit_weights

NETWORKS: dict[str, type[Network]] = {
    "faceformer": FaceFormer,
    "codetalker": CodeTalker,
    "selftalk": SelfTalk,
    "facexhubert": FaceXHuBERT,
    "facediffuser": FaceDiffuser,
    "facediffuser_beat": FaceDiffuserBeat,
    "facediffuser_rig": FaceDiffuserRig,
}


def new_network(config: NetworkConfig) -> Network:
    """Build the network of a configuration, with random weights."""
    return NETWORKS[config.network](config)


def published_network(
    name: str,
    layout: str,
    weights: Mapping[str, Tensor],
    fields: Mapping[str, Any],
    cure: str,
) -> Network:
    """Build a network from the authors' weights, ready for inference.

    Args:
        weights: by their published names.
        fields: of the configuration, where they are not the published ones and the weights' sizes
            do not tell.
        cure: where the right weights come from.

    Raises:
        ModelError: an unknown network or layout, or weights that are not theirs; the message says
            which others they are of, where it is known.
    """
    published = find_layout(name, layout)
    try:
        return _fit(published, weights, fields, cure)
    except ModelError as error:
        raise ModelError(error.what, recognise(weights, fields) or error.cure) from error


def recognise(weights: Mapping[str, Tensor], fields: Mapping[str, Any]) -> str | None:
    """Say which network and layout the authors' weights are of, if any; see `published_network`."""
    for name, layouts in LAYOUTS.items():
        for layout, published in layouts.items():
            if _fits(published, weights, fields):
                return f"They are those of --network {name} --layout {layout}."
    return None


def _fits(
    published: NetworkConfig, weights: Mapping[str, Tensor], fields: Mapping[str, Any]
) -> bool:
    try:
        _fit(published, weights, fields, "")
    except (ModelError, TypeError):  # fields that this network does not have
        return False
    return True


def _fit(
    published: NetworkConfig, weights: Mapping[str, Tensor], fields: Mapping[str, Any], cure: str
) -> Network:
    cls = NETWORKS[published.network]
    try:
        sizes = cls.sizes(weights)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        reason = f"missing {error}" if isinstance(error, KeyError) else f"their shapes, {error}"
        raise ModelError(
            f"These are not the weights of {published.network}: {reason}.", cure
        ) from error
    with torch.device("meta"):  # no memory: all weights are given
        network = cls(replace(published, **sizes | dict(fields)))
    renamed = network.rename(weights, cure)
    fitting = fit_weights(renamed, network, network.constants(), cure)
    network.load_state_dict(fitting, assign=True)
    return network.eval().requires_grad_(False)
