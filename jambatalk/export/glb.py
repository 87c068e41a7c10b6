"""Binary glTF 2.0: a head with its materials, morph targets, a skeleton, and their animation.

Specification: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jambatalk.export.glb_buffer import GlbBuffer
from jambatalk.export.glb_materials import GlbMaterials
from jambatalk.export.glb_mesh import primitives
from jambatalk.export.morph_targets import MorphTargets, morph_targets
from jambatalk.face.neck import Neck, head_rotation

if TYPE_CHECKING:
    from jambatalk.motion.motion import Motion

MESH, ROOT, HEAD = 0, 1, 2  # indices of nodes


def to_glb(motion: Motion) -> bytes:
    """Encode mesh, materials with their pictures, morph targets, skeleton and one animation.

    Metres, y up, facing +z. Each material of the face is a primitive of one mesh. The morph targets
    have the names of the head's blendshapes (`mesh.extras.targetNames`, which Blender, Unreal,
    Unity and three.js read); where a motion moves single vertices, there are further ones, see
    :func:`morph_targets`, and `asset.extras.largestErrorMillimetres` is their largest error. A
    motion with a head pose has a skin of two joints, "root" and "head": the neck's vertices are
    shared between them as in :class:`Neck`, so that linear blend skinning gives the vertices of the
    motion. Keys lie at 0, 1/fps, 2/fps, ... seconds, with linear interpolation. glTF has no sound.

    Raises:
        ExportError: see :func:`morph_targets`; or a picture of the face cannot be read.
    """
    face, targets, buffer = motion.face, morph_targets(motion), GlbBuffer()
    materials, neck = GlbMaterials(buffer), Neck.of(face) if motion.pose is not None else None
    mesh: dict[str, Any] = {
        "name": face.name,
        "primitives": primitives(face, targets, neck, materials, buffer),
    }
    if targets.names:
        mesh |= {
            "weights": [0.0] * len(targets.names),
            "extras": {"targetNames": targets.names},
        }
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
        "nodes": [{"name": face.name, "mesh": 0}],
        "meshes": [mesh],
        **materials.document(),
    }
    if neck is not None:
        document["skins"] = [_skin(neck, buffer)]
        document["scenes"] = [{"nodes": [MESH, ROOT]}]
        document["nodes"][MESH]["skin"] = 0
        document["nodes"] += [
            {"name": "root", "children": [HEAD]},
            {"name": "head", "translation": neck.pivot.tolist()},
        ]
    if targets.names or neck is not None:
        document["animations"] = [_animation(motion, targets, buffer)]
    return buffer.pack(document)


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
