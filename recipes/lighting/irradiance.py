"""Reduce a panorama of light to the nine numbers a colour by which the shaders light a head.

    npm pack @pmndrs/assets@1.7.0 && tar xzf pmndrs-assets-1.7.0.tgz
    pip install OpenEXR
    python -m recipes.lighting.irradiance package/hdri/workshop.exr.js --turn -90

prints `jambatalk/render/shaders/surroundings.glsl`. `@pmndrs/assets` is CC0-1.0; its panoramas are
Poly Haven's (CC0), reduced to 512 x 256.

Irradiance by spherical harmonics: Ramamoorthi and Hanrahan, "An Efficient Representation for
Irradiance Environment Maps", SIGGRAPH 2001.
"""

from __future__ import annotations

import argparse
import base64
import tempfile
from pathlib import Path

import numpy as np

# Of a clamped cosine: bands 0, 1 and 2, divided by pi, so that even light 1 gives 1.
COSINE = np.array([1.0, *[2 / 3] * 3, *[1 / 4] * 5])
BRIGHTEST = 6.0  # times the mean: lamps and the sun are the key light's part


def read_panorama(path: Path) -> np.ndarray:
    """Read an equirectangular panorama, (H, W, 3) linear RGB, from a module of `@pmndrs/assets`."""
    import OpenEXR

    text = path.read_text("ascii")
    packed = text[text.index("base64,") + len("base64,") : text.rindex("'")]
    with tempfile.NamedTemporaryFile(suffix=".exr") as file:
        file.write(base64.b64decode(packed))
        file.flush()
        channels = OpenEXR.File(file.name).channels()
    if "RGB" in channels:
        return channels["RGB"].pixels.astype(np.float64)
    return np.stack([channels[name].pixels for name in "RGB"], axis=-1).astype(np.float64)


def basis(directions: np.ndarray) -> np.ndarray:
    """Evaluate the nine real spherical harmonics of unit `directions` (..., 3): (..., 9)."""
    x, y, z = np.moveaxis(directions, -1, 0)
    return np.stack(
        [
            np.full(x.shape, 0.282095),
            0.488603 * y,
            0.488603 * z,
            0.488603 * x,
            1.092548 * x * y,
            1.092548 * y * z,
            0.315392 * (3 * z * z - 1),
            1.092548 * x * z,
            0.546274 * (x * x - y * y),
        ],
        axis=-1,
    )


def irradiance(panorama: np.ndarray, turn: float, balance: float) -> np.ndarray:
    """Compute the coefficients (9, 3) of the light a surface receives, by its normal.

    The middle of the panorama lies behind the camera, that is, in front of the face.

    Args:
        turn: degrees by which the panorama is turned to the camera's right.
        balance: 0 to keep the colour of its mean, 1 to make it grey.
    """
    height, width = panorama.shape[:2]
    polar = (np.arange(height) + 0.5) / height * np.pi
    azimuth = (np.arange(width) + 0.5) / width * 2 * np.pi - np.pi + np.radians(turn)
    sine = np.sin(polar)[:, None]
    directions = np.stack(
        [
            sine * np.sin(azimuth),
            np.broadcast_to(np.cos(polar)[:, None], (height, width)),
            sine * np.cos(azimuth),
        ],
        axis=-1,
    )
    area = np.broadcast_to(sine, (height, width))
    area = area / area.sum() * 4 * np.pi
    mean = np.einsum("hwc,hw->c", panorama, area).mean() / (4 * np.pi)
    light = np.minimum(panorama / mean, BRIGHTEST)
    color = np.einsum("hwc,hw->c", light, area) / (4 * np.pi)
    light = light / (color.mean() ** (1 - balance) * color**balance)
    values = np.einsum("hwk,hwc,hw->kc", basis(directions), light, area)
    return values * COSINE[:, None]


def to_glsl(coefficients: np.ndarray, source: str) -> str:
    """Write the shader file: an array of the polynomial's coefficients, (9, 3)."""
    scale = np.array([0.282095, *[0.488603] * 3, *[1.092548] * 2, 0.315392, 1.092548, 0.546274])
    rows = [", ".join(f"{value:.3f}" for value in row) for row in coefficients * scale[:, None]]
    lines = ",\n    ".join(f"vec3({row})" for row in rows)
    return (
        f"// Light of the surroundings, mean 1, as nine spherical harmonics: made from\n"
        f"// {source} by recipes/lighting.\n"
        f"const vec3 SURROUNDINGS[9] = vec3[9](\n    {lines}\n);\n"
    )


def main() -> None:
    """Print the shader file of a panorama."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("panorama", type=Path, help="a .exr.js of @pmndrs/assets")
    parser.add_argument("--turn", type=float, default=0.0, help="degrees to the camera's right")
    parser.add_argument("--balance", type=float, default=0.8, help="0 as it is, 1 grey")
    options = parser.parse_args()
    source = f"'{options.panorama.name.split('.')[0]}' of npm's @pmndrs/assets 1.7.0 (CC0)"
    coefficients = irradiance(read_panorama(options.panorama), options.turn, options.balance)
    print(to_glsl(coefficients, source), end="")


if __name__ == "__main__":
    main()
