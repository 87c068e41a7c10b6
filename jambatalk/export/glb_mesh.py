"""The primitives of a .glb: for each material of a face its vertices and their morph targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from jambatalk.export.glb_buffer import ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER, GlbBuffer
from jambatalk.export.glb_materials import GlbMaterials
from jambatalk.face.mouth_opening import MouthOpening

if TYPE_CHECKING:
    from jambatalk.export.morph_targets import MorphTargets
    from jambatalk.face.face import Face
    from jambatalk.face.neck import Neck

FORWARD = np.array([0, 0, 1], np.float32)
RIGHT = np.array([1, 0, 0], np.float32)
SPEAKING = 0.012  # metres: radius of the opening of lips that speak
INVISIBLE = 0.003  # of a normal's unit length: a sixth of a degree
# Light that skin reflects into its own folds, in red, green and blue, as in the videos' shader.
BOUNCED = np.array([0.6, 0.25, 0.2])


def primitives(
    face: Face,
    targets: MorphTargets,
    neck: Neck | None,
    materials: GlbMaterials,
    buffer: GlbBuffer,
) -> list[dict[str, Any]]:
    """Return one primitive for each material that has triangles, in the order of drawing.

    Args:
        neck: shares the vertices between the joints "root" and "head"; None without a skin.
    """
    smooth = _smooth_normals(face)
    # All vertices of a face of one material, in their order, and else only those that it draws.
    whole = len(face.materials) == 1
    normals = smooth(face.template)
    shape = {"POSITION": face.template, "NORMAL": _defined(normals, FORWARD)}
    shape |= {"COLOR_0": _colors(face)} | ({} if neck is None else _joints(neck))
    morphs = [(delta, _turned(smooth(face.template + delta) - normals)) for delta in targets.deltas]
    found = []
    for number, material in enumerate(face.materials):
        drawn = face.triangles
        if face.material_index is not None:
            drawn = drawn[face.material_index == number]
        if not len(drawn):
            continue
        own = np.arange(len(face.template)) if whole else np.unique(drawn)
        index_type = np.uint16 if len(own) < 2**16 - 1 else np.uint32
        arrays = {name: array[own] for name, array in shape.items()}
        if material.detail and face.uv is not None:
            arrays["TANGENT"] = _tangents(arrays["NORMAL"])
        if (material.albedo or material.detail) and face.uv is not None:
            arrays["TEXCOORD_0"] = (face.uv[own] * (1, -1) + (0, 1)).astype(np.float32)
        primitive: dict[str, Any] = {
            "attributes": {name: _add(buffer, name, array) for name, array in arrays.items()},
            "indices": buffer.add(
                np.searchsorted(own, drawn).astype(index_type).reshape(-1), ELEMENT_ARRAY_BUFFER
            ),
            "material": materials.add(material, face, own),
        }
        if morphs:
            primitive["targets"] = [
                {
                    "POSITION": buffer.add_sparse(delta[own], bounds=True),
                    "NORMAL": buffer.add_sparse(turn[own]),
                }
                for delta, turn in morphs
            ]
        found.append(primitive)
    return found


def _smooth_normals(face: Face) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that computes normals (V, 3), equal on both sides of a texture's seam."""
    from jambatalk.face.normals import SmoothNormals  # SciPy takes a moment to import

    if face.weld is None:
        return SmoothNormals(face.triangles, len(face.template))
    weld = face.weld
    smooth = SmoothNormals(weld[face.triangles], len(face.template))
    return lambda vertices: smooth(vertices)[weld]


def _turned(change: np.ndarray) -> np.ndarray:
    """Leave out what no light shows of a change of normals (V, 3)."""
    return np.where(np.abs(change).max(axis=1, keepdims=True) < INVISIBLE, 0, change)


def _defined(normals: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """Replace normals of no length, which vertices of no triangle have: glTF wants unit length."""
    return np.where(normals.any(axis=1, keepdims=True), normals, otherwise).astype(np.float32)


def _tangents(normals: np.ndarray) -> np.ndarray:
    """Return the directions (n, 3) and signs along which pictures of detail are made, (n, 4)."""
    right = np.stack([normals[:, 2], np.zeros(len(normals)), -normals[:, 0]], axis=1)
    length = np.linalg.norm(right, axis=1, keepdims=True)
    right = np.where(length > 1e-6, right / np.maximum(length, 1e-6), RIGHT)
    return np.column_stack([right, np.ones(len(right))]).astype(np.float32)


def _colors(face: Face) -> np.ndarray:
    """Return linear colours, darker where little light arrives, (V, 4) from 0 to 65535.

    Other programs do not know that lips shade the mouth: it is as dark as behind speaking lips.
    """
    colors = face.linear_colors()
    if face.occlusion is not None:
        open_part = np.clip(face.occlusion, 0.0, 1.0)[:, None]
        colors = colors * (open_part + BOUNCED * (np.sqrt(open_part) - open_part))
    for number, material in enumerate(face.materials):
        if material.kind == "mouth" and face.material_index is not None:
            inside = np.unique(face.triangles[face.material_index == number])
            colors[inside] *= _light_in_mouth(face)[inside, None]
    linear = np.column_stack([colors, np.ones(len(colors))])
    return np.rint(linear * (2**16 - 1)).astype(np.uint16)  # 8 bits would band in the dark


def _light_in_mouth(face: Face) -> np.ndarray:
    """Return the part of the light that reaches each vertex through lips that speak, (V,)."""
    opening, outward = MouthOpening(face)(face.template)
    depth = np.maximum((opening[:3] - face.template) @ outward, 0.0)
    light: np.ndarray = SPEAKING**2 / (SPEAKING**2 + depth**2)
    return light


def _joints(neck: Neck) -> dict[str, np.ndarray]:
    """Give each vertex its joints, 0 (root) and 1 (head), and their weights."""
    head = neck.share
    shared = (head > 0) & (head < 1)
    # An unused slot has joint 0 and weight 0, so vertices of one joint have it in the first slot.
    joints = np.zeros((len(head), 4), np.uint8)
    joints[:, 0], joints[:, 1] = head == 1, shared
    weights = np.zeros((len(head), 4), np.float32)
    weights[:, 0], weights[:, 1] = np.where(shared, 1 - head, 1), np.where(shared, head, 0)
    return {"JOINTS_0": joints, "WEIGHTS_0": weights}


def _add(buffer: GlbBuffer, name: str, array: np.ndarray) -> int:
    return buffer.add(array, ARRAY_BUFFER, bounds=name == "POSITION", normalized=name == "COLOR_0")
