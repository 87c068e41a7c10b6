"""Longer hair: a shell from the scalp over the ears, hidden inside the skull of other heads."""

from __future__ import annotations

import numpy as np

from recipes.heads.woven_mesh import WovenMesh, follow

AXIS = -75.0  # mm, how far behind the eyes the axis of the head lies
COLUMNS = 21
FRONT = 50.0  # degrees of azimuth where the shell begins on either side of the face
# from the top down: height above the eyes (mm), width as a share of the full one, azimuth by which
# the front edge is moved back (degrees), thickness (mm), depth of the front edge in the scalp (mm)
PROFILE = (
    (92, 0.50, 26, 4, 8), (80, 0.71, 22, 7, 9), (64, 0.86, 19, 9, 11), (42, 0.965, 16, 11, 12),
    (14, 1.02, 13, 12, 11), (-16, 1.04, 11, 13, 7), (-48, 1.03, 11, 13, 4), (-80, 1.0, 12, 11, 3),
    (-104, 0.93, 13, 7, 2),
)  # fmt: skip
SIDE, BACK, FACE = 88.0, 108.0, 84.0  # mm from the axis to the shell at its full width
HIDDEN = np.array([0.0, 0.040, AXIS / 1000])  # metres, inside every skull


def hair_shell(positions: np.ndarray, guides: np.ndarray, reference: np.ndarray) -> WovenMesh:
    """Build the shell at full length; fields "locks" 1, "fall" 0 at the top to 1 at the bottom.

    Args:
        positions: (N, 3) source vertices of the reference identity, from between the eyes.
        guides: source vertices of the skull, whose motion the shell follows.
        reference: (N, 3) the same vertices in MakeHuman's frame.
    """
    layers, falls = [], []
    for inner in (False, True):
        for row, (height, width, back, thick, tuck) in enumerate(PROFILE):
            azimuth = np.radians(np.linspace(FRONT + back, 360 - FRONT - back, COLUMNS))
            deep = np.where(np.cos(azimuth) > 0, FACE, BACK)
            wave = 1 + 0.012 * np.sin(9 * azimuth + 0.8 * row) * (row > 1)
            x, z = SIDE * np.sin(azimuth) * width * wave, deep * np.cos(azimuth) * width * wave
            radius = np.hypot(x, z)
            edge = np.minimum(np.arange(COLUMNS), np.arange(COLUMNS)[::-1])
            shrink = (radius - inner * thick - tuck * np.exp(-edge / 1.2)) / radius
            drop = row / (len(PROFILE) - 1)
            ends = drop**3 * (16 * np.exp(-edge / 1.6) + 2.5 * np.sin(2.9 * np.arange(COLUMNS)))
            layers.append(np.stack([x * shrink, height + ends, z * shrink + AXIS], 1))
            falls.append(np.full(COLUMNS, drop))
    points = np.concatenate(layers) / 1000
    rows, half = len(PROFILE), len(PROFILE) * COLUMNS
    triangles: list[tuple[int, ...]] = []
    for r in range(rows - 1):
        for c in range(COLUMNS - 1):
            a, b, d, e = (k + r * COLUMNS + c for k in (0, 1, COLUMNS, COLUMNS + 1))
            triangles += [(a, d, b), (b, d, e)]
            triangles += [(a + half, b + half, d + half), (b + half, e + half, d + half)]
        for a, flip in ((r * COLUMNS, 1), (r * COLUMNS + COLUMNS - 1, -1)):
            b = a + COLUMNS
            triangles += [t[::flip] for t in ((a, a + half, b), (b, a + half, b + half))]
    for c in range(COLUMNS - 1):
        a = (rows - 1) * COLUMNS + c
        triangles += [(a, a + half, a + 1), (a + 1, a + half, a + 1 + half)]
    origin = (reference - positions)[0]
    return WovenMesh(
        follow(points + origin, guides, reference),
        np.array(triangles),
        fields={"locks": np.ones(len(points)), "fall": np.concatenate(falls)},
    )


def fall(template: np.ndarray, mask: np.ndarray, length: float) -> np.ndarray:
    """Return the shell's vertices of a template (V, 3) at a share of their full length.

    At length 0 they are collapsed inside the skull, where they are not visible.
    """
    shell = template[mask]
    if length == 0:
        return HIDDEN + (shell - shell.mean(axis=0)) * 0.01
    top = shell[:, 1].max()
    below = np.clip(top - 0.05 - shell[:, 1], 0, None)
    shell[:, 1] += below * (1 - length)
    return shell
