"""Vertices as one NumPy array, or as one OBJ file per frame."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jambatalk.face.face import Face
    from jambatalk.face.material import Material
    from jambatalk.motion.motion import Motion

MATERIALS = "head.mtl"
COMPRESSION = 1  # deflate level: a quarter of the time of the default 6, files a tenth larger


def write_npy(motion: Motion, path: Path) -> None:
    """Write vertices (T, V, 3) float32 in metres, frame by frame, in constant memory."""
    shape = (len(motion), *motion.face.template.shape)
    with path.open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for vertices in motion.frames():
            file.write(vertices.astype("<f4").tobytes())


def write_obj(motion: Motion, path: Path) -> None:
    """Write a zip of frame_0001.obj, frame_0002.obj, ..., in constant memory.

    Positions are metres to 6 decimals, in the head's vertex order; a vertex's colour (sRGB, 0 to 1)
    follows its position, where Blender, MeshLab and others look for it. A face with pictures has
    texture coordinates too, and beside the frames lie its materials, head.mtl, with the pictures.
    """
    face = motion.face
    textured = face.uv is not None and any(material.albedo for material in face.materials)
    start = f"# {motion.fps:g} frames per second\n" + f"mtllib {MATERIALS}\n" * textured
    start += f"o {face.name}\n"
    colors = (face.colors / 255).tolist()
    # one format string for all lines: ten times faster than formatting line by line
    positions = "".join(f"v %.6f %.6f %.6f {r:.3f} {g:.3f} {b:.3f}\n" for r, g, b in colors)
    end = _coordinates(face) + _triangles(face, textured)
    digits = max(4, len(str(len(motion))))
    with zipfile.ZipFile(path, "w") as archive:
        for number, vertices in enumerate(motion.frames(), 1):
            text = start + positions % tuple(vertices.ravel().tolist()) + end
            _store(archive, f"frame_{number:0{digits}}.obj", text)
        if textured:
            _store(archive, MATERIALS, "".join(_describe(each) for each in face.materials))
            for material in face.materials:
                if material.albedo:
                    _store(archive, _picture_name(material), material.albedo)


def _coordinates(face: Face) -> str:
    if face.uv is None:
        return ""
    return "".join(f"vt {u:.5f} {v:.5f}\n" for u, v in face.uv.tolist())


def _triangles(face: Face, textured: bool) -> str:
    corner = (lambda n: f"{n}/{n}") if face.uv is not None else str
    lines = ["s 1\n"]
    for number, material in enumerate(face.materials):
        triangles = face.triangles
        if face.material_index is not None:
            triangles = triangles[face.material_index == number]
        if textured and len(triangles):
            lines.append(f"usemtl {material.name}\n")
        lines += [
            f"f {corner(a)} {corner(b)} {corner(c)}\n" for a, b, c in (triangles + 1).tolist()
        ]
    return "".join(lines)


def _describe(material: Material) -> str:
    """Return a material's lines of the .mtl."""
    lines = [f"newmtl {material.name}", "Kd 1 1 1"]
    if material.albedo:
        lines.append(f"map_Kd {_picture_name(material)}")
        if material.cutout > 0:
            lines.append(f"map_d -imfchan m {_picture_name(material)}")
    return "\n".join(lines) + "\n"


def _picture_name(material: Material) -> str:
    png = material.albedo is not None and material.albedo.startswith(b"\x89PNG")
    return f"{material.name}.{'png' if png else 'jpg'}"


def _store(archive: zipfile.ZipFile, name: str, content: str | bytes) -> None:
    # without a date, so that equal motions give equal files
    archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, COMPRESSION)
