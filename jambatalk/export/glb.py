"""Binary glTF 2.0: the head with a morph target for each blendshape, and their weights over time.

Specification: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jambatalk.export.shapes import Shapes, shapes_of

if TYPE_CHECKING:
    from jambatalk.face.face import Face
    from jambatalk.motion.motion import Motion

MAGIC, CONTAINER_VERSION = b"glTF", 2
JSON_CHUNK, BINARY_CHUNK = b"JSON", b"BIN\0"
ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963  # what a graphics card takes a view for
COMPONENT_TYPES = {"uint16": 5123, "uint32": 5125, "float32": 5126}
TYPES = {1: "SCALAR", 3: "VEC3", 4: "VEC4"}
FORWARD = np.float32([0, 0, 1])
ROUGHNESS = 0.55  # of skin


def write_glb(motion: Motion, path: Path) -> None:
    """Writes a motion, see :func:`to_glb`."""
    path.write_bytes(to_glb(motion))


def to_glb(
    motion: Motion,
    attributes: Mapping[str, np.ndarray] | None = None,
    extras: Mapping[str, Any] | None = None,
) -> bytes:
    """Mesh, colours, morph targets and one animation, of their weights.

    Metres, y up, facing +z, as glTF wants it and heads are. The targets bear the names of the
    head's blendshapes (`mesh.extras.targetNames`, which Blender, Unreal, Unity and three.js read);
    where vertices move on their own there are further ones, see :func:`shapes_of`, and
    `asset.extras.largestErrorMillimetres` says how far they are off. The frames are keys at
    0, 1/fps, 2/fps, ... seconds, linear between. glTF has no sound.

    Args:
        attributes: what else is known of each vertex: names that begin with _ → (V,) float32.
        extras: what else `mesh.extras` says.

    Raises:
        ExportError: see :func:`shapes_of`.
    """
    shapes, binary = shapes_of(motion), _Binary()
    document = {
        "asset": {
            "version": "2.0",
            "generator": "JambaTalk",
            "extras": {
                "fps": motion.fps,
                "frames": len(motion),
                "largestErrorMillimetres": round(1000 * shapes.error, 4),
            },
        },
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": motion.face.name, "mesh": 0}],
        "meshes": [_mesh(motion.face, shapes, attributes or {}, extras or {}, binary)],
        "materials": [
            {
                "name": "head",
                # one sees into a mouth that has no inside
                "doubleSided": "inner_mouth" not in motion.face.regions,
                "pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": ROUGHNESS},
            }
        ],
    }
    if shapes.names:  # else nothing can move
        document["animations"] = [_animation(shapes.weights, motion.fps, binary)]
    document["accessors"], document["bufferViews"] = binary.accessors, binary.views
    document["buffers"] = [{"byteLength": binary.length}]
    return _pack(document, binary)


def _mesh(
    face: Face,
    shapes: Shapes,
    further: Mapping[str, np.ndarray],
    extras: Mapping[str, Any],
    binary: _Binary,
) -> dict[str, Any]:
    from jambatalk.render.normals import SmoothNormals  # SciPy takes a moment to import

    smooth = SmoothNormals(face.triangles, len(face.template))
    normals = smooth(face.template)
    lonely = ~normals.any(axis=1)  # of no triangle with an area; a normal must be of length 1
    attributes = {
        "POSITION": binary.add(face.template, ARRAY_BUFFER, bounds=True),
        "NORMAL": binary.add(np.where(lonely[:, None], FORWARD, normals), ARRAY_BUFFER),
        "COLOR_0": binary.add(_linear(face.colors), ARRAY_BUFFER, normalized=True),
        **{name: binary.add(values, ARRAY_BUFFER) for name, values in further.items()},
    }
    targets = [
        {
            "POSITION": binary.add_sparse(delta, bounds=True),
            "NORMAL": binary.add_sparse(smooth(face.template + delta) - normals),
        }
        for delta in shapes.deltas
    ]
    index_type = np.uint16 if len(face.template) < 2**16 - 1 else np.uint32
    indices = face.triangles.astype(index_type).reshape(-1)
    primitive: dict[str, Any] = {
        "attributes": attributes,
        "indices": binary.add(indices, ELEMENT_ARRAY_BUFFER),
        "material": 0,
    }
    mesh = {"name": face.name, "primitives": [primitive]}
    if targets:
        primitive["targets"] = targets
        mesh["weights"] = [0.0] * len(targets)
        extras = {"targetNames": shapes.names, **extras}
    return mesh | {"extras": extras} if extras else mesh


def _animation(weights: np.ndarray, fps: float, binary: _Binary) -> dict[str, Any]:
    times = np.arange(len(weights)) / fps
    sampler = {
        "input": binary.add(times.astype(np.float32), bounds=True),
        "output": binary.add(weights.reshape(-1).astype(np.float32)),
        "interpolation": "LINEAR",
    }
    channel = {"sampler": 0, "target": {"node": 0, "path": "weights"}}
    return {"name": "speech", "samplers": [sampler], "channels": [channel]}


def _linear(colors: np.ndarray) -> np.ndarray:
    """sRGB (V, 3) uint8 as linear light (V, 4) uint16 with alpha; 8 bits would band in the dark."""
    srgb = colors / 255.0
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    alpha = np.ones((len(colors), 1))
    return np.rint(np.hstack([linear, alpha]) * (2**16 - 1)).astype(np.uint16)


class _Binary:
    """The binary chunk as it grows, and what the JSON says of it."""

    def __init__(self) -> None:
        self.accessors: list[dict[str, Any]] = []
        self.views: list[dict[str, Any]] = []
        self.pieces: list[bytes] = []
        self.length = 0
        self._zeros: dict[int, int] = {}  # bytes → view

    def add(
        self,
        array: np.ndarray,
        target: int | None = None,
        *,
        bounds: bool = False,
        normalized: bool = False,
    ) -> int:
        """An accessor of `array` (n,) or (n, 3 or 4), with its smallest and largest values if
        `bounds`; returns its number."""
        accessor = self._accessor(array, bounds) | {"bufferView": self._view(array, target)}
        if normalized:
            accessor["normalized"] = True
        return self._numbered(accessor)

    def add_sparse(self, array: np.ndarray, *, bounds: bool = False) -> int:
        """An accessor of `array` (n, 3) that is zero in most rows: only the others are kept."""
        rows = np.flatnonzero(array.any(axis=1))
        index = rows.astype(np.uint16 if len(array) < 2**16 - 1 else np.uint32)
        values = array[rows].astype(np.float32)
        if index.nbytes + values.nbytes >= values[:1].nbytes * len(array):
            return self.add(array.astype(np.float32), ARRAY_BUFFER, bounds=bounds)
        accessor = self._accessor(array.astype(np.float32), bounds)
        # Rows of zeros need not be there by the specification, but some readers fall over it.
        accessor["bufferView"] = self._view_of_zeros(12 * len(array))
        if len(rows):
            accessor["sparse"] = {
                "count": len(rows),
                "indices": {
                    "bufferView": self._view(index),
                    "componentType": COMPONENT_TYPES[index.dtype.name],
                },
                "values": {"bufferView": self._view(values)},
            }
        return self._numbered(accessor)

    def _accessor(self, array: np.ndarray, bounds: bool) -> dict[str, Any]:
        width = 1 if array.ndim == 1 else array.shape[1]
        accessor = {
            "componentType": COMPONENT_TYPES[array.dtype.name],
            "count": len(array),
            "type": TYPES[width],
        }
        if bounds:
            rows = array.reshape(len(array), width)
            accessor |= {"min": rows.min(0).tolist(), "max": rows.max(0).tolist()}
        return accessor

    def _numbered(self, accessor: dict[str, Any]) -> int:
        self.accessors.append(accessor)
        return len(self.accessors) - 1

    def _view(self, array: np.ndarray, target: int | None = None) -> int:
        data = array.astype(array.dtype.newbyteorder("<")).tobytes()
        self.views.append({"buffer": 0, "byteOffset": self.length, "byteLength": len(data)})
        if target:
            self.views[-1]["target"] = target
        data += bytes(-len(data) % 4)  # each view starts at a multiple of four
        self.pieces.append(data)
        self.length += len(data)
        return len(self.views) - 1

    def _view_of_zeros(self, length: int) -> int:
        if length not in self._zeros:
            self._zeros[length] = self._view(np.zeros(length, np.uint8), ARRAY_BUFFER)
            self.views[-1]["byteStride"] = 12  # wanted where accessors share a view
        return self._zeros[length]


def _pack(document: dict[str, Any], binary: _Binary) -> bytes:
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    length = 12 + 8 + len(text) + 8 + binary.length
    return b"".join(
        [
            MAGIC + struct.pack("<II", CONTAINER_VERSION, length),
            struct.pack("<I", len(text)) + JSON_CHUNK + text,
            struct.pack("<I", binary.length) + BINARY_CHUNK,
            *binary.pieces,
        ]
    )
