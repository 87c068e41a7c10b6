"""A folder of heads, written: what :class:`jambatalk.face.face.Heads` reads."""

from __future__ import annotations

import io
import json
import logging
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from jambatalk.errors import FaceError, RenderError
from jambatalk.face.face import Face

log = logging.getLogger(__name__)
THUMBNAIL = 192  # pixels
SHADES = 256  # colours of a thumbnail
CROP = (0.07, 0.05, 0.93, 0.91)  # left, top, right, bottom: what of the picture is shown
POSE = {"mouthSmileLeft": 0.25, "mouthSmileRight": 0.25}  # of a thumbnail
OWN = ("template", "colors")  # what each head has of its own


def write_heads(folder: Path, faces: Sequence[Face]) -> None:
    """Writes faces that share everything but template and colours.

    Pictures are left out where there is no OpenGL to draw them with.

    Raises:
        FaceError: a name is not fit for a file.
    """
    for face in faces:
        if Path(face.name).name != face.name or face.name in ("", "topology", "heads"):
            raise FaceError(f"A head cannot be called '{face.name}'.", "Give it another name.")
    folder.mkdir(parents=True, exist_ok=True)
    shared = faces[0].to_arrays()
    del shared["name"], shared["title"]
    save_arrays(folder / "topology.npz", {k: v for k, v in shared.items() if k not in OWN})
    for face in faces:
        save_arrays(folder / f"{face.name}.npz", {key: face.to_arrays()[key] for key in OWN})
    write_index(folder, {face.name: face.title for face in faces})
    try:
        for face in faces:
            draw_thumbnail(folder / f"{face.name}.png", face)
    except RenderError as error:
        log.warning("The heads have no pictures: %s", error)


def write_index(folder: Path, titles: dict[str, str]) -> None:
    """heads.json: names and titles, in the order in which they are shown."""
    index = [{"name": name, "title": title} for name, title in titles.items()]
    (folder / "heads.json").write_text(json.dumps(index, indent=2, ensure_ascii=False) + "\n")


def draw_thumbnail(path: Path, face: Face) -> None:
    """A small picture of a head that smiles a little, if it can.

    Raises:
        RenderError: there is no offscreen OpenGL.
    """
    from jambatalk.render import View, draw  # needs OpenGL

    weights = np.array([POSE.get(action, 0.0) for action in face.actions])
    (picture,) = draw(face, [face.vertices(weights)], View(size=4 * THUMBNAIL, yaw=12))
    close = Image.fromarray(picture).crop(np.multiply(CROP, 4 * THUMBNAIL).astype(int).tolist())
    small = close.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    small.quantize(SHADES, Image.Quantize.MEDIANCUT).save(path, optimize=True)


def save_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Like np.savez_compressed, packed tighter and with fixed dates."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, buffer.getvalue(), zipfile.ZIP_DEFLATED, 9)
