"""Build the bundled heads, `assets/heads`: shape, skin, hair and clothes of every person."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jambatalk.face.library import TEXTURES, TOPOLOGY, HeadLibrary, write_index
from jambatalk.render.thumbnail import draw_thumbnail
from recipes.heads.attach import attach_all, beard_shade, thrown_shade
from recipes.heads.attach.piece import Head
from recipes.heads.basis import build_basis
from recipes.heads.coarse import coarse_triangles
from recipes.heads.ict_facekit import IctFaceKit
from recipes.heads.identity import Identity
from recipes.heads.makehuman_assets import BentBase
from recipes.heads.makehuman_targets import Targets
from recipes.heads.people import PEOPLE
from recipes.heads.shape import identity_positions
from recipes.heads.skin import SkinPainter
from recipes.heads.sources import Sources

log = logging.getLogger(__name__)
GRAIN = 2.0**-17  # metres; positions are rounded to it so that they compress


def build_heads(sources: Sources, out: Path, people: Sequence[Identity] = PEOPLE) -> None:
    """Write topology.npz, heads.json, textures/, and NAME.npz and NAME.png of every head.

    Args:
        out: folder to write to; created if missing.
        people: whom to build.

    Raises:
        DataError: a source is missing or damaged.
        RenderError: no offscreen OpenGL is available for the thumbnails.
    """
    (out / TEXTURES).mkdir(parents=True, exist_ok=True)
    ict = IctFaceKit.read(sources.ict_facekit)
    targets = Targets(sources.targets)
    bent = BentBase.bend(ict, sources.makehuman, targets)
    basis = build_basis(ict, sources.ict_facekit)
    drawn = coarse_triangles(basis.face(basis.template(ict.positions)))
    np.savez_compressed(out / TOPOLOGY, allow_pickle=False, **basis.topology() | drawn)
    painter = SkinPainter(ict, bent, sources.makehuman)
    materials = {}
    for identity in people:
        log.info("building %s", identity.name)
        positions = identity_positions(identity, ict, bent, targets)
        template = _rounded(basis.template(positions))
        head = Head(identity, positions, template, basis, ict, bent, sources.makehuman)
        attachments, worn, pictures = attach_all(head)
        skin, painted = painter.paint(identity)
        for name, data in (pictures | painted).items():
            (out / TEXTURES / name).write_bytes(data)
        light = basis.occlusion(template) * thrown_shade(head, attachments, worn, pictures)
        arrays = {
            "template": template,
            "colors": (basis.colors * beard_shade(head)).round().astype(np.uint8),
            "occlusion": light.astype(np.float16),
        }
        np.savez_compressed(
            out / f"{identity.name}.npz",
            allow_pickle=False,
            **arrays,
            **attachments.to_arrays(),
        )
        materials[identity.name] = [*skin, *worn]
    write_index(out, {person.name: person.title for person in people}, materials)
    heads = HeadLibrary(out)
    for name in heads.names:
        draw_thumbnail(heads.thumbnail(name), heads.load(name))


def _rounded(positions: np.ndarray) -> np.ndarray:
    return (np.round(positions / GRAIN) * GRAIN).astype(np.float32)
