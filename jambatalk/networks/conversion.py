"""What is converted: published weights, and the user's files that belong to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jambatalk.networks.layouts import LAYOUTS

OWN = "jambatalk"
NAMES = (OWN, *LAYOUTS)  # of the networks


@dataclass(frozen=True)
class Conversion:
    """The weights to convert, and the user's files that belong to them.

    Attributes:
        weights: the authors' .pth; CodeTalker's two stages.
        layout: of the network: "vocaset", "biwi", ...
        network: one of `NAMES`.
        lip_mask: FLAME_masks.pkl or BIWI_lip.pkl. Networks that predict weights of blendshapes
            need neither it nor templates: they move the bundled heads.
        template: a .ply or .obj of the mesh, for its triangles.
        templates: files of the faces that become the checkpoint's heads: .pkl, .ply or .obj; none
            for the template itself.
        encoder_config: the JSON of the `transformers` configuration of a speech encoder that is
            not the published one.
        unit: metres that one unit of the template's coordinates is; None for that of the training
            set where it is known, or else a guess.
        for_training: also write the lip reader and the text encoder, which only training needs.
        as_published: refuse recordings that are too long for the published code.
    """

    weights: Sequence[Path]
    layout: str
    network: str = OWN
    lip_mask: Path | None = None
    template: Path | None = None
    templates: Sequence[Path] = ()
    encoder_config: Path | None = None
    unit: float | None = None
    for_training: bool = False
    as_published: bool = False
