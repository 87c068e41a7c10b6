"""The file from which a browser draws a head: a header in JSON, and numbers that compress well.

4 bytes   length of the header, uint32, little-endian
header    {"pivot", "camera", "blendshapes", "landmarks", "lights", "batches", "textures",
          "previews", "arrays"}, see :func:`pack_head`
arrays    integers: first the lowest bytes of all numbers of an array, then the next ones
"""

from __future__ import annotations

import base64
import gzip
import json
import struct
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from jambatalk.face.face import PICTURES, Face
from jambatalk.face.mouth_opening import LANDMARKS
from jambatalk.face.neck import Neck
from jambatalk.face.srgb import to_srgb
from jambatalk.face.used_vertices import only_used
from jambatalk.render.batches import Batch, batches, surface
from jambatalk.render.camera import FIELD_OF_VIEW, framing
from jambatalk.render.light import LIGHTS
from jambatalk.render.view import View

STEP = 1e-5  # metres, of displacements: a sixtieth of a pixel
FORWARD = np.array([0.0, 0.0, 1.0])
NONE = np.zeros((0, 3), np.int64)
LEVEL = 6  # of compression
PREVIEW = 256  # pixels, the longer side of the pictures with which a head is drawn at first
QUALITY = 60  # of these


def pack_head(face: Face, shading: str = View.shading) -> bytes:
    """Return the gzipped file of a head at rest, as it is drawn with a shading of `View`.

    Header: `pivot` of the :class:`Neck`; `camera`, see :func:`framing`, and its field of view;
    `landmarks` of the lips; `lights`, the uniforms of each of `LIGHTS`; `batches` as
    :class:`Batch`, in the order of drawing, each with the numbers of its `textures`. A texture
    is a list of two pictures, see :func:`picture`, or null; `previews` are the same pictures,
    small, as WebP in base64.

    Arrays: "positions", "uv" (each with the least value and the step of its numbers), "colors"
    (sRGB), "gloss", "occlusion", "share" (of the neck's rotation), "weld", "triangles" of the
    batches, and the displacements by each blendshape: "counts" of its vertices, their "rows", and
    "deltas" in `STEP`. Values of x come first, then those of y and z.
    """
    neck, (centre, height) = Neck.of(face), framing(face)
    face, used = only_used(face)
    triangles, drawn = batches(face, View(shading=shading), FORWARD)
    looks = surface(face, shading)
    count = len(used)
    names = _picture_names(face)
    textures: list[tuple] = []
    described = [_describe(batch, textures) for batch in drawn]
    header: dict[str, Any] = {
        "pivot": neck.pivot.tolist(),
        "camera": {"centre": centre.tolist(), "height": height, "fieldOfView": FIELD_OF_VIEW},
        "blendshapes": face.blendshapes,
        "landmarks": {
            name: face.landmarks[name].tolist()
            for name in (*LANDMARKS, "nose_tip", "chin")
            if name in face.landmarks
        },
        "lights": {
            name: {uniform: value.tolist() for uniform, value in light.uniforms.items()}
            for name, light in LIGHTS.items()
        },
        "batches": described,
        "textures": [
            {"kind": kind, "pictures": [names.get(picture) for picture in pictures[:2]]}
            for kind, *pictures in textures
        ],
        "previews": {
            names[found]: base64.b64encode(_preview(found)).decode()
            for _, *pictures in textures
            for found in pictures[:2]
            if found
        },
        "arrays": {},
    }
    moved = [np.flatnonzero(np.abs(delta).max(1) >= STEP / 2) for delta in face.deltas]
    steps = [np.rint(d[rows] / STEP) for d, rows in zip(face.deltas, moved, strict=True)]
    wide = np.uint16 if count < 2**16 else np.uint32
    arrays = {
        "positions": _scaled(face.template, header),
        "uv": _scaled(looks[:, 4:6], header),
        "colors": _fraction(to_srgb(looks[:, :3]), np.uint8),
        "gloss": _fraction(looks[:, 3], np.uint8),
        "occlusion": _fraction(looks[:, 6], np.uint8),
        "share": _fraction(neck.share[used], np.uint16),
        "weld": np.arange(count) - (np.arange(count) if face.weld is None else face.weld),
        "triangles": np.concatenate([_grouped(triangles, batch) for batch in drawn]),
        "counts": np.array([len(rows) for rows in moved]),
        "rows": np.concatenate([NONE[:, 0], *(np.diff(rows, prepend=0) for rows in moved)]),
        "deltas": np.concatenate([NONE, *steps]).astype(np.int16),
    }
    for name in ("weld", "counts", "rows"):
        arrays[name] = arrays[name].astype(wide)
    arrays["triangles"] = np.diff(arrays["triangles"].ravel(), prepend=0).astype(wide)
    return gzip.compress(_join(header, arrays), LEVEL, mtime=0)


def picture(face: Face, name: str) -> bytes | None:
    """Return the file of one of the face's pictures, such as "0.albedo"; None if it has none."""
    number, _, kind = name.partition(".")
    if not number.isdecimal() or int(number) >= len(face.materials) or kind not in PICTURES:
        return None
    found: bytes | None = getattr(face.materials[int(number)], kind)
    return found


def _preview(file: bytes) -> bytes:
    small = BytesIO()
    with Image.open(BytesIO(file)) as picture:
        preview = picture.convert("RGBA" if "A" in picture.mode else "RGB")
        preview.thumbnail((PREVIEW, PREVIEW))
        preview.save(small, "WEBP", quality=QUALITY, exact=True)
    return small.getvalue()


def _picture_names(face: Face) -> dict[bytes, str]:
    return {
        found: f"{number}.{kind}"
        for number, material in enumerate(face.materials)
        for kind in PICTURES
        if (found := getattr(material, kind))
    }


def _describe(batch: Batch, textures: list[tuple]) -> dict[str, Any]:
    numbers = {}
    for sampler, key in batch.textures.items():
        if key not in textures:
            textures.append(key)
        numbers[sampler] = textures.index(key)
    return {
        "count": batch.count,
        "defines": batch.defines,
        "textures": numbers,
        "numbers": {"cutout": batch.cutout, "brightness": batch.brightness},
        "culled": batch.culled,
        "blended": batch.blended,
    }


def _grouped(triangles: np.ndarray, batch: Batch) -> np.ndarray:
    """Return a batch's triangles in the order of the mesh, in which they compress best."""
    own = triangles[batch.first : batch.first + batch.count].astype(np.int64)
    return own[np.lexsort((own[:, 1], own.min(1)))]


def _scaled(values: np.ndarray, header: dict[str, Any]) -> np.ndarray:
    """Return values as uint16, and note what they stand for."""
    low = values.min(0)
    step = max(float((values - low).max()), 1e-9) / (2**16 - 1)
    header.setdefault("scales", []).append({"low": low.tolist(), "step": step})
    return np.rint((values - low) / step).astype(np.uint16)


def _fraction(values: np.ndarray, kind: type[np.unsignedinteger]) -> np.ndarray:
    return np.rint(np.clip(values, 0, 1) * np.iinfo(kind).max).astype(kind)


def _join(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> bytes:
    pieces, start = [], 0
    for name, array in arrays.items():
        flat = np.ascontiguousarray(array.T.ravel())
        flat = flat.astype(flat.dtype.newbyteorder("<"))
        piece = flat.view(np.uint8).reshape(-1, flat.dtype.itemsize).T.tobytes()
        header["arrays"][name] = {"type": flat.dtype.name, "start": start, "count": len(flat)}
        pieces.append(piece)
        start += len(piece)
    text = json.dumps(header, separators=(",", ":")).encode()
    return b"".join([struct.pack("<I", len(text)), text, *pieces])
