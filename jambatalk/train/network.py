"""The network that a configuration asks for, shaped by its training set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from jambatalk.data.dataset import Dataset
from jambatalk.errors import ModelError
from jambatalk.face.library import load_head
from jambatalk.files.bundled import DEFAULT_CHECKPOINT
from jambatalk.model.checkpoint import ENCODER_FILE, fetch_checkpoint, load_weights
from jambatalk.model.config import JambaTalkConfig
from jambatalk.model.hub_encoder import load_hub_encoder
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.paper.layouts import LAYOUTS
from jambatalk.paper.lip_reader import TEXT_ENCODER_FILE, LipReadingNetwork
from jambatalk.train.training_config import NetworkConfig
from recipes.checkpoint.training.bundled import default_config

MILLIMETRE = 1e-3
NEUTRAL = "neutral"


def build_network(
    config: NetworkConfig, dataset: Dataset, unit: float, lips: Sequence[int] | None
) -> JambaTalk | LipReadingNetwork:
    """A new network, or one to go on from.

    Args:
        dataset: what it is to predict, and how often a second.
        unit: metres that one unit of the set's vertices is.
        lips: vertex indices, if a lip reader is wanted.

    Raises:
        ModelError: encoder, start or scan cannot be had, or do not fit the set.
    """
    if config.start is None:
        network = _new(config, dataset, unit)
    else:
        folder = fetch_checkpoint(config.start)
        whole = lips is not None and (folder / TEXT_ENCODER_FILE).exists()
        network = (LipReadingNetwork if whole else JambaTalk).from_pretrained(folder)
    if lips is not None and isinstance(network, JambaTalk):
        letters = load_hub_encoder("wav2vec2", config.text_encoder, "ForCTC")
        network = LipReadingNetwork.build(network, lips, letters)
    model = network.model if isinstance(network, LipReadingNetwork) else network
    _check(model.config, dataset)
    model.use_scan(config.scan)
    return network


def shape(config: NetworkConfig, dataset: Dataset, unit: float) -> JambaTalkConfig:
    """The configuration of a new network.

    The bundled layout has a style for each subject, beside a neutral one that is everybody's; it
    moves vertices by millimetres. The published layouts have one style and move them in the unit
    of their set.
    """
    if config.layout == "default":
        people = dataset.subjects if len(dataset.subjects) > 1 else ()
        layout = replace(
            default_config(load_head(1)), styles=(NEUTRAL, *people), style_notes={}, unit=MILLIMETRE
        )
    else:
        layout = replace(LAYOUTS[config.layout], unit=unit)
    layout = replace(
        layout, fps=dataset.fps, blendshapes=dataset.blendshapes, vertices=dataset.vertex_count
    )
    return config.changed(layout)


def _new(config: NetworkConfig, dataset: Dataset, unit: float) -> JambaTalk:
    shaped = shape(config, dataset, unit)
    ours, encoder = default_config(load_head(1)).encoder, shaped.encoder
    same = (encoder.kind, encoder.architecture) == (ours.kind, ours.architecture)
    bundled = encoder.source is None and same
    if encoder.source is None and not same:
        raise ModelError(
            "There are no weights for the speech encoder to begin with.",
            "Set network.changes.encoder.source to a folder or a name on the Hugging Face hub.",
        )
    model = JambaTalk(shaped)
    if bundled:
        load_weights(model.encoder.model, DEFAULT_CHECKPOINT / ENCODER_FILE)
    return model


def _check(config: JambaTalkConfig, dataset: Dataset) -> None:
    """Whether a network predicts what a set holds."""
    what = {
        "frames a second": (config.fps, dataset.fps),
        "vertices": (config.vertices, dataset.vertex_count),
        "blendshapes": (len(config.blendshapes), len(dataset.blendshapes)),
    }
    for name, (network, data) in what.items():
        if network != data:
            raise ModelError(
                f"The network predicts {network:g} {name}, and '{dataset.name}' has {data:g}.",
                "Start from another checkpoint, or from none.",
            )
    if config.blendshapes != dataset.blendshapes:
        raise ModelError(f"The network predicts other blendshapes than '{dataset.name}' has.")
