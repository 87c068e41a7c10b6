"""Regions and landmarks of the published vertices, and the gloss of regions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from recipes.heads.ict_facekit import PARTS, IctFaceKit
from recipes.heads.lip_seal import RED, Lips

EYE_CORNERS = [36, 39, 42, 45]  # of the 68 usual landmarks, from the head's right to its left
CHIN = (0.012, 0.035)  # metres below the lower lip
LOWERED = -0.008  # metres: by jawOpen, only the lower of the two rows of teeth
TIP = (0.0170, 0.0200)  # metres: the tongue's z, among the lowered islands of the gums' picture
FOLDED = 0.006  # metres from the corners of the mouth at which skin has most of its gloss
GLOSS = {
    "skin": 0.3,
    "ears": 0.2,
    "scalp": 0.06,
    "lips": 0.45,
    "inner_mouth": 0.6,
    "eyes": 1.0,
    "teeth_upper": 0.75,
    "teeth_lower": 0.75,
    "tongue": 0.65,
    "gums": 0.7,
}


def find_landmarks(ict: IctFaceKit, lips: Lips, folder: Path) -> dict[str, np.ndarray]:
    """Return the vertices of the landmarks of a face."""
    landmarks = lips.landmarks()
    usual = json.loads((folder / "vertex_indices.json").read_text("utf-8"))
    landmarks["eye_corners"] = np.array(usual["idx_to_landmark_verts"])[EYE_CORNERS]
    face = np.arange(*PARTS["face"])
    middle = face[np.abs(ict.positions[face, 0]) < 5e-4]
    _, y, z = ict.positions[middle].T
    below = ict.positions[landmarks["outer_lip_lower"], 1].min() - y
    on_chin = (below > CHIN[0]) & (below < CHIN[1])
    landmarks["nose_tip"] = middle[[np.argmax(z)]]
    landmarks["chin"] = middle[[np.argmax(np.where(on_chin, z, -1))]]
    return landmarks


def find_regions(
    ict: IctFaceKit, lips: Lips, landmarks: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return the mask (N,) of each region of the published vertices."""
    x, y, z = ict.positions.T
    red, inside = np.zeros(len(x), bool), _part(ict, "mouth_socket")
    red[lips.rings[:RED]] = inside[lips.rings[RED:]] = True
    outside = (_part(ict, "face") | _part(ict, "head")) & ~inside
    nose, chin = (ict.positions[landmarks[name][0]] for name in ("nose_tip", "chin"))
    corner = ict.positions[landmarks["eye_corners"][-1]]
    teeth, lowered = _part(ict, "teeth"), ict.expressions["jawOpen"][:, 1] < LOWERED
    tongue = tongue_mask(ict)
    return {
        "skin": outside,
        "lips": red,
        "inner_mouth": inside,
        "upper_face": outside & (z > corner[2] - 0.045) & (y > nose[1]),
        "teeth_upper": teeth & ~lowered,
        "teeth_lower": teeth & lowered,
        "gums": _part(ict, "gums") & ~tongue,
        "tongue": tongue,
        "ears": outside
        & (np.abs(x) > 0.0745)
        & (y > -0.06)
        & (y < 0.008)
        & (z < -0.04)
        & (z > -0.1),
        "scalp": outside & (y > 0.045 + 0.55 * np.maximum(z + 0.01, -0.1)) & (y > -0.02),
        "neck": outside & (y < chin[1] - 0.012 + 0.6 * np.maximum(chin[2] - 0.02 - z, 0)),
    }


def vertex_gloss(
    positions: np.ndarray, regions: dict[str, np.ndarray], corners: np.ndarray
) -> np.ndarray:
    """Return the gloss, 0 matt to 1 wet, of vertices (V, 3) in regions: (V,).

    Skin and lips are matt at the corners of the mouth (n, 3), where small folds would sparkle.
    """
    gloss = np.zeros(len(positions))
    for name, value in GLOSS.items():
        gloss[regions[name]] = value
    away = np.linalg.norm(positions[:, None] - corners, axis=2).min(1)
    folded = np.concatenate([regions["skin"], regions["lips"]])
    gloss[folded] *= 1 - np.exp(-((away[folded] / FOLDED) ** 2))
    return gloss


def _part(ict: IctFaceKit, part: str) -> np.ndarray:
    mask = np.zeros(len(ict.positions), bool)
    mask[slice(*PARTS[part])] = True
    return mask


def tongue_mask(ict: IctFaceKit) -> np.ndarray:
    """Return the mask (N,) of the tongue among the published vertices."""
    corners, uv = ict.triangles(["gums"])
    sides = uv[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    graph = sp.coo_matrix((np.ones(len(sides)), tuple(sides.T)), shape=(len(ict.uv),) * 2)
    _, island = connected_components(graph, directed=False)
    mask = np.zeros(len(ict.positions), bool)
    for label in np.unique(island[uv[:, 0]]):
        vertices = np.unique(corners[island[uv[:, 0]] == label])
        moved = ict.expressions["jawOpen"][vertices, 1].min() < LOWERED
        if moved and TIP[0] < ict.positions[vertices, 2].max() < TIP[1]:
            mask[vertices] = True
    return mask
