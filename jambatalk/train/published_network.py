"""The published network that a configuration asks for, shaped by its training set."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from jambatalk.data.dataset import Dataset, Recording
from jambatalk.data.splits import is_emotional
from jambatalk.errors import ModelError
from jambatalk.face.user_face import guess_unit
from jambatalk.model.checkpoint import fetch_checkpoint
from jambatalk.model.hub_encoder import load_hub_encoder
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.networks.checkpoint import load_network
from jambatalk.networks.codetalker import CodeTalker
from jambatalk.networks.config import CodeTalkerConfig, NetworkConfig, config_of
from jambatalk.networks.layouts import EXPRESSIVE, find_layout
from jambatalk.networks.motion_codes import MotionCodes
from jambatalk.networks.network import Network
from jambatalk.networks.registry import new_network
from jambatalk.train.training_config import NetworkConfig as Choice


def layout_of(choice: Choice) -> NetworkConfig:
    """Return the layout in which the network was published; raises ModelError."""
    return find_layout(choice.name.partition("_")[0], choice.layout)


def axes_of(layout: NetworkConfig, dataset: Dataset) -> np.ndarray:
    """Return the metres (3,) that one unit of the set's coordinates is along x, y and z.

    Coordinates that are `relative` do not tell the shape of the face.
    """
    if not dataset.templates:
        return np.ones(3)
    unit = np.full(3, guess_unit(next(iter(dataset.templates.values()))))
    if dataset.vertex_count != layout.vertices:
        return unit
    return np.array(layout.axes) * (unit if layout.relative else 1.0)


def shaped_config(layout: NetworkConfig, choice: Choice, dataset: Dataset) -> NetworkConfig:
    """Return a layout with the set's outputs and subjects, and the configuration's changes.

    Raises:
        ModelError: a field that does not exist, or values that do not fit together or to the set.
    """
    published = dataset.vertex_count == layout.vertices  # coordinates are scaled as published
    shaped = replace(
        layout,
        fps=dataset.fps,
        styles=_styles(layout, dataset),
        vertices=dataset.vertex_count,
        blendshapes=dataset.blendshapes,
        axes=layout.axes if published else tuple(axes_of(layout, dataset).tolist()),
        relative=layout.relative and published,
    )
    try:
        return config_of(shaped.to_dict() | choice.changes)
    except ModelError as error:
        raise ModelError(f"network.changes: {error.what}", error.cure) from error


def build_codes(choice: Choice, dataset: Dataset) -> MotionCodes:
    """Build CodeTalker's first stage with random weights, or load that to start from."""
    if choice.start is not None:
        return MotionCodes.from_pretrained(choice.start)
    config = shaped_config(layout_of(choice), choice, dataset)
    assert isinstance(config, CodeTalkerConfig)
    return MotionCodes(config)


def build_published(choice: Choice, dataset: Dataset) -> Network:
    """Build a network with random weights but for its speech encoder's and its first stage's.

    Or load the checkpoint to start from.

    Raises:
        ModelError: the speech encoder, start or first stage cannot be loaded, are of another
            network, or none is given.
    """
    layout = layout_of(choice)
    if choice.start is not None:
        network = load_network(fetch_checkpoint(choice.start))
        if isinstance(network, JambaTalk) or network.config.network != layout.network:
            raise ModelError(
                f"'{choice.start}' is not of {choice.name}.", "Start from another, or from none."
            )
        return network
    if choice.speech_encoder is None:
        raise ModelError(
            "There are no pretrained weights for the speech encoder.",
            "Set network.speech_encoder to a folder or a name on the Hugging Face hub.",
        )
    codes = MotionCodes.from_pretrained(choice.first_stage) if choice.first_stage else None
    config = shaped_config(codes.config if codes else layout, choice, dataset)
    encoder: Any = load_hub_encoder(config.encoder_kind, choice.speech_encoder)
    network = new_network(replace(config, encoder=encoder.config.to_diff_dict()))
    network.audio_encoder.load_state_dict(encoder.state_dict())
    if isinstance(network, CodeTalker) and codes:
        network.autoencoder.load_state_dict(codes.state_dict())
    return network


def style_indices(config: NetworkConfig, recording: Recording) -> list[int]:
    """Return the style of a recording; all of them if its subject has none."""
    styles, name = config.styles, recording.subject
    if name not in styles:
        return list(range(len(styles)))
    if f"{name}{EXPRESSIVE}" in styles and is_emotional(recording.name):
        name = f"{name}{EXPRESSIVE}"
    return [styles.index(name)]


def _styles(layout: NetworkConfig, dataset: Dataset) -> tuple[str, ...]:
    """Return a style a subject, in the published order where those are the subjects."""
    if len(layout.styles) == 1:
        return layout.styles
    published = tuple(name for name in layout.styles if not name.endswith(EXPRESSIVE))
    subjects = dataset.subjects if set(published) != set(dataset.subjects) else published
    if layout.network != "facexhubert":
        return subjects
    return (*subjects, *(f"{name}{EXPRESSIVE}" for name in subjects))
