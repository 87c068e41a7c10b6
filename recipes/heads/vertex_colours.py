"""Vertex colours of skin, lips, eyes, brows, hair and teeth."""

from __future__ import annotations

import numpy as np

from recipes.heads.anatomy import Anatomy
from recipes.heads.identities import Identity
from recipes.heads.scalp_hair import scalp

MOUTH, GUMS, TONGUE, TEETH = "#5a2320", "#a5605a", "#a85f58", "#e9e0cd"
SCLERA, LASHES, PUPIL = "#e6e0da", "#1d1410", "#070606"
CREASE = np.array([0.75, 1.0, 1.1])  # occluded skin loses blue first: it scatters red light


def paint(anatomy: Anatomy, identity: Identity) -> np.ndarray:
    """Paint the vertices of one identity: (V, 3) uint8 sRGB."""
    fields = anatomy.mesh.fields
    colors = _skin(anatomy, identity)
    colors = _mouth(colors, anatomy, identity)
    colors = mix(colors, rgb(LASHES), 0.85 * fields["lashes"])
    colors = mix(colors, rgb(SCLERA), fields["eyes"])
    iris = rgb(identity.iris) * (0.8 + 0.5 * fields["fibre"][:, None])
    iris = mix(iris, rgb(identity.iris) * 0.35, step(fields["gaze"], 0.40, 0.5))
    colors = mix(colors, iris, fields["iris"])
    colors = mix(colors, rgb(PUPIL), fields["pupil"])
    hidden = np.clip(fields["open"], 0.03, 1)[:, None] ** (0.55 * CREASE)
    colors = np.where(fields["inside-mouth"][:, None] > 0.5, colors, colors * hidden)
    return np.clip(np.round(colors), 0, 255).astype(np.uint8)


def _skin(anatomy: Anatomy, identity: Identity) -> np.ndarray:
    """Paint skin with warmer cheeks, nose and ears, stubble, brows and hair."""
    fields, positions = anatomy.mesh.fields, anatomy.positions
    skin = rgb(identity.skin)
    landmark = {name: positions[index] for name, index in anatomy.landmarks.items()}
    nose, mouth = landmark["nose_tip"][0], landmark["mouth_corners"].mean(axis=0)
    colors = np.tile(skin, (len(positions), 1))
    flush = 0.8 * near(positions, nose, 0.016) + 0.6 * fields["ears"]
    for side in (-1, 1):
        cheek = np.array([side * 0.040, (nose[1] + mouth[1]) / 2 + 0.014, nose[2] - 0.030])
        flush = flush + near(positions, cheek, 0.022)
    colors = mix(colors, skin * [1.0, 0.80, 0.78], 0.32 * flush * fields["skin"])
    if identity.beard:
        dark = skin * 0.30 + rgb(identity.brows) * 0.65
        colors = mix(colors, dark, identity.beard * _jaw(positions, landmark) * fields["skin"])
    colors = mix(colors, rgb(identity.brows), 0.9 * fields["brow"] * fields["skin"])
    if identity.hair:
        cover, grain = scalp(anatomy, identity.hair, identity.seed)
        strands = rgb(identity.hair.color) * (
            1 + (0.10 + 0.15 * identity.hair.curl) * grain[:, None]
        )
        colors = mix(colors, strands, cover)
    return mix(colors, skin * 0.45, fields["cap"])


def _jaw(positions: np.ndarray, landmark: dict[str, np.ndarray]) -> np.ndarray:
    """Return where a beard grows, 0 to 1: upper lip, chin and jaw, up to the sideburns: (V,)."""
    aside, y, z = np.abs(positions[:, 0]), positions[:, 1], positions[:, 2]
    nose, mouth = landmark["nose_tip"][0, 1], landmark["mouth_corners"][:, 1].mean()
    line = np.interp(
        aside,
        (0, 0.016, 0.030, 0.042, 0.056, 0.066, 0.074),
        (nose - 0.009, nose - 0.011, mouth + 0.004, mouth - 0.004, mouth + 0.012, -0.03, 0.0),
    )
    low = landmark["chin"][0, 1] - 0.018
    return (
        step(y, line + 0.004, line - 0.006)
        * step(y, low - 0.014 - 0.35 * z, low - 0.35 * z + 0.004)
        * step(z, -0.062, -0.05)
    )


def _mouth(colors: np.ndarray, anatomy: Anatomy, identity: Identity) -> np.ndarray:
    """Paint lips and the inside of the mouth, darker with depth."""
    fields, positions = anatomy.mesh.fields, anatomy.positions
    front = positions[anatomy.landmarks["inner_lip_upper"], 2].max()
    deep = step(front - positions[:, 2], 0.0, 0.045)
    shadow = (1 - 0.7 * deep)[:, None]
    colors = mix(colors, rgb(MOUTH) * shadow**1.4, fields["inside-mouth"])
    colors = mix(colors, rgb(identity.lips), 0.9 * step(fields["lips"], 0.2, 0.75))
    colors = mix(
        colors, rgb(TONGUE) * (1 - 0.85 * step(fields["root"], 0.1, 0.7))[:, None], fields["tongue"]
    )
    colors = mix(colors, rgb(GUMS) * shadow, fields["gums"])
    shadow = (1 - 0.82 * step(fields["depth"], -0.1, 0.45))[:, None]
    for name in ("teeth_upper", "teeth_lower"):
        colors = mix(colors, rgb(TEETH) * shadow ** [0.9, 1.0, 1.15], fields[name])
    return colors


def rgb(color: str) -> np.ndarray:
    """Parse "#rrggbb": (3,) in 0..255."""
    return np.array([int(color[k : k + 2], 16) for k in (1, 3, 5)], np.float64)


def near(positions: np.ndarray, centre: np.ndarray, radius: float) -> np.ndarray:
    """Return a Gaussian around a point, radius in metres: (V,), 1 at the point."""
    return np.exp(-0.5 * (np.linalg.norm(positions - centre, axis=1) / radius) ** 2)


def step(values: np.ndarray, start: float, end: float) -> np.ndarray:
    """Interpolate smoothly from 0 at start to 1 at end; start may be larger than end."""
    t = np.clip((values - start) / (end - start), 0, 1)
    return t * t * (3 - 2 * t)


def mix(colors: np.ndarray, other: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Blend colours (V, 3) towards another by `amount` (V,)."""
    return colors + (other - colors) * np.clip(amount, 0, 1)[:, None]
