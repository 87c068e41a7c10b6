"""The light of the surroundings, reduced from a panorama."""

import numpy as np
import pytest

from jambatalk.render.program import source
from jambatalk.render.shader_text import SHADERS
from recipes.lighting.irradiance import basis, irradiance, to_glsl


def received(coefficients: np.ndarray, *direction: float) -> np.ndarray:
    return basis(np.array(direction)) @ coefficients


def test_even_light_is_received_alike_from_everywhere():
    coefficients = irradiance(np.full((64, 128, 3), 7.0), turn=0, balance=0)
    for direction in ((1, 0, 0), (0, -1, 0), (0, 0.6, -0.8)):
        assert received(coefficients, *direction) == pytest.approx([1, 1, 1], abs=1e-3)


def test_light_comes_from_where_the_panorama_is_turned_to():
    panorama = np.zeros((64, 128, 3)) + 0.1
    panorama[24:40, 60:68] = 1.0  # its middle
    front = irradiance(panorama, turn=0, balance=0)
    assert received(front, 0, 0, 1)[0] > 1.3 > received(front, 0, 0, -1)[0]
    right = irradiance(panorama, turn=90, balance=0)
    assert received(right, 1, 0, 0)[0] == pytest.approx(received(front, 0, 0, 1)[0], rel=0.01)
    above = np.roll(panorama, -20, axis=0)
    upper = irradiance(above, turn=0, balance=0)
    assert received(upper, 0, 1, 0)[0] > received(upper, 0, -1, 0)[0]


def test_balance_takes_the_color_of_the_mean_away():
    panorama = np.ones((32, 64, 3)) * [0.9, 0.6, 0.3]
    grey = irradiance(panorama, turn=0, balance=1)
    assert received(grey, 0, 0, 1) == pytest.approx([1, 1, 1], abs=1e-3)
    warm = irradiance(panorama, turn=0, balance=0)
    assert received(warm, 0, 0, 1) == pytest.approx([1.5, 1.0, 0.5], abs=1e-3)


def test_shaders_include_the_light():
    text = to_glsl(np.ones((9, 3)), "a panorama")
    committed = (SHADERS / "surroundings.glsl").read_text("utf-8")
    assert [line.split("(")[0] for line in text.splitlines()[2:]] == [
        line.split("(")[0] for line in committed.splitlines()[2:]
    ]
    for shader in ("mesh.vert", "mesh.frag"):
        whole = source(shader, ["SKIN"])
        assert committed in whole
        assert whole.startswith("#version 330 core\n#define SKIN\n")
        assert "#include" not in whole
