"""Conversion of the authors' published weights into a checkpoint folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from jambatalk.errors import FaceError, ModelError
from jambatalk.face.library import write_heads
from jambatalk.face.mesh import read_mesh, read_templates
from jambatalk.face.user_face import guess_unit, make_heads, read_mask
from jambatalk.files.origins import (
    AUTHORS,
    BIWI,
    BIWI_FILES,
    FLAME_MASKS,
    FLAME_MESH,
    PUBLISHED_WEIGHTS,
    VOCASET,
)
from jambatalk.files.plain import read_json
from jambatalk.files.pth import read_pth
from jambatalk.model.checkpoint import CONFIG_FILE, ENCODER_FILE, WEIGHTS_FILE, replace_files
from jambatalk.model.config import JambaTalkConfig
from jambatalk.paper.layouts import LAYOUTS, WAV2VEC2_LARGE
from jambatalk.paper.lip_reader import LIP_READER_FILE
from jambatalk.paper.paper_weights import sort_weights
from jambatalk.render.thumbnail import draw_thumbnails

CARD = Path(__file__).with_name("paper_card.md")
SOURCES = {  # of the files that a user must bring
    "vocaset": {"lip mask": FLAME_MASKS, "template": f"{FLAME_MESH} {VOCASET}"},
    "biwi": {"lip mask": BIWI_FILES, "template": BIWI},
}


@dataclass(frozen=True)
class Conversion:
    """The weights to convert, and the user's files that belong to them.

    Attributes:
        weights: the authors' .pth.
        layout: "vocaset" or "biwi".
        lip_mask: FLAME_masks.pkl or BIWI_lip.pkl.
        template: a .ply or .obj of the mesh, for its triangles.
        templates: files of the faces that become the checkpoint's heads: .pkl, .ply or .obj; none
            for the template itself.
        encoder_config: the JSON of the `transformers` configuration of a speech encoder that is
            not wav2vec2-large.
        unit: metres that one unit of the template's coordinates is; None guesses.
        for_training: also write the lip reader and the text encoder, which only training needs.
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
    """Write a checkpoint folder: network, heads and model card.

    Raises:
        ModelError: weights that are missing, cannot be read or are not this layout's: the message
            names what is missing and what is unexpected.
        FaceError: a mask or mesh that cannot be used. DataError: templates or a pickle that cannot.
    """
    if job.layout not in LAYOUTS:
        raise ModelError(f"There is no layout '{job.layout}'.", f"Use {', '.join(LAYOUTS)}.")
    _check_files(job)
    masks = read_mask(job.lip_mask)
    mesh, _ = read_mesh(job.template)
    unit = job.unit or guess_unit(mesh)
    subjects = {
        name: vertices for path in job.templates for name, vertices in read_templates(path).items()
    }
    heads = make_heads(job.template, subjects, masks, unit)
    paper_weights = read_pth(job.weights, PUBLISHED_WEIGHTS)
    config = _fit_layout(LAYOUTS[job.layout], paper_weights, job.encoder_config)
    config = replace(config, unit=unit)
    files = sort_weights(paper_weights, config)
    if len(mesh) != config.vertices:
        raise FaceError(
            f"'{job.template}' has {len(mesh)} vertices; the weights move {config.vertices}.",
            SOURCES[job.layout]["template"],
        )
    reader, lips = files[LIP_READER_FILE], masks["lips"]
    if 3 * len(lips) != reader["lip_map.weight"].shape[1]:
        raise FaceError(
            f"The lip mask has {len(lips)} vertices; the weights were trained with "
            f"{reader['lip_map.weight'].shape[1] // 3}.",
            "Give the mask that belongs to these weights.",
        )
    reader["lips"] = torch.from_numpy(lips)
    write_heads(folder / "heads", heads)
    draw_thumbnails(folder / "heads", heads)
    card = _card(job, config, [head.name for head in heads])
    values = json.dumps(config.to_dict(), indent=2) + "\n"
    writers = {
        file: partial(save_file, {name: weight.contiguous() for name, weight in weights.items()})
        for file, weights in files.items()
        if job.for_training or file in (WEIGHTS_FILE, ENCODER_FILE)
    }
    replace_files(
        folder,
        {
            **writers,
            "README.md": lambda path: path.write_text(card, encoding="utf-8"),
            CONFIG_FILE: lambda path: path.write_text(values),  # makes the folder a checkpoint
        },
    )


def _fit_layout(
    layout: JambaTalkConfig, paper_weights: Mapping[str, Tensor], encoder_config: Path | None
) -> JambaTalkConfig:
    """Return the layout with the widths of these weights."""
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


def _check_files(job: Conversion) -> None:
    """Check that all of the user's files exist, before anything costly."""
    sources = SOURCES[job.layout]
    needed = [(job.weights, "weights", PUBLISHED_WEIGHTS)]
    needed += [(job.lip_mask, "lip mask", sources["lip mask"])]
    needed += [(p, "template", sources["template"]) for p in (job.template, *job.templates)]
    for path, kind, source in needed:
        if not path.is_file():
            raise ModelError(f"There is no file '{path}' ({kind}).", source)


def _card(job: Conversion, config: JambaTalkConfig, heads: Sequence[str]) -> str:
    with job.weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return CARD.read_text(encoding="utf-8").format(
        layout=job.layout,
        weights=job.weights.name,
        digest=digest,
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
