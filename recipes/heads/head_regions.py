"""Regions, profile landmarks and gloss of the head's vertices."""

from __future__ import annotations

import numpy as np

from recipes.heads.brow_shape import brow_distance
from recipes.heads.hairline import inside_hairline
from recipes.heads.woven_mesh import WovenMesh

SKIN, SCALP, CAP = 0.25, 0.08, 0.05  # gloss, 0 matt to 1 wet
GLOSS = {
    "lips": 0.4,
    "waterline": 0.7,
    "eyes": 1.0,
    "teeth_upper": 0.75,
    "teeth_lower": 0.75,
    "tongue": 0.6,
    "gums": 0.7,
    "locks": 0.1,
}


def gloss(mesh: WovenMesh, positions: np.ndarray) -> np.ndarray:
    """Return the gloss, 0 matt to 1 wet: (V,); the inside of the mouth is matt."""
    fields = mesh.fields
    scalp = (inside_hairline(positions) > 4) & (fields["ears"] < 0.3)
    shine = np.where(scalp, SCALP, SKIN) * fields["skin"] * (1 - fields["inside-mouth"])
    shine = np.where(fields["cap"] > 0, CAP, shine)
    for name, value in GLOSS.items():
        shine = np.maximum(shine, value * fields[name])
    return shine


def profile(
    mesh: WovenMesh, positions: np.ndarray, landmarks: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return nose tip and chin: the foremost vertices in the middle of the face."""
    skin = (mesh.fields["skin"] > 0) & (mesh.fields["cap"] == 0)
    middle = np.flatnonzero(skin & (np.abs(positions[:, 0]) < 5e-4))
    _, y, z = positions[middle].T
    nose = middle[np.argmax(z)]
    lip = positions[landmarks["outer_lip_lower"], 1].min()
    below = (y < lip - 0.012) & (y > lip - 0.035)
    return {
        "nose_tip": np.array([nose]),
        "chin": np.array([middle[np.argmax(np.where(below, z, -1))]]),
    }


def regions(
    mesh: WovenMesh, positions: np.ndarray, landmarks: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return the vertices of each region; "skin" is its visible part, "lips" the vermilion."""
    fields = mesh.fields
    skin = (fields["skin"] > 0) & (fields["cap"] == 0)
    eyes = positions[landmarks["eye_corners"]].mean(axis=0)
    outside = skin & (fields["inside-mouth"] < 0.5)
    front = positions[:, 2] > eyes[2] - 0.045
    above = positions[:, 1] > positions[landmarks["nose_tip"][0], 1]
    masks = {
        name: fields[name] > 0.5
        for name in ("eyes", "teeth_upper", "teeth_lower", "gums", "tongue", "locks")
    }
    masks["skin"] = outside
    masks["inner_mouth"] = skin & ~outside
    masks["lips"] = skin & (fields["lips"] >= 0.5)
    masks["upper_face"] = outside & front & above
    masks["brows"] = skin & (brow_distance(positions, positions[landmarks["eye_corners"]]) < 1)
    masks["cap"] = fields["cap"] > 0.5
    return {name: np.flatnonzero(mask) for name, mask in masks.items()}
