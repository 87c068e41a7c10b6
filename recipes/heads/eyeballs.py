"""Eyeballs, with rings of vertices at the edges of pupil and iris so that these are sharp."""

from __future__ import annotations

import numpy as np

from recipes.heads.makehuman import MakeHuman
from recipes.heads.woven_mesh import WovenMesh, follow, join

SIDES = {"helper-r-eye": -1, "helper-l-eye": 1}
SEGMENTS = 20
PUPIL, IRIS = 0.0021, 0.0064  # radii, metres
# distance of each ring from the gaze axis, metres; beyond the iris, rings are given by angle
FRONT = (0.0011, PUPIL - 1e-4, PUPIL + 1e-4, 0.0036, 0.0050, IRIS - 4e-4, IRIS + 1e-4, 0.0078)
BACK = (42, 55, 70, 88, 106)  # degrees from the gaze axis
# A closing lid presses the eyeball back by 1 to 1.6 mm (Doane, Am. J. Ophthalmology 89, 1980). It
# has to here, since a lid that moves in a straight line would otherwise cut through the eye.
PRESSED = 0.0016  # metres
CORNEA = 0.0006  # height of the bulge, metres; below the 0.0009 that the lids leave


def eyeballs(source: MakeHuman, reference: np.ndarray) -> WovenMesh:
    """Build both eyeballs, the right one first; they rotate as MakeHuman's do.

    Fields: "eyes" 1, "iris" and "pupil" 1 inside their edges, "gaze" the distance from the gaze
    axis divided by the iris radius, at most 2, halved; "fibre" a pattern around the iris.
    """
    return join([_eyeball(source.members(group), reference) for group in SIDES])


def press_back(blendshape: np.ndarray, eyes: np.ndarray, left: np.ndarray) -> None:
    """Make the deltas (V, 3) of eyeBlinkLeft or -Right press their eyeball back, in place.

    Args:
        eyes: (n,) vertices of both eyeballs.
        left: (V,) bool, on the head's own left.
    """
    left_lid = np.abs(blendshape[left]).sum() > np.abs(blendshape[~left]).sum()
    blendshape[eyes[left[eyes] == left_lid], 2] -= PRESSED


def between_eyes(source: MakeHuman, vertices: np.ndarray) -> np.ndarray:
    """Return the midpoint (3,) between the centres of the eyeballs of vertices (N, 3)."""
    return vertices[source.members(*SIDES)].mean(axis=0)


def _eyeball(guides: np.ndarray, reference: np.ndarray) -> WovenMesh:
    """Build the eyeball that replaces the source vertices `guides`."""
    centre = reference[guides].mean(axis=0)
    radius = np.linalg.norm(reference[guides] - centre, axis=1).mean()
    out = np.concatenate([FRONT, radius * np.sin(np.radians(BACK))])
    along = np.concatenate(
        [np.sqrt(radius**2 - np.square(FRONT)), radius * np.cos(np.radians(BACK))]
    )
    height = np.maximum(0, 1 - (out / (IRIS + 0.0008)) ** 2) * CORNEA * (along > 0)
    along = along + height
    turn = np.arange(SEGMENTS) * 2 * np.pi / SEGMENTS
    rings = np.stack(
        [
            out[:, None] * np.cos(turn),
            out[:, None] * np.sin(turn),
            np.repeat(along[:, None], SEGMENTS, axis=1),
        ],
        axis=-1,
    )
    points = np.concatenate([[[0, 0, radius + CORNEA]], rings.reshape(-1, 3)]) + centre
    triangles = [(0, 1 + k, 1 + (k + 1) % SEGMENTS) for k in range(SEGMENTS)]
    for ring in range(len(out) - 1):
        start = 1 + ring * SEGMENTS
        for k in range(SEGMENTS):
            a, b = start + k, start + (k + 1) % SEGMENTS
            triangles += [(a, a + SEGMENTS, b), (b, a + SEGMENTS, b + SEGMENTS)]
    distance = np.concatenate([[0], np.repeat(np.where(along > 0, out, 1), SEGMENTS)])
    spokes = np.tile(0.5 + 0.5 * np.sin(5 * turn + 1) * np.cos(7 * turn), len(out))
    fields = {
        "eyes": np.ones(len(points)),
        "iris": (distance < IRIS).astype(float),
        "pupil": (distance < PUPIL).astype(float),
        "gaze": np.minimum(distance / IRIS, 2) / 2,
        "fibre": np.concatenate([[0.5], spokes]),
    }
    return WovenMesh(follow(points, guides, reference), np.array(triangles), fields=fields)
