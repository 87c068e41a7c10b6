"""The network that a configuration asks for, shaped by its training set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from jambatalk.data.dataset import Dataset
from jambatalk.errors import ModelError
from jambatalk.files.bundled import DEFAULT_CHECKPOINT
from jambatalk.model.checkpoint import ENCODER_FILE, fetch_checkpoint, load_weights, read_config
from jambatalk.model.config import JambaTalkConfig
from jambatalk.model.hub_encoder import load_hub_encoder
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.networks.config import NetworkConfig as Published
from jambatalk.paper.layouts import LAYOUTS
from jambatalk.paper.lip_reader import TEXT_ENCODER_FILE, LipReadingNetwork
from jambatalk.train.training_config import NetworkConfig, with_changes


def build_network(
    config: NetworkConfig, dataset: Dataset, unit: float, lips: Sequence[int] | None
) -> JambaTalk | LipReadingNetwork:
    """Build a new network, or load the checkpoint to start from.

    Args:
        dataset: determines outputs and frame rate.
        unit: metres per unit of the set's vertices.
        lips: vertex indices, if a lip reader is needed.

    Raises:
        ModelError: encoder, start or scan are not available, or do not fit the set.
    """
    network: JambaTalk | LipReadingNetwork
    if config.start is None:
        network = _new_network(config, dataset, unit)
    else:
        folder = fetch_checkpoint(config.start)
        reads_lips = lips is not None and (folder / TEXT_ENCODER_FILE).exists()
        network = (LipReadingNetwork if reads_lips else JambaTalk).from_pretrained(folder)
    if lips is not None and isinstance(network, JambaTalk):
        text_encoder: Any = load_hub_encoder("wav2vec2", config.text_encoder, "ForCTC")
        network = LipReadingNetwork.build(network, lips, text_encoder)
    model = network.model if isinstance(network, LipReadingNetwork) else network
    check_outputs(model.config, dataset)
    model.use_scan(config.scan)
    return network


def network_config(config: NetworkConfig, dataset: Dataset, unit: float) -> JambaTalkConfig:
    """Return the configuration of a new network.

    The default layout is the bundled checkpoint's architecture without its recognition of phones,
    with a neutral style beside one for each subject, and offsets in millimetres. The published
    layouts have one style and offsets in the unit of their set.
    """
    if config.layout == "default":
        layout = read_config(DEFAULT_CHECKPOINT)
        subjects = dataset.subjects if len(dataset.subjects) > 1 else ()
        styles = ("neutral", *subjects)
        layout = replace(layout, styles=styles, style_notes={}, phones=(), unit=1e-3)
    else:
        layout = replace(LAYOUTS[config.layout], unit=unit)
    layout = replace(
        layout, fps=dataset.fps, blendshapes=dataset.blendshapes, vertices=dataset.vertex_count
    )
    return with_changes(layout, config.changes)


def _new_network(config: NetworkConfig, dataset: Dataset, unit: float) -> JambaTalk:
    shaped = network_config(config, dataset, unit)
    bundled, encoder = read_config(DEFAULT_CHECKPOINT).encoder, shaped.encoder
    same = (encoder.kind, encoder.architecture) == (bundled.kind, bundled.architecture)
    if encoder.source is None and not same:
        raise ModelError(
            "There are no pretrained weights for the speech encoder.",
            "Set network.changes.encoder.source to a folder or a name on the Hugging Face hub.",
        )
    model = JambaTalk(shaped)
    if encoder.source is None:
        load_weights(model.encoder.model, DEFAULT_CHECKPOINT / ENCODER_FILE)
    return model


def check_outputs(config: JambaTalkConfig | Published, dataset: Dataset) -> None:
    """Raise a ModelError unless the network predicts what the set holds."""
    compared = {
        "frames a second": (config.fps, dataset.fps),
        "vertices": (config.vertices, dataset.vertex_count),
        "blendshapes": (len(config.blendshapes), len(dataset.blendshapes)),
    }
    for name, (network, data) in compared.items():
        if network != data:
            raise ModelError(
                f"The network predicts {network:g} {name}, and '{dataset.name}' has {data:g}.",
                "Start from another checkpoint, or from none.",
            )
    if config.blendshapes != dataset.blendshapes:
        raise ModelError(f"The network predicts other blendshapes than '{dataset.name}' has.")
