"""Bend MakeHuman's base mesh onto ICT-FaceKit's mean head, so that its skins and hair fit there.

The two heads have nothing in common but their kind. `base_landmarks.json` holds 420 points of a
face mesh tracker, found on a front picture of each head and lifted onto its surface. A similarity
brings them together, a non-rigid registration bends the head (Amberg, Romdhani and Vetter, "Optimal
Step Nonrigid ICP Algorithms for Surface Registration", CVPR 2007), and a thin-plate spline lets the
rest of the base follow: the helpers to which hair and clothes are bound.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from scipy.interpolate import RBFInterpolator

from recipes.heads.ict_facekit import CENTIMETRE, IctFaceKit

LANDMARKS = Path(__file__).with_name("base_landmarks.json")
# Amberg's steps: stiffness, weights of landmarks, of normals, and iterations
STEPS = [
    [0.02, landmarks, normals, 10]
    for landmarks, normals in ((10, 0.5), (5, 0.5), (2, 0.4), (0.8, 0.3), (0.3, 0.15), (0.15, 0.08))
]
HEAD = 0.475  # metres above the origin of MakeHuman: where head and neck begin
CENTRES = 900  # of the spline


def bend_base(ict: IctFaceKit, base: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Return the whole base mesh (19158, 3) on ICT-FaceKit's head, metres, in its frame.

    Args:
        base: (19158, 3) MakeHuman's young Caucasian woman, metres.
        triangles: (F, 3) vertex numbers of the base's skin.
    """
    import trimesh
    from trimesh.registration import nricp_amberg, procrustes

    marks = json.loads(LANDMARKS.read_text("utf-8"))
    vertex = np.array(marks["vertex"])
    position = np.array(marks["position"]) * CENTIMETRE - ict.origin
    similarity, _, _ = procrustes(base[vertex], position, reflection=False)
    aligned = trimesh.transform_points(base, similarity)
    faces = triangles[(base[triangles, 1] > HEAD).all(1)]
    head, faces = np.unique(faces, return_inverse=True)
    number = np.full(len(base), -1)
    number[head] = np.arange(len(head))
    found = number[vertex] >= 0
    target, _ = ict.triangles(("face", "head"))
    bent = nricp_amberg(
        trimesh.Trimesh(aligned[head], faces.reshape(-1, 3), process=False),
        trimesh.Trimesh(ict.positions, target, process=False),
        source_landmarks=number[vertex[found]],
        target_positions=position[found],
        steps=STEPS,
    )
    centres = np.random.default_rng(0).permutation(len(head))[:CENTRES]
    follow = RBFInterpolator(
        aligned[head][centres], (bent - aligned[head])[centres], kernel="thin_plate_spline"
    )
    moved = aligned + follow(aligned)
    moved[head] = bent
    return moved
