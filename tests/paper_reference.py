"""References of the published network: fixed weights, an input and the outputs that belong to it.

A reference is three files of one name: `.json` describes the network, `.pth` holds its weights by
their published names and `.npz` its inputs and outputs. The big one was computed by the published
code and is too large for the repository; :mod:`make_paper_reference` made the small one.
"""

import json
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import torch
from local_data import REFERENCE
from torch import Tensor
from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

from jambatalk.model.checkpoint import ENCODER_FILE, WEIGHTS_FILE
from jambatalk.model.config import JambaTalkConfig
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.paper.layouts import LAYOUTS
from jambatalk.paper.lip_reader import (
    LIP_READER_FILE,
    TEXT_ENCODER_FILE,
    LipReader,
    LipReadingNetwork,
)
from jambatalk.paper.paper_weights import sort_weights

BIG = REFERENCE / "jambatalk_vocaset_tiny"
SMALL = Path(__file__).parent / "data" / "paper_vocaset"
TOLERANCE = 1e-4  # of an output's standard deviation
GIVEN = {"audio", "template", "lip_mask", "forward_vertice"}  # inputs and training's target
POLICIES = ("all", "none")  # of second experts, which "random" draws


@dataclass(frozen=True)
class Reference:
    """The contents of the three files."""

    config: JambaTalkConfig
    state: dict[str, Tensor]  # by published names
    values: dict[str, Tensor]

    @classmethod
    def read(cls, stem: Path) -> "Reference":
        """Read the files `stem`.json, .pth and .npz."""
        state = torch.load(stem.with_suffix(".pth"), weights_only=True)
        with np.load(stem.with_suffix(".npz")) as file:
            values = {name: torch.from_numpy(file[name]) for name in file.files}
        return cls(configuration(json.loads(stem.with_suffix(".json").read_text())), state, values)

    @property
    def audio(self) -> Tensor:
        """The input, (n,) at 16 kHz."""
        return self.values["audio"]

    @property
    def template(self) -> Tensor:
        """The face at rest, (1, 3 V)."""
        return self.values["template"]

    def network(self) -> LipReadingNetwork:
        """Build the whole network."""
        return build(self.config, self.state, self.values["lip_mask"])

    def outputs(self, pattern: str = "*") -> dict[str, Tensor]:
        """Return the network's outputs whose names match."""
        return {n: y for n, y in self.values.items() if n not in GIVEN and fnmatch(n, pattern)}


def configuration(described: dict) -> JambaTalkConfig:
    """Give VOCASET's layout the widths of a reference's .json."""
    layout, encoder = LAYOUTS["vocaset"], described["wav2vec2"]
    return replace(
        layout,
        encoder=replace(
            layout.encoder, architecture=encoder, layers=(encoder["num_hidden_layers"],)
        ),
        encoder_width=encoder["hidden_size"],
        width=described["feature_dim"],
        vertices=described["vertice_dim"] // 3,
    )


def build(config: JambaTalkConfig, state: dict[str, Tensor], lips: Tensor) -> LipReadingNetwork:
    """Build a network and its lip reader with weights by their published names."""
    files, architecture = sort_weights(state, config), config.encoder.architecture
    model = JambaTalk(config)
    text_encoder = Wav2Vec2ForCTC(Wav2Vec2Config(**architecture))
    reader = LipReader(len(lips), architecture["hidden_size"])
    model.decoder.load_state_dict(files[WEIGHTS_FILE])
    model.encoder.model.load_state_dict(files[ENCODER_FILE])
    text_encoder.load_state_dict(files[TEXT_ENCODER_FILE])
    reader.load_state_dict(files[LIP_READER_FILE] | {"lips": lips})
    return LipReadingNetwork(model, reader, text_encoder).eval()


def traces(network: LipReadingNetwork, audio: Tensor) -> dict[str, Tensor]:
    """Run inference and return what every module gave, numbered in the order of their calls."""
    decoder, reader, given = network.model.decoder, network.lip_reader, []
    watched = {
        "audio_feature_map": decoder.feature_map,
        "mamba": decoder.blocks["mamba"],
        "mamba_moe.mamba": decoder.blocks["mamba_moe"].mamba,
        "mamba_moe.moe": decoder.blocks["mamba_moe"].experts,
        "mamba_moe": decoder.blocks["mamba_moe"],
        "transformer_decoder": decoder.blocks["attention"],
        "vertice_map_r": decoder.motion_map,
        "lip_map": reader.lip_map,
        "transformer": reader.transformer,
        "lm_head": reader.lm_head,
    }
    hooks = [
        module.register_forward_hook(
            lambda _, __, y, name=name: given.append((name, y[0] if isinstance(y, tuple) else y))
        )
        for name, module in watched.items()
    ]
    with torch.inference_mode():
        features = network.model.encoder(audio.numpy())[None]
        given.append(("audio_encoder", features[:, :, 0]))
        reader(decoder(features), network.model.config.fps)
    for hook in hooks:
        hook.remove()
    numbered = {f"trace{i:02}_{name}": y for i, (name, y) in enumerate(given)}
    # the vertices without their template
    return {name: y for name, y in numbered.items() if not name.endswith("vertice_map_r")}


def predictions(
    network: LipReadingNetwork, audio: Tensor, template: Tensor, policy: str
) -> dict[str, Tensor]:
    """Predict vertices, and read their lips, with or without second experts."""
    model, experts = network.model, network.model.decoder.blocks["mamba_moe"].experts
    usual, experts.second_expert = experts.second_expert, policy
    offsets = model.predict(model.encoder(audio.numpy()), model.style("neutral"))[None]
    experts.second_expert = usual
    with torch.inference_mode():
        features, letters = network.lip_reader(offsets, model.config.fps)
    return {
        f"vertices_{policy}": offsets + template[:, None],
        f"lip_features_{policy}": features,
        f"logits_{policy}": letters,
    }


def training_pass(network: LipReadingNetwork, audio: Tensor, template: Tensor) -> dict[str, Tensor]:
    """Run the forward pass of training."""
    with torch.no_grad():
        features = network.model.encoder(audio.numpy())[None]
        vertices, output = network(features, audio[None], template)
    return {
        "forward_vertice_out": vertices,
        "forward_lip_features": output.lip_features,
        "forward_logits": output.lip_logits,
        "forward_text_hidden_states": output.text_features,
        "forward_text_logits": output.text_logits,
    }


def all_outputs(network: LipReadingNetwork, audio: Tensor, template: Tensor) -> dict[str, Tensor]:
    """Compute all that a reference holds, by its names there."""
    outputs = traces(network, audio) | training_pass(network, audio, template)
    for policy in POLICIES:
        outputs |= predictions(network, audio, template, policy)
    return outputs


def deviations(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> dict[str, float]:
    """Measure the largest difference of each output in standard deviations of theirs.

    An output of one side alone, or of another shape, differs infinitely.
    """
    differs = dict.fromkeys(ours.keys() | theirs.keys(), float("inf"))
    for name in ours.keys() & theirs.keys():
        if ours[name].shape == theirs[name].shape:
            furthest = (ours[name] - theirs[name]).abs().max()
            differs[name] = float(furthest / theirs[name].std())
    return differs


def disagreements(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> dict[str, float]:
    """Return those of :func:`deviations` that are too large, NaN among them."""
    return {name: by for name, by in deviations(ours, theirs).items() if not by < TOLERANCE}
