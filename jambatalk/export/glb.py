"""Binary glTF 2.0: a head with morph targets, a skeleton, and the animation of both.

Specification: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from jambatalk.export.glb_buffer import ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER, GlbBuffer
from jambatalk.export.morph_targets import MorphTargets, morph_targets
from jambatalk.face.neck import Neck, head_rotation

if TYPE_CHECKING:
    from jambatalk.face.face import Face
    from jambatalk.motion.motion import Motion

MESH, ROOT, HEAD = 0, 1, 2  # indices of nodes
FORWARD = np.array([0, 0, 1], np.float32)
ROUGHNESS = 0.55  # of skin


def to_glb(
    motion: Motion,
    attributes: Mapping[str, np.ndarray] | None = None,
    extras: Mapping[str, Any] | None = None,
) -> bytes:
    """Encode mesh, colours, morph targets, skeleton and one animation.

    Metres, y up, facing +z. The morph targets have the names of the head's blendshapes
    (`mesh.extras.targetNames`, which Blender, Unreal, Unity and three.js read); where a motion
    moves single vertices, there are further ones, see :func:`morph_targets`, and
    `asset.extras.largestErrorMillimetres` is their largest error. A motion with a head pose has a
    skin of two joints, "root" and "head": the neck's vertices are shared between them as in
    :class:`Neck`, so that linear blend skinning gives the vertices of the motion. Keys lie at
    0, 1/fps, 2/fps, ... seconds, with linear interpolation. glTF has no sound.

    Args:
        attributes: further vertex attributes, names that begin with _ → (V,) float32.
        extras: further entries of `mesh.extras`.

    Raises:
        ExportError: see :func:`morph_targets`.
    """
    targets, buffer = morph_targets(motion), GlbBuffer()
    further = dict(attributes or {})
    document: dict[str, Any] = {
        "asset": {
            "version": "2.0",
            "generator": "JambaTalk",
            "extras": {
                "fps": motion.fps,
                "frames": len(motion),
                "largestErrorMillimetres": round(1000 * targets.error, 4),
            },
        },
        "scene": 0,
        "scenes": [{"nodes": [MESH]}],
        "nodes": [{"name": motion.face.name, "mesh": 0}],
        "materials": [
            {
                "name": "head",
                # without an inner mouth, open lips show the back of the skin
                "doubleSided": "inner_mouth" not in motion.face.regions,
                "pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": ROUGHNESS},
            }
        ],
    }
    if motion.pose is not None:
        neck = Neck.of(motion.face)
        further |= _joints(neck)
        document["skins"] = [_skin(neck, buffer)]
        document["scenes"] = [{"nodes": [MESH, ROOT]}]
        document["nodes"][MESH]["skin"] = 0
        document["nodes"] += [
            {"name": "root", "children": [HEAD]},
            {"name": "head", "translation": neck.pivot.tolist()},
        ]
    document["meshes"] = [_mesh(motion.face, targets, further, extras or {}, buffer)]
    if targets.names or motion.pose is not None:
        document["animations"] = [_animation(motion, targets, buffer)]
    return buffer.pack(document)


def _mesh(
    face: Face,
    targets: MorphTargets,
    further: Mapping[str, np.ndarray],
    extras: Mapping[str, Any],
    buffer: GlbBuffer,
) -> dict[str, Any]:
    from jambatalk.face.normals import SmoothNormals  # SciPy takes a moment to import

    smooth = SmoothNormals(face.triangles, len(face.template))
    normals = smooth(face.template)
    # a vertex of no triangle with an area has none, and glTF wants unit length
    defined = normals.any(axis=1, keepdims=True)
    linear = np.column_stack([face.linear_colors(), np.ones(len(face.template))])
    colors = np.rint(linear * (2**16 - 1)).astype(np.uint16)  # 8 bits would band in the dark
    attributes = {
        "POSITION": buffer.add(face.template, ARRAY_BUFFER, bounds=True),
        "NORMAL": buffer.add(np.where(defined, normals, FORWARD), ARRAY_BUFFER),
        "COLOR_0": buffer.add(colors, ARRAY_BUFFER, normalized=True),
        **{name: buffer.add(values, ARRAY_BUFFER) for name, values in further.items()},
    }
    index_type = np.uint16 if len(face.template) < 2**16 - 1 else np.uint32
    indices = face.triangles.astype(index_type).reshape(-1)
    primitive: dict[str, Any] = {
        "attributes": attributes,
        "indices": buffer.add(indices, ELEMENT_ARRAY_BUFFER),
        "material": 0,
    }
    mesh: dict[str, Any] = {"name": face.name, "primitives": [primitive]}
    if targets.names:
        primitive["targets"] = [
            {
                "POSITION": buffer.add_sparse(delta, bounds=True),
                "NORMAL": buffer.add_sparse(smooth(face.template + delta) - normals),
            }
            for delta in targets.deltas
        ]
        mesh["weights"] = [0.0] * len(targets.names)
        extras = {"targetNames": targets.names, **extras}
    return mesh | {"extras": extras} if extras else mesh


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


def _skin(neck: Neck, buffer: GlbBuffer) -> dict[str, Any]:
    inverse_bind = np.stack([np.eye(4, dtype=np.float32)] * 2)  # column-major: transposed
    inverse_bind[1, 3, :3] = -neck.pivot
    return {
        "inverseBindMatrices": buffer.add(inverse_bind.reshape(2, 16)),
        "skeleton": ROOT,
        "joints": [ROOT, HEAD],
    }


def _animation(motion: Motion, targets: MorphTargets, buffer: GlbBuffer) -> dict[str, Any]:
    times = buffer.add((np.arange(len(motion)) / motion.fps).astype(np.float32), bounds=True)
    curves = []
    if targets.names:
        curves.append((MESH, "weights", targets.weights.reshape(-1).astype(np.float32)))
    if motion.pose is not None:
        curves.append((HEAD, "rotation", head_rotation(motion.pose).as_quat().astype(np.float32)))
    return {
        "name": "speech",
        "samplers": [
            {"input": times, "output": buffer.add(values), "interpolation": "LINEAR"}
            for _, _, values in curves
        ],
        "channels": [
            {"sampler": number, "target": {"node": node, "path": path}}
            for number, (node, path, _) in enumerate(curves)
        ],
    }
