"""Hair of the heads: it covers the skull, leaves eyes and mouth free, and has a picture."""

import io

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("scipy")

from recipes.heads.attach.fringe import Fringe
from recipes.heads.attach.hair_color import Shade, find_cards
from recipes.heads.attach.hair_fit import lift
from recipes.heads.attach.hair_picture import LIMIT, MEAN, hair_picture

RADIUS = 0.1  # metres
CENTRE = np.array([0.0, 0.0, -0.085])


class Ball:
    """A skull that is a ball."""

    def __init__(self):
        rows = np.random.default_rng(0).normal(size=(20000, 3))
        self.normals = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        self.points = RADIUS * self.normals + CENTRE

    def height(self, points):
        away = points - CENTRE
        distance = np.linalg.norm(away, axis=1)
        return distance - RADIUS, away / distance[:, None]


def _cap(radius):
    """A cap of hair over the upper half of a ball."""
    azimuth, polar = np.meshgrid(np.linspace(-3, 3, 40), np.linspace(0.2, 1.6, 20))
    x, z = np.sin(polar) * np.sin(azimuth), np.sin(polar) * np.cos(azimuth)
    points = radius * np.stack([x, np.cos(polar), z], -1).reshape(-1, 3) + CENTRE
    corner = np.arange(19 * 40).reshape(19, 40)[:, :-1].ravel()
    quads = np.stack([corner, corner + 1, corner + 41, corner + 40], 1)
    return points, np.concatenate([quads[:, :3], quads[:, [0, 2, 3]]])


def test_hair_inside_the_skull_is_lifted_and_layers_keep_their_order():
    inner, triangles = _cap(0.095)
    outer, _ = _cap(0.104)
    both = np.concatenate([inner, outer])
    moved = lift(both, np.concatenate([triangles, triangles + len(inner)]), Ball())
    height, _ = Ball().height(moved)
    assert height.min() > 0.002
    assert (height[len(inner) :] > height[: len(inner)]).mean() > 0.99
    assert np.abs(moved - both).max() < 0.03


def test_hair_far_from_the_skull_stays():
    points, triangles = _cap(0.13)
    assert np.array_equal(lift(points, triangles, Ball()), points)


@pytest.mark.parametrize("raised", [False, True])
def test_a_fringe_leaves_the_eye_free(raised):
    x, y = np.meshgrid(np.linspace(-0.09, 0.0, 30), np.linspace(-0.03, 0.09, 30))
    hair = np.column_stack([x.ravel(), y.ravel(), np.full(x.size, 0.03)])
    fringe = Fringe(raised=raised)
    moved = fringe.move(hair, Ball())
    angle = -np.degrees(np.arctan2(moved[:, 0], moved[:, 2] - CENTRE[2]))
    before_eye = (moved[:, 1] < fringe.brow - 0.004) & (np.abs(angle) < fringe.free - 6)
    assert not before_eye.any()
    top = hair[:, 1] > fringe.top
    assert np.array_equal(moved[top], hair[top])


def test_cards_are_connected_parts_of_the_file():
    triangles = np.array([[0, 1, 2], [2, 1, 3], [4, 5, 6]])
    cards = find_cards(np.array([0, 1, 2, 3, 4, 5, 6]), triangles)
    assert cards.tolist() == [0, 0, 0, 0, 1, 1, 1]


def test_hair_keeps_light_from_what_lies_below_it():
    points, triangles = _cap(0.11)
    outward = np.array([[0.0, 0.7, 0.7], [0.0, -1.0, 0.0]])
    light = Shade(points, triangles).light(RADIUS * outward + CENTRE, outward)
    assert light[0] < 0.6 < light[1]


def test_the_picture_has_luminance_and_alpha(tmp_path):
    random = np.random.default_rng(1)
    pixels = np.zeros((256, 256, 4), np.uint8)
    pixels[20:230, 60:200, :3] = random.integers(20, 90, (1, 140, 1))
    pixels[20:230, 60:200, 3] = 255
    path = tmp_path / "diffuse.png"
    Image.fromarray(pixels).save(path)
    data = hair_picture(path.with_suffix(""))
    picture = Image.open(io.BytesIO(data))
    assert picture.mode == "LA"
    assert picture.size == (1024, 1024)
    assert len(data) <= LIMIT
    luminance, alpha = (np.asarray(band) / 255 for band in picture.split())
    assert luminance[alpha > 0.5].mean() == pytest.approx(MEAN, abs=0.03)
    assert alpha[:60].max() == 0
