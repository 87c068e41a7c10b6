"""Conversion of published weights, JambaTalk's own or another network's, into a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from jambatalk.errors import FaceError, ModelError, abbreviate
from jambatalk.face.face import Face
from jambatalk.face.library import write_heads
from jambatalk.face.mesh import read_mesh, read_templates
from jambatalk.face.user_face import guess_unit, is_scaled, make_heads, read_mask
from jambatalk.files.origins import WEIGHTS
from jambatalk.files.plain import read_json
from jambatalk.files.pth import read_pth
from jambatalk.files.tensors import write_tensors
from jambatalk.model.checkpoint import CONFIG_FILE, ENCODER_FILE, WEIGHTS_FILE, replace_files
from jambatalk.model.config import JambaTalkConfig
from jambatalk.networks.card import conversion_card, sources
from jambatalk.networks.config import NetworkConfig
from jambatalk.networks.conversion import NAMES, OWN, Conversion
from jambatalk.networks.layouts import find_layout
from jambatalk.networks.registry import published_network, recognise
from jambatalk.networks.selftalk import training_parts
from jambatalk.paper.layouts import LAYOUTS as PAPER_LAYOUTS
from jambatalk.paper.lip_reader import LIP_READER_FILE, TEXT_ENCODER_FILE
from jambatalk.paper.paper_weights import fit_layout, sort_weights
from jambatalk.render.thumbnail import draw_thumbnails

LONGEST = {"faceformer": 600, "codetalker": 600}  # frames that the published code takes
TRAINED = "lip_map.weight"  # of SelfTalk; where it is, all that only training needs is there

Files = dict[str, dict[str, Tensor]]  # of a checkpoint → weights by name


def convert(job: Conversion, folder: Path) -> None:
    """Write a checkpoint folder: network, heads and model card.

    Raises:
        ModelError: weights that are missing, cannot be read or are not this layout's: the message
            names what is missing and what is unexpected.
        FaceError: a mask or mesh that cannot be used. DataError: templates or a pickle that cannot.
    """
    layout = _layout(job)
    _check_files(job, layout)
    masks: dict[str, np.ndarray] = {}
    heads: list[Face] = []
    axes = np.ones(3)
    if job.lip_mask and job.template and layout.vertices:
        masks = read_mask(job.lip_mask)
        axes = _axes(layout, job.unit, job.template)
        subjects = {n: v for path in job.templates for n, v in read_templates(path).items()}
        heads = make_heads(job.template, subjects, masks, axes)
        _check_heads(job, layout, heads)
    weights = _read(job)
    config: JambaTalkConfig | NetworkConfig
    if isinstance(layout, JambaTalkConfig):
        config, files = _fit_own(job, layout, weights)
        config = replace(config, unit=float(axes[0]))
    else:
        config, files = _fit_published(job, weights)
        if config.vertices and not config.relative:
            config = replace(config, axes=tuple(map(float, axes)))
    if heads and len(heads[0].template) != config.vertices:
        raise FaceError(
            f"'{job.template}' has {len(heads[0].template)} vertices; the weights move "
            f"{config.vertices}.",
            sources(job.network, job.layout)["template"],
        )
    if LIP_READER_FILE in files:
        _set_lips(files[LIP_READER_FILE], masks["lips"])
    if heads:
        write_heads(folder / "heads", heads)
        draw_thumbnails(folder / "heads", heads)
    card = conversion_card(job, config, [head.name for head in heads], LIP_READER_FILE in files)
    values = json.dumps(config.to_dict(), indent=2) + "\n"
    writers = {
        file: partial(write_tensors, {name: weight.contiguous() for name, weight in part.items()})
        for file, part in files.items()
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


def _layout(job: Conversion) -> JambaTalkConfig | NetworkConfig:
    if job.network not in NAMES:
        raise ModelError(f"There is no network '{job.network}'.", f"Use {', '.join(NAMES)}.")
    if job.as_published and job.network not in LONGEST:
        title = WEIGHTS[job.network].title
        raise ModelError(f"{title} has no limit of length.", "Leave --as-published out.")
    if job.network != OWN:
        return find_layout(job.network, job.layout)
    if job.layout not in PAPER_LAYOUTS:
        raise ModelError(
            f"'{OWN}' was not published in a layout '{job.layout}'.",
            f"Use {', '.join(PAPER_LAYOUTS)}, or name another network with --network.",
        )
    return PAPER_LAYOUTS[job.layout]


def _check_files(job: Conversion, layout: JambaTalkConfig | NetworkConfig) -> None:
    """Check that all of the user's files are given and exist, before anything costly."""
    source = sources(job.network, job.layout)
    needed = [(path, "weights", WEIGHTS[job.network].origin) for path in job.weights]
    if layout.vertices:
        for path, kind in ((job.lip_mask, "lip mask"), (job.template, "template")):
            if path is None:
                option = f"--{kind.replace(' ', '-')}"
                raise ModelError(f"The faces need a {kind}: give {option}.", source[kind])
            needed.append((path, kind, source[kind]))
        needed += [(path, "template", source["template"]) for path in job.templates]
    for path, kind, cure in needed:
        if not path.is_file():
            raise ModelError(f"There is no file '{path}' ({kind}).", cure)


def _axes(
    layout: JambaTalkConfig | NetworkConfig, unit: float | None, template: Path
) -> np.ndarray:
    """Return the metres (3,) of a unit of the templates, negative where an axis is turned."""
    known = np.array(layout.axes if isinstance(layout, NetworkConfig) else (1.0, 1.0, 1.0))
    signs = np.sign(known)
    if unit is None and abs(known[0]) != 1.0:
        return known
    return (unit or guess_unit(read_mesh(template)[0])) * signs


def _check_heads(
    job: Conversion, layout: JambaTalkConfig | NetworkConfig, heads: Sequence[Face]
) -> None:
    """Check that templates still have the extents that coordinates were divided by."""
    if not (isinstance(layout, NetworkConfig) and layout.relative):
        return
    for head in heads:
        if is_scaled(head.template):
            raise FaceError(
                f"Template '{head.name}' is scaled: it is as wide as it is high and deep.",
                sources(job.network, job.layout)["template"],
            )


def _read(job: Conversion) -> dict[str, Tensor]:
    weights: dict[str, Tensor] = {}
    for path in job.weights:
        part = read_pth(path, WEIGHTS[job.network].origin)
        twice = sorted(part.keys() & weights.keys())
        if twice:
            raise ModelError(
                f"'{path}' holds weights that another file holds too: {abbreviate(twice)}.",
                WEIGHTS[job.network].origin,
            )
        weights |= part
    return weights


def _fit_own(
    job: Conversion, layout: JambaTalkConfig, weights: dict[str, Tensor]
) -> tuple[JambaTalkConfig, Files]:
    """Return the configuration of JambaTalk's network, and the files of a checkpoint."""
    try:
        config = fit_layout(layout, weights, job.encoder_config)
        return config, sort_weights(weights, config)
    except ModelError as error:
        raise ModelError(error.what, recognise(weights, _fields(job)) or error.cure) from error


def _fields(job: Conversion) -> dict[str, Any]:
    """Return the fields of a published network's configuration that its weights do not tell."""
    fields: dict[str, Any] = {"longest": LONGEST[job.network]} if job.as_published else {}
    if job.encoder_config is not None:
        give = "Give the config.json of the speech encoder."
        fields["encoder"] = read_json(job.encoder_config, ModelError, "a configuration", give)
    return fields


def _fit_published(job: Conversion, weights: dict[str, Tensor]) -> tuple[NetworkConfig, Files]:
    """Return the configuration of a published network, and the files of a checkpoint."""
    cure, fields = WEIGHTS[job.network].origin, _fields(job)
    network = published_network(job.network, job.layout, weights, fields, cure)
    files: Files = {WEIGHTS_FILE: dict(network.state_dict())}
    if job.network == "selftalk" and TRAINED in weights:
        reader, text_encoder = training_parts(weights, network.config.encoder, cure)
        files[LIP_READER_FILE] = dict(reader.state_dict())
        files[TEXT_ENCODER_FILE] = dict(text_encoder.state_dict())
    return network.config, files


def _set_lips(reader: dict[str, Tensor], lips: np.ndarray) -> None:
    trained = reader["lip_map.weight"].shape[1] // 3
    if len(lips) != trained:
        raise FaceError(
            f"The lip mask has {len(lips)} vertices; the weights were trained with {trained}.",
            "Give the mask that belongs to these weights.",
        )
    reader["lips"] = torch.from_numpy(lips)
