"""The authors' weights, given the names of our modules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from jambatalk.errors import ModelError, abbreviate, brief
from jambatalk.files.origins import PUBLISHED_WEIGHTS
from jambatalk.files.plain import read_json
from jambatalk.model.checkpoint import ENCODER_FILE, WEIGHTS_FILE
from jambatalk.model.config import JambaTalkConfig
from jambatalk.model.hub_encoder import import_transformers
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.paper.layouts import LAYOUTS, WAV2VEC2_LARGE
from jambatalk.paper.lip_reader import LIP_READER_FILE, TEXT_ENCODER_FILE, LipReader

# fmt: off
NAMES = {  # prefix of the authors' name → file of a checkpoint, prefix of the name in it
    "audio_encoder.": (ENCODER_FILE, ""),
    "text_encoder.": (TEXT_ENCODER_FILE, ""),
    "lip_map.": (LIP_READER_FILE, "lip_map."),
    "transformer.": (LIP_READER_FILE, "transformer."),
    "lm_head.": (LIP_READER_FILE, "lm_head."),
    "audio_feature_map.": (WEIGHTS_FILE, "feature_map."),
    "mamba.": (WEIGHTS_FILE, "blocks.mamba.mamba."),
    "mamba_moe.mamba.": (WEIGHTS_FILE, "blocks.mamba_moe.mamba."),
    "mamba_moe.moe.gate.w_gating": (WEIGHTS_FILE, "blocks.mamba_moe.experts.gate"),
    "mamba_moe.moe.experts.": (WEIGHTS_FILE, "blocks.mamba_moe.experts."),
    "transformer_decoder.lrl_rope.proj.0.":
        (WEIGHTS_FILE, "blocks.attention.attention.rotary.down."),
    "transformer_decoder.lrl_rope.proj.1.":
        (WEIGHTS_FILE, "blocks.attention.attention.rotary.up."),
    "transformer_decoder.linear1.": (WEIGHTS_FILE, "blocks.attention.feed_forward.0."),
    "transformer_decoder.linear2.": (WEIGHTS_FILE, "blocks.attention.feed_forward.2."),
    "transformer_decoder.norm": (WEIGHTS_FILE, "blocks.attention.norm"),
    "transformer_decoder.": (WEIGHTS_FILE, "blocks.attention.attention."),
    "vertice_map_r.": (WEIGHTS_FILE, "motion_map."),
}
OLD_NAMES = {  # of a normalised weight's length and direction in older versions of PyTorch
    "conv.weight_g": "conv.parametrizations.weight.original0",
    "conv.weight_v": "conv.parametrizations.weight.original1",
}
# fmt: on


def fit_layout(
    layout: JambaTalkConfig, paper_weights: Mapping[str, Tensor], encoder_config: Path | None
) -> JambaTalkConfig:
    """Return the layout with the widths of these weights.

    Args:
        encoder_config: JSON of a speech encoder that is not wav2vec2-large.

    Raises:
        ModelError: they are of another network or layout.
    """
    try:
        width, encoder_width = paper_weights["audio_feature_map.weight"].shape
        outputs = len(paper_weights["vertice_map_r.bias"])
        hidden = len(paper_weights["audio_encoder.encoder.layer_norm.weight"])
    except (KeyError, ValueError, TypeError) as error:
        raise ModelError(
            f"These are not the weights of the published network: missing {error}.",
            PUBLISHED_WEIGHTS,
        ) from error
    architecture: dict[str, Any] = dict(WAV2VEC2_LARGE)
    if encoder_config is not None:
        cure = "Give the config.json of the speech encoder."
        architecture = read_json(encoder_config, ModelError, "a configuration in JSON", cure)
    if not isinstance(architecture, dict) or architecture.get("hidden_size") != hidden:
        raise ModelError(
            f"The speech encoder is {hidden} wide, and wav2vec2-large is not.",
            "Give its configuration with --encoder-config.",
        )
    encoder = replace(
        layout.encoder, architecture=architecture, layers=(architecture["num_hidden_layers"],)
    )
    if encoder_width != hidden * (2 if encoder.resample == "pairs" else 1):
        raise ModelError(
            f"Each frame of these weights takes {encoder_width} channels of an encoder that is "
            f"{hidden} wide, which does not fit this layout.",
            f"Give the other one of --layout {' and '.join(LAYOUTS)}.",
        )
    return replace(
        layout, encoder=encoder, encoder_width=encoder_width, width=width, vertices=outputs // 3
    )


def sort_weights(
    paper_weights: Mapping[str, Tensor], config: JambaTalkConfig
) -> dict[str, dict[str, Tensor]]:
    """Sort weights into the files of a checkpoint, each checked against the network.

    Returns:
        File → our name → weight.

    Raises:
        ModelError: weights are missing, unexpected or of another shape; the message has their
            names as published.
    """
    expected = _expected_shapes(config, paper_weights)
    files: dict[str, dict[str, Tensor]] = {file: {} for file, _ in NAMES.values()}
    unexpected, reshaped = [], []
    for paper_name, weight in paper_weights.items():
        target = to_our_name(paper_name)
        if target is None or target not in expected:
            unexpected.append(brief(paper_name))
            continue
        shape = expected.pop(target)
        if weight.shape != shape:
            reshaped.append(
                f"{brief(paper_name)} {brief(tuple(weight.shape))} instead of {tuple(shape)}"
            )
        file, name = target
        files[file][name] = weight.float()
    missing = [to_paper_name(*target) for target in expected]
    if missing or unexpected or reshaped:
        raise ModelError(
            f"The weights do not fit the layout: missing {abbreviate(missing)}; unexpected "
            f"{abbreviate(unexpected)}; of another shape {abbreviate(reshaped)}.",
            PUBLISHED_WEIGHTS,
        )
    return files


def to_our_name(paper_name: str) -> tuple[str, str] | None:
    """Return the file and name of a published weight here; None if there is none."""
    for old, new in OLD_NAMES.items():
        if paper_name.endswith(old):
            paper_name = paper_name.removesuffix(old) + new
    for paper_prefix, (file, prefix) in sorted(NAMES.items(), key=lambda item: -len(item[0])):
        if paper_name.startswith(paper_prefix):
            return file, prefix + paper_name.removeprefix(paper_prefix)
    return None


def to_paper_name(file: str, name: str) -> str:
    """Return the published name of a weight: the inverse of :func:`to_our_name`."""
    for paper_prefix, (home, prefix) in sorted(NAMES.items(), key=lambda item: -len(item[1][1])):
        if home == file and name.startswith(prefix):
            return paper_prefix + name.removeprefix(prefix)
    raise KeyError(name)


def _expected_shapes(
    config: JambaTalkConfig, paper_weights: Mapping[str, Tensor]
) -> dict[tuple[str, str], torch.Size]:
    """Return file and name of each weight of the network → its shape."""
    transformers = import_transformers()
    encoder = config.encoder.architecture
    lip_map = paper_weights.get("lip_map.weight")
    lips = 0 if lip_map is None or lip_map.ndim != 2 else lip_map.shape[1] // 3
    with torch.device("meta"):  # shapes without memory
        network = JambaTalk(config)
        modules: dict[str, nn.Module] = {
            WEIGHTS_FILE: network.decoder,
            ENCODER_FILE: network.encoder.model,
            TEXT_ENCODER_FILE: transformers.Wav2Vec2ForCTC(transformers.Wav2Vec2Config(**encoder)),
            LIP_READER_FILE: LipReader(lips, encoder["hidden_size"], encoder.get("vocab_size", 32)),
        }
    return {
        (file, name): weight.shape
        for file, module in modules.items()
        for name, weight in module.state_dict().items()
        if name != "lips"  # the user's mask, not the authors' weights
    }
