"""The authors' published weights: `convert`."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(commands: argparse._SubParsersAction) -> None:
    """Adds this module's command."""
    convert = commands.add_parser(
        "convert", help="the paper's published weights to a checkpoint folder"
    )
    convert.add_argument("weights", type=Path, help="the authors' vocaset.pth or biwi.pth")
    convert.add_argument("--layout", required=True, choices=("vocaset", "biwi"))
    convert.add_argument(
        "--lip-mask", type=Path, required=True, help="FLAME_masks.pkl or BIWI_lip.pkl"
    )
    convert.add_argument(
        "--template", type=Path, required=True, help="a .ply or .obj of the mesh, FLAME_sample.ply"
    )
    convert.add_argument(
        "--templates",
        type=Path,
        nargs="+",
        default=(),
        help="whose faces become heads: templates.pkl, .ply, .obj (default: the template's own)",
    )
    convert.add_argument("-o", "--output", type=Path, required=True, help="the checkpoint folder")
    convert.add_argument(
        "--unit", type=float, help="metres a unit of the templates (default: told by their size)"
    )
    convert.add_argument(
        "--encoder-config", type=Path, help="JSON of a speech encoder other than wav2vec2-large"
    )
    convert.add_argument(
        "--for-training", action="store_true", help="keep the lip reader and the text encoder"
    )
    convert.set_defaults(run=_convert)


def _convert(options: argparse.Namespace) -> None:
    from jambatalk.paper.convert import Conversion, convert

    job = Conversion(
        weights=options.weights,
        layout=options.layout,
        lip_mask=options.lip_mask,
        template=options.template,
        templates=options.templates,
        encoder_config=options.encoder_config,
        unit=options.unit,
        for_training=options.for_training,
    )
    convert(job, options.output)
    if not options.for_training:
        print("Left out the lip reader and the text encoder, which only training needs.")
    print(f"{options.output}: try 'jambatalk list --checkpoint {options.output}'")
