"""The network that a configuration asks for, shaped by its training set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from jambatalk.data.dataset import Dataset
from jambatalk.errors import ModelError
from jambatalk.face import load_head
from jambatalk.model.config import JambaTalkConfig
from jambatalk.model.jambatalk import ENCODER_WEIGHTS, JambaTalk, fetch, load_strictly
from jambatalk.model.lip_reader import TEXT_ENCODER, LipReading
from jambatalk.model.published import LAYOUTS
from jambatalk.talking_head import DEFAULT_CHECKPOINT
from jambatalk.train.config import NetworkConfig
from jambatalk.train.default import default_config

if TYPE_CHECKING:
    from transformers import Wav2Vec2ForCTC

MILLIMETRE = 1e-3
NEUTRAL = "neutral"


def build_network(
    config: NetworkConfig, dataset: Dataset, unit: float, lips: Sequence[int] | None
) -> JambaTalk | LipReading:
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
        folder = fetch(config.start)
        whole = lips is not None and (folder / TEXT_ENCODER).exists()
        network = (LipReading if whole else JambaTalk).from_pretrained(folder)
    if lips is not None and isinstance(network, JambaTalk):
        network = LipReading.build(network, lips, _text_encoder(config.text_encoder))
    model = network.model if isinstance(network, LipReading) else network
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
        layout, fps=dataset.fps, actions=dataset.actions, vertices=dataset.vertex_count
    )
    return config.changed(layout)


def _new(config: NetworkConfig, dataset: Dataset, unit: float) -> JambaTalk:
    shaped = shape(config, dataset, unit)
    bundled = shaped.encoder == default_config(load_head(1)).encoder
    if shaped.encoder.source is None and not bundled:
        raise ModelError(
            "There are no weights for the speech encoder to begin with.",
            "Set network.changes.encoder.source to a folder or a name on the Hugging Face hub.",
        )
    model = JambaTalk(shaped)
    if bundled:
        load_strictly(model.encoder.model, DEFAULT_CHECKPOINT / ENCODER_WEIGHTS)
    return model


def _check(config: JambaTalkConfig, dataset: Dataset) -> None:
    """Whether a network predicts what a set holds."""
    what = {
        "frames a second": (config.fps, dataset.fps),
        "vertices": (config.vertices, dataset.vertex_count),
        "actions": (len(config.actions), len(dataset.actions)),
    }
    for name, (network, data) in what.items():
        if network != data:
            raise ModelError(
                f"The network predicts {network:g} {name}, and '{dataset.name}' has {data:g}.",
                "Start from another checkpoint, or from none.",
            )


def _text_encoder(source: str) -> Wav2Vec2ForCTC:
    """A wav2vec 2.0 with letters, from a folder or the hub."""
    import torch
    from transformers import Wav2Vec2ForCTC

    try:
        model, report = Wav2Vec2ForCTC.from_pretrained(
            source, dtype=torch.float32, output_loading_info=True
        )
    except Exception as error:  # files, network, formats: each raises its own
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise ModelError(
            f"The text encoder '{source}' could not be loaded ({reason}).",
            "Set network.text_encoder to a folder with config.json and model.safetensors, or to a "
            "name on the Hugging Face hub and give it a network.",
        ) from error
    if "lm_head.weight" in report["missing_keys"]:
        raise ModelError(
            f"The text encoder '{source}' was not trained to write down speech.",
            "Give one that was, such as jonatasgrosman/wav2vec2-large-xlsr-53-english.",
        )
    return model
