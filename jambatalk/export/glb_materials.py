"""The materials of a .glb, and the pictures in it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from jambatalk.errors import ExportError
from jambatalk.export.glb_buffer import GlbBuffer

if TYPE_CHECKING:
    from jambatalk.face.face import Face
    from jambatalk.face.material import Material

ROUGH, WET = 0.66, 0.12  # roughness of gloss 0 and 1, as in the videos' shader
# Of kinds whose gloss the shader uses otherwise; programs light a mouth as if it had no lips.
ROUGHNESS = {"mouth": 0.5, "hair": 0.6, "cloth": 0.9}
ONE_LAYER = ("brows", "lashes")  # of strands, whose soft edges can be blended in any order
TYPES = {"JPEG": "image/jpeg", "PNG": "image/png"}
MODES = ("L", "RGB", "RGBA", "P")  # of pictures that every reader of glTF shows
JPEG_QUALITY = 90
# OpenGL's numbers: linear filters with mipmaps, and no repetition.
SAMPLER = {"magFilter": 9729, "minFilter": 9987, "wrapS": 33071, "wrapT": 33071}


class GlbMaterials:
    """Materials of a face as glTF has them; their pictures go into the document's buffer."""

    def __init__(self, buffer: GlbBuffer) -> None:
        self._buffer = buffer
        self._materials: list[dict[str, Any]] = []
        self._images: list[dict[str, Any]] = []
        self._numbers: dict[bytes, int] = {}  # picture → its number

    def add(self, material: Material, face: Face, vertices: np.ndarray) -> int:
        """Add a material of the face, of these vertices; return its index.

        glTF has one roughness for a material: that of the mean gloss.

        Raises:
            ExportError: a picture cannot be read.
        """
        roughness = ROUGH + (WET - ROUGH) * float(face.gloss[vertices].mean())
        surface: dict[str, Any] = {
            "metallicFactor": 0.0,
            "roughnessFactor": round(ROUGHNESS.get(material.kind, roughness), 3),
        }
        # An open mesh without an inner mouth shows the back of the skin between the lips.
        hollow = len(face.materials) == 1 and "inner_mouth" not in face.regions
        added: dict[str, Any] = {
            "name": material.name,
            "doubleSided": material.two_sided or hollow,
            "pbrMetallicRoughness": surface,
        }
        if face.uv is not None:
            if material.albedo:
                picture = _readable(material.albedo, material.cutout > 0)
                surface["baseColorTexture"] = self._texture(picture, material.name)
            if material.detail:
                normal_map, cavity = _normal_map(material.detail)
                added["normalTexture"] = self._texture(normal_map, f"{material.name}_normal")
                added["occlusionTexture"] = self._texture(cavity, f"{material.name}_cavity")
        if material.cutout > 0 and material.name in ONE_LAYER:
            added["alphaMode"] = "BLEND"
        elif material.cutout > 0:
            added |= {"alphaMode": "MASK", "alphaCutoff": material.cutout}
        self._materials.append(added)
        return len(self._materials) - 1

    def document(self) -> dict[str, Any]:
        """Return the document's entries of materials, textures and pictures."""
        entries: dict[str, Any] = {"materials": self._materials}
        if self._images:
            entries["samplers"] = [SAMPLER]
            entries["images"] = self._images
            entries["textures"] = [
                {"source": number, "sampler": 0} for number in range(len(self._images))
            ]
        return entries

    def _texture(self, picture: bytes, name: str) -> dict[str, int]:
        if picture not in self._numbers:
            self._numbers[picture] = len(self._images)
            kind = "image/png" if picture.startswith(b"\x89PNG") else "image/jpeg"
            view = self._buffer.add_bytes(picture)
            self._images.append({"name": name, "mimeType": kind, "bufferView": view})
        return {"index": self._numbers[picture]}


def _readable(picture: bytes, with_alpha: bool) -> bytes:
    """Return a picture as it is if glTF allows it, else as PNG."""
    image = _open(picture)
    if image.format in TYPES and image.mode in MODES:
        return picture
    return _encode(image.convert("RGBA" if with_alpha else "RGB"), "PNG")


def _normal_map(detail: bytes) -> tuple[bytes, bytes]:
    """Split a picture of fine structure into glTF's normal map and its map of occlusion."""
    pixels = np.asarray(_open(detail).convert("RGB"), np.float32) / 255
    normals = np.dstack([2 * pixels[..., :2] - 1, np.ones(pixels.shape[:2], np.float32)])
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    colors = np.rint(255 * (0.5 + 0.5 * normals)).astype(np.uint8)
    cavity = np.rint(255 * pixels[..., 2]).astype(np.uint8)
    return _encode(Image.fromarray(colors), "JPEG"), _encode(Image.fromarray(cavity), "JPEG")


def _open(picture: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(picture))
        image.load()
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise ExportError(f"A picture of the head cannot be read ({error}).") from error
    return image


def _encode(image: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    if kind == "JPEG":
        image.save(file, kind, quality=JPEG_QUALITY, subsampling=0)  # colours are directions
    else:
        image.save(file, kind, optimize=True)
    return file.getvalue()
