"""Lights: the lamps around a head and the light of its surroundings, fixed to the camera."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

TO_CAMERA = np.array([0.0, 0.0, 1.0])
DECIMALS = 3  # of directions


@dataclass(frozen=True)
class Light:
    """A light, as `shaders/lighting.glsl` takes it; colours are linear RGB, and as bright as lit.

    Attributes:
        title: for people.
        key: azimuth and elevation of the key light, degrees: 0, 0 is the camera's own direction,
            positive azimuth its right.
        key_color: of the key light.
        rim: azimuth and elevation of the light from behind.
        rim_color: of it.
        surroundings: by which the light from all around is multiplied, see
            `shaders/surroundings.glsl`.
    """

    title: str
    key: tuple[float, float]
    key_color: tuple[float, float, float]
    rim: tuple[float, float]
    rim_color: tuple[float, float, float]
    surroundings: tuple[float, float, float]

    @cached_property
    def uniforms(self) -> dict[str, np.ndarray]:
        """The shaders' uniforms, (3,) float32 each; directions are right, up, to the camera."""
        key = _direction(*self.key)
        values = {
            "key_light": key,
            "key_half": _unit(key + TO_CAMERA),
            "key_across": _unit(np.array([key[2], 0.0, -key[0]])),
            "key_color": np.array(self.key_color),
            "rim_light": _direction(*self.rim),
            "rim_color": np.array(self.rim_color),
            "surroundings_color": np.array(self.surroundings),
        }
        return {name: value.astype(np.float32) for name, value in values.items()}


def _direction(azimuth: float, elevation: float) -> np.ndarray:
    """Return the unit vector (3,) of angles in degrees."""
    across, up = np.radians([azimuth, elevation])
    level = np.cos(up)
    return np.round([np.sin(across) * level, np.sin(up), np.cos(across) * level], DECIMALS)


def _unit(vector: np.ndarray) -> np.ndarray:
    return np.round(vector / np.linalg.norm(vector), DECIMALS)


def _shade(brightness: float, *color: float) -> tuple[float, float, float]:
    """Return a colour of this brightness, computed as the shaders' arithmetic does."""
    red, green, blue = (float(np.float32(brightness) * np.float32(part)) for part in color)
    return red, green, blue


LIGHTS = {
    "studio": Light(
        "Studio",
        key=(-33, 22),
        key_color=_shade(1.42, 1.00, 0.96, 0.91),
        rim=(165, 30),
        rim_color=_shade(1.10, 0.92, 0.96, 1.00),
        surroundings=_shade(0.29, 1, 1, 1),
    ),
    "soft": Light(
        "Soft",
        key=(-12, 30),
        key_color=_shade(0.45, 1.00, 0.98, 0.96),
        rim=(165, 30),
        rim_color=_shade(0.60, 1.00, 1.00, 1.00),
        surroundings=_shade(0.70, 1.00, 1.00, 1.02),
    ),
    "side": Light(
        "Side",
        key=(-66, 16),
        key_color=_shade(2.10, 1.00, 0.95, 0.88),
        rim=(165, 30),
        rim_color=_shade(0.60, 0.85, 0.93, 1.00),
        surroundings=_shade(0.13, 0.90, 0.97, 1.10),
    ),
    "evening": Light(
        "Warm evening",
        key=(48, 10),
        key_color=_shade(1.75, 1.00, 0.72, 0.42),
        rim=(-155, 22),
        rim_color=_shade(1.20, 1.00, 0.70, 0.45),
        surroundings=_shade(0.22, 0.92, 0.88, 1.10),
    ),
    "cool": Light(
        "Cool",
        key=(-30, 32),
        key_color=_shade(1.30, 0.82, 0.95, 1.12),
        rim=(160, 30),
        rim_color=_shade(1.40, 0.75, 0.90, 1.20),
        surroundings=_shade(0.27, 0.82, 0.98, 1.22),
    ),
}
STUDIO = next(iter(LIGHTS))  # the light of a view that names none
