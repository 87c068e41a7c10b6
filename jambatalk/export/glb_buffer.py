"""The binary chunk of a .glb file, and its accessors and buffer views."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np

MAGIC, CONTAINER_VERSION = b"glTF", 2
JSON_CHUNK, BINARY_CHUNK = b"JSON", b"BIN\0"
ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963  # OpenGL's targets of vertices and of indices
COMPONENT_TYPES = {"uint8": 5121, "uint16": 5123, "uint32": 5125, "float32": 5126}
TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}  # by values per element


class GlbBuffer:
    """Arrays of a glTF document, collected in one buffer.

    Attributes:
        accessors, views: `accessors` and `bufferViews` of the document.
        length: bytes so far.
    """

    def __init__(self) -> None:
        self.accessors: list[dict[str, Any]] = []
        self.views: list[dict[str, Any]] = []
        self.length = 0
        self._pieces: list[bytes] = []
        self._zeros: dict[int, int] = {}  # bytes → view

    def add(
        self,
        array: np.ndarray,
        target: int | None = None,
        *,
        bounds: bool = False,
        normalized: bool = False,
    ) -> int:
        """Add an array (n,) or (n, width); return the index of its accessor.

        Args:
            target: what a graphics card uses it for.
            bounds: state the smallest and largest values.
            normalized: integers stand for 0 to 1.
        """
        accessor = _accessor(array, bounds) | {"bufferView": self._view(array, target)}
        if normalized:
            accessor["normalized"] = True
        return self._append(accessor)

    def add_sparse(self, array: np.ndarray, *, bounds: bool = False) -> int:
        """Add a float array (n, 3) of which most rows are zero, storing only the others."""
        rows = np.flatnonzero(array.any(axis=1))
        index = rows.astype(np.uint16 if len(array) < 2**16 - 1 else np.uint32)
        values = array[rows].astype(np.float32)
        dense = array.astype(np.float32)
        if len(rows) and index.nbytes + values.nbytes >= dense.nbytes:
            return self.add(dense, ARRAY_BUFFER, bounds=bounds)
        accessor = _accessor(dense, bounds)
        # The specification makes a view of zeros optional, but some readers fail without one.
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
        return self._append(accessor)

    def add_bytes(self, data: bytes) -> int:
        """Add a file, such as a picture; return the index of its view."""
        return self._view(np.frombuffer(data, np.uint8))

    def pack(self, document: dict[str, Any]) -> bytes:
        """Join a glTF document, without accessors and buffers, and this buffer to a .glb file."""
        document = document | {
            "accessors": self.accessors,
            "bufferViews": self.views,
            "buffers": [{"byteLength": self.length}],
        }
        text = json.dumps(document, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        length = 12 + 8 + len(text) + 8 + self.length
        header = MAGIC + struct.pack("<II", CONTAINER_VERSION, length)
        json_chunk = struct.pack("<I", len(text)) + JSON_CHUNK + text
        binary_header = struct.pack("<I", self.length) + BINARY_CHUNK
        return b"".join([header, json_chunk, binary_header, *self._pieces])

    def _append(self, accessor: dict[str, Any]) -> int:
        self.accessors.append(accessor)
        return len(self.accessors) - 1

    def _view(self, array: np.ndarray, target: int | None = None) -> int:
        data = array.astype(array.dtype.newbyteorder("<")).tobytes()
        self.views.append({"buffer": 0, "byteOffset": self.length, "byteLength": len(data)})
        if target:
            self.views[-1]["target"] = target
        data += bytes(-len(data) % 4)  # views start at multiples of four
        self._pieces.append(data)
        self.length += len(data)
        return len(self.views) - 1

    def _view_of_zeros(self, length: int) -> int:
        if length not in self._zeros:
            self._zeros[length] = self._view(np.zeros(length, np.uint8), ARRAY_BUFFER)
            self.views[-1]["byteStride"] = 12  # required where accessors share a view
        return self._zeros[length]


def _accessor(array: np.ndarray, bounds: bool) -> dict[str, Any]:
    width = 1 if array.ndim == 1 else array.shape[1]
    accessor: dict[str, Any] = {
        "componentType": COMPONENT_TYPES[array.dtype.name],
        "count": len(array),
        "type": TYPES[width],
    }
    if bounds:
        rows = array.reshape(len(array), width)
        accessor |= {"min": rows.min(0).tolist(), "max": rows.max(0).tolist()}
    return accessor
