"""The authors' published weights as a checkpoint folder of ours.

Nothing is ever unpickled that is not a tensor, an array or a plain container.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from jambatalk.errors import FaceError, ModelError
from jambatalk.face.library import write_heads
from jambatalk.face.user_face import guess_unit, make_heads, read_mask, read_mesh, read_templates
from jambatalk.files.origins import (
    AUTHORS,
    BIWI,
    BIWI_FILES,
    FLAME_MASKS,
    FLAME_MESH,
    PUBLISHED_WEIGHTS,
    VOCASET,
)
from jambatalk.model.checkpoint import CONFIG_FILE, ENCODER_FILE, WEIGHTS_FILE, abbreviate
from jambatalk.model.config import JambaTalkConfig
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.paper.layouts import LAYOUTS, WAV2VEC2_LARGE
from jambatalk.paper.lip_reader import LIP_READER, TEXT_ENCODER, LipReader
from jambatalk.render.thumbnail import draw_thumbnails

CARD = Path(__file__).with_name("published_card.md")

# Beginning of a published name → file it goes to, and beginning of its name there.
NAMES = {
    "audio_encoder.": (ENCODER_FILE, ""),
    "text_encoder.": (TEXT_ENCODER, ""),
    "lip_map.": (LIP_READER, "lip_map."),
    "transformer.": (LIP_READER, "transformer."),
    "lm_head.": (LIP_READER, "lm_head."),
    "audio_feature_map.": (WEIGHTS_FILE, "feature_map."),
    "mamba.": (WEIGHTS_FILE, "blocks.mamba.mamba."),
    "mamba_moe.mamba.": (WEIGHTS_FILE, "blocks.mamba_moe.mamba."),
    "mamba_moe.moe.gate.w_gating": (WEIGHTS_FILE, "blocks.mamba_moe.experts.gate"),
    "mamba_moe.moe.experts.": (WEIGHTS_FILE, "blocks.mamba_moe.experts."),
    "transformer_decoder.lrl_rope.proj.0.": (
        WEIGHTS_FILE,
        "blocks.attention.attention.rotary.down.",
    ),
    "transformer_decoder.lrl_rope.proj.1.": (WEIGHTS_FILE, "blocks.attention.attention.rotary.up."),
    "transformer_decoder.linear1.": (WEIGHTS_FILE, "blocks.attention.feed_forward.0."),
    "transformer_decoder.linear2.": (WEIGHTS_FILE, "blocks.attention.feed_forward.2."),
    "transformer_decoder.norm": (WEIGHTS_FILE, "blocks.attention.norm"),
    "transformer_decoder.": (WEIGHTS_FILE, "blocks.attention.attention."),
    "vertice_map_r.": (WEIGHTS_FILE, "motion_map."),
}
# How older versions of PyTorch named a normed weight's length and direction.
OLD_NAMES = {
    "conv.weight_g": "conv.parametrizations.weight.original0",
    "conv.weight_v": "conv.parametrizations.weight.original1",
}
SOURCES = {  # of the files a user must bring
    "vocaset": {"lip mask": FLAME_MASKS, "template": f"{FLAME_MESH} {VOCASET}"},
    "biwi": {"lip mask": BIWI_FILES, "template": BIWI},
}


@dataclass(frozen=True)
class Conversion:
    """What is converted, and with which of the user's files.

    Attributes:
        weights: the authors' .pth.
        layout: "vocaset" or "biwi".
        lip_mask: FLAME_masks.pkl or BIWI_lip.pkl.
        template: a .ply or .obj of the mesh, for its triangles.
        templates: whose faces become the checkpoint's heads: .pkl, .ply or .obj; none for the
            template's own.
        encoder_config: of a speech encoder that is not wav2vec2-large, the JSON of its
            `transformers` configuration.
        unit: metres that one unit of the template's coordinates is; None guesses.
        for_training: keep the lip reader and the text encoder too, which only training needs.
    """

    weights: Path
    layout: str
    lip_mask: Path
    template: Path
    templates: Sequence[Path] = ()
    encoder_config: Path | None = None
    unit: float | None = None
    for_training: bool = False


def convert(job: Conversion, folder: Path) -> None:
    """Writes a checkpoint folder: network, heads and model card.

    Raises:
        ModelError: weights that are missing, cannot be read or are not this layout's: the message
            names what is missing and what is unexpected.
        FaceError: a mask or template that cannot be used. DataError: a pickle that is refused.
    """
    if job.layout not in LAYOUTS:
        raise ModelError(f"There is no layout '{job.layout}'.", f"Use {', '.join(LAYOUTS)}.")
    _check_files(job)
    masks = read_mask(job.lip_mask)
    mesh, _ = read_mesh(job.template)
    unit = job.unit or guess_unit(mesh)
    people = {name: place for path in job.templates for name, place in read_templates(path).items()}
    heads = make_heads(job.template, people, masks, unit)
    published = read_weights(job.weights)
    config = _fit(LAYOUTS[job.layout], published, job.encoder_config)
    config = replace(config, unit=unit)
    files = sort(published, config)
    if len(mesh) != config.vertices:
        raise FaceError(
            f"'{job.template}' has {len(mesh)} vertices; the weights move {config.vertices}.",
            SOURCES[job.layout]["template"],
        )
    files[LIP_READER]["lips"] = _lips(masks["lips"], files[LIP_READER])
    write_heads(folder / "heads", heads)
    draw_thumbnails(folder / "heads", heads)
    for file, weights in files.items():
        if job.for_training or file in (WEIGHTS_FILE, ENCODER_FILE):
            save_file({name: w.contiguous() for name, w in weights.items()}, folder / file)
    _write_card(folder, job, config, [head.name for head in heads])
    # last: without it the folder is no checkpoint
    (folder / CONFIG_FILE).write_text(json.dumps(config.to_dict(), indent=2) + "\n")


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a .pth, by their published names; nothing in it is run.

    Raises:
        ModelError: it cannot be read, or holds anything but tensors.
    """
    try:
        try:  # mapped: the text encoder's gigabyte is then never read
            stored = torch.load(path, "cpu", weights_only=True, mmap=True)
        except RuntimeError:  # the format before PyTorch 1.6
            stored = torch.load(path, "cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        asked = re.search(r"GLOBAL (\S+)", str(error))
        more = f"asks for '{asked[1]}'" if asked else "holds more than weights"
        raise ModelError(f"'{path}' is refused: it {more}.", PUBLISHED_WEIGHTS) from error
    except Exception as error:  # a damaged file may raise nearly anything
        raise ModelError(f"'{path}' cannot be read ({error}).", PUBLISHED_WEIGHTS) from error
    if not isinstance(stored, Mapping) or not all(
        isinstance(name, str) and isinstance(weight, Tensor) for name, weight in stored.items()
    ):
        raise ModelError(f"'{path}' does not hold the weights of a network by their names.")
    return dict(stored)


def sort(published: Mapping[str, Tensor], config: JambaTalkConfig) -> dict[str, dict[str, Tensor]]:
    """File → our name → weight, each of them checked against the network.

    Raises:
        ModelError: weights are missing, unexpected or of another shape; the message names them as
            they were published.
    """
    expected = _expected(config, published)
    files: dict[str, dict[str, Tensor]] = {file: {} for file, _ in NAMES.values()}
    unexpected, reshaped = [], []
    for name, weight in published.items():
        place = rename(name)
        if place not in expected:
            unexpected.append(name)
            continue
        shape = expected.pop(place)
        if weight.shape != shape:
            reshaped.append(f"{name} {tuple(weight.shape)} instead of {tuple(shape)}")
        files[place[0]][place[1]] = weight.float()
    missing = [published_name(*place) for place in expected]
    if missing or unexpected or reshaped:
        raise ModelError(
            f"The weights do not fit the layout: missing {abbreviate(missing)}; unexpected "
            f"{abbreviate(unexpected)}; of another shape {abbreviate(reshaped)}.",
            PUBLISHED_WEIGHTS,
        )
    return files


def rename(name: str) -> tuple[str, str] | None:
    """File and our name of a published weight; None if there is none of that name."""
    for old, new in OLD_NAMES.items():
        name = name.removesuffix(old) + new if name.endswith(old) else name
    for beginning, (file, ours) in sorted(NAMES.items(), key=lambda item: -len(item[0])):
        if name.startswith(beginning):
            return file, ours + name.removeprefix(beginning)
    return None


def published_name(file: str, name: str) -> str:
    """What :func:`rename` made a file and a name of."""
    for beginning, (home, ours) in sorted(NAMES.items(), key=lambda item: -len(item[1][1])):
        if home == file and name.startswith(ours):
            return beginning + name.removeprefix(ours)
    raise KeyError(name)


def _expected(
    config: JambaTalkConfig, published: Mapping[str, Tensor]
) -> dict[tuple[str, str], torch.Size]:
    """File and name of all weights of the network → their shape."""
    from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

    encoder = config.encoder.architecture
    letters = encoder.get("vocab_size", 32)
    lips = published["lip_map.weight"].shape[1] // 3 if "lip_map.weight" in published else 0
    with torch.device("meta"):  # shapes without memory
        network = JambaTalk(config)
        parts = {
            WEIGHTS_FILE: network.decoder,
            ENCODER_FILE: network.encoder.model,
            TEXT_ENCODER: Wav2Vec2ForCTC(Wav2Vec2Config(**encoder)),
            LIP_READER: LipReader(lips, encoder["hidden_size"], letters),
        }
    return {
        (file, name): weight.shape
        for file, part in parts.items()
        for name, weight in part.state_dict().items()
        if name != "lips"  # the user's mask, not the authors' weights
    }


def _fit(
    layout: JambaTalkConfig, published: Mapping[str, Tensor], encoder_config: Path | None
) -> JambaTalkConfig:
    """The layout with the widths of these weights."""
    try:
        feature_map = published["audio_feature_map.weight"]  # (width, encoder width)
        outputs = len(published["vertice_map_r.bias"])
        hidden = len(published["audio_encoder.encoder.layer_norm.weight"])
    except KeyError as error:
        raise ModelError(
            f"These are not the weights of the published network: missing {error}.",
            PUBLISHED_WEIGHTS,
        ) from error
    architecture = dict(WAV2VEC2_LARGE)
    if encoder_config is not None:
        try:
            architecture = json.loads(encoder_config.read_text())
        except (OSError, ValueError) as error:
            raise ModelError(f"'{encoder_config}' cannot be read as JSON ({error}).") from error
    if architecture.get("hidden_size") != hidden:
        raise ModelError(
            f"The speech encoder is {hidden} wide, and wav2vec2-large is not.",
            "Give its configuration with --encoder-config.",
        )
    encoder = replace(
        layout.encoder, architecture=architecture, layers=(architecture["num_hidden_layers"],)
    )
    width, encoder_width = feature_map.shape
    if encoder_width != hidden * (2 if encoder.resample == "pairs" else 1):
        raise ModelError(
            f"Each frame of these weights hears {encoder_width} channels of an encoder that is "
            f"{hidden} wide, which is not so in this layout.",
            f"Give the other one of --layout {' and '.join(LAYOUTS)}.",
        )
    return replace(
        layout,
        encoder=encoder,
        encoder_width=encoder_width,
        width=width,
        vertices=outputs // 3,
    )


def _lips(index: np.ndarray, weights: Mapping[str, Tensor]) -> Tensor:
    read = weights["lip_map.weight"].shape[1] // 3
    if len(index) != read:
        raise FaceError(
            f"The lip mask has {len(index)} vertices; the weights were trained with {read}."
        )
    return torch.from_numpy(index)


def _check_files(job: Conversion) -> None:
    """Before anything costly: are the user's files there?"""
    needed = {"weights": [job.weights], "lip mask": [job.lip_mask]}
    needed["template"] = [job.template, *job.templates]
    for what, paths in needed.items():
        for path in paths:
            if not path.is_file():
                where = PUBLISHED_WEIGHTS if what == "weights" else SOURCES[job.layout][what]
                raise ModelError(f"There is no file '{path}' ({what}).", where)


def _write_card(
    folder: Path, job: Conversion, config: JambaTalkConfig, heads: Sequence[str]
) -> None:
    digest = hashlib.sha256()
    with job.weights.open("rb") as file:
        while block := file.read(1 << 22):
            digest.update(block)
    card = CARD.read_text().format(
        layout=job.layout,
        weights=job.weights.name,
        digest=digest.hexdigest(),
        authors=AUTHORS,
        lip_mask=job.lip_mask.name,
        mesh=job.template.name,
        templates=", ".join(path.name for path in job.templates) or job.template.name,
        fps=config.fps,
        vertices=config.vertices,
        unit=config.unit,
        heads=", ".join(heads),
        sources="\n".join(f"- {text}" for text in SOURCES[job.layout].values()),
        training="They are kept beside it, for training only."
        if job.for_training
        else "They were left out; `jambatalk convert --for-training` keeps them.",
    )
    (folder / "README.md").write_text(card)
