"""Hair of the heads: it covers the skull, leaves eyes and mouth free, and has a picture."""

import io

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("scipy")

from recipes.heads.attach.card_layout import lay_out, without_loose
from recipes.heads.attach.fringe import Fringe, without_torn
from recipes.heads.attach.hair_color import Shade, find_cards
from recipes.heads.attach.hair_fit import lift
from recipes.heads.attach.hair_picture import LIMIT, MEAN, hair_picture
from recipes.heads.attach.round_hair import round_off
from recipes.heads.attach.strands import draw_strands
from recipes.heads.makehuman_assets import ProxyMesh

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


def _strip(x, length=0.3, rows=8):
    """A card that hangs down from y = 0, two vertices wide, in a bent sliver of its picture."""
    down = np.linspace(0, 1, rows)
    left = np.stack([np.full(rows, x), -length * down, np.zeros(rows)], 1)
    u = 0.5 + 0.05 * down**2
    uv = np.concatenate([np.stack([u, 1 - down], 1), np.stack([u + 0.02, 1 - down], 1)])
    a = np.arange(rows - 1)
    triangles = np.concatenate(
        [np.stack([a, a + 1, a + rows], 1), np.stack([a + 1, a + rows + 1, a + rows], 1)]
    )
    return np.concatenate([left, left + np.array([0.02, 0, 0])]), ProxyMesh(
        np.arange(2 * rows), uv, triangles
    )


def test_round_hair_gets_rounder_and_its_seams_stay_closed():
    points, triangles = _cap(0.11)
    points = points - CENTRE
    split = np.append(np.arange(len(points)), triangles[0, 0])  # a vertex of two coordinates
    corners = triangles.copy()
    corners[0, 0] = len(points)
    coarse = ProxyMesh(split, np.zeros((len(split), 2)), corners)
    big = 3 * points  # metres: its edges bulge by more than half a millimetre
    moved, fine = round_off(big, coarse)
    assert len(fine.triangles) > len(triangles)
    added = moved[len(big) :]
    ends = np.linalg.norm(big, axis=1)
    chord = ends[0] * np.cos(0.5 * 6 / 39)  # the lowest that the middle of an edge lies
    assert np.linalg.norm(added, axis=1).mean() > chord
    assert np.array_equal(moved[: len(big)], big)
    assert len(np.unique(fine.vertex)) == len(moved)
    assert fine.triangles.max() == len(fine.vertex) - 1 == len(fine.uv) - 1


def test_flat_hair_is_not_divided():
    points, mesh = _strip(0.0)
    moved, same = round_off(points, mesh)
    assert np.array_equal(moved, points)
    assert np.array_equal(same.triangles, mesh.triangles)


def test_a_narrow_card_is_straightened_and_spread_over_the_box():
    _, mesh = _strip(0.0)
    uv = lay_out(mesh, np.zeros(len(mesh.vertex), int), (0.1, 0.3, 0.2, 0.9)).uv
    assert uv[:, 1].min() == pytest.approx(0.2)
    assert uv[:, 1].max() == pytest.approx(0.9)
    left, right = uv[:8, 0], uv[8:, 0]
    assert np.ptp(left) < 0.003
    np.testing.assert_allclose(right - left, 3 * 0.02, atol=1e-6)
    assert uv[:, 0].min() >= 0.1 - 1e-9
    assert uv[:, 0].max() <= 0.3 + 1e-9


def test_cards_that_begin_far_below_the_crown_are_left_out():
    points, mesh = _strip(0.0)
    both = np.concatenate([points, points - [0.1, 0.06, 0]])
    count = len(points)
    two = ProxyMesh(
        np.arange(2 * count),
        np.tile(mesh.uv, (2, 1)),
        np.concatenate([mesh.triangles, mesh.triangles + count]),
    )
    kept = without_loose(two, np.repeat([0, 1], count), both)
    assert np.array_equal(kept.triangles, mesh.triangles)


def test_torn_triangles_are_left_out():
    points, mesh = _strip(0.0)
    pulled = points.copy()
    pulled[7] += [0.2, 0, 0]
    kept = without_torn(mesh, points, pulled).triangles
    assert len(kept) < len(mesh.triangles)
    assert 7 not in kept
    assert len(without_torn(mesh, points, points).triangles) == len(mesh.triangles)


def test_strands_follow_fine_lines_not_the_edge_of_a_highlight():
    rows, _ = np.mgrid[:128, :128]
    random = np.random.default_rng(0)
    lines = np.tile(random.normal(size=128), (128, 1))  # upright
    shine = 6.0 * (np.abs(rows - 64) < 12)  # a bright band across
    strands = draw_strands((lines + shine).astype(np.float32), np.ones((128, 128), bool))
    inner = strands[30:98, 30:98]
    along, across = np.diff(inner, axis=0).std(), np.diff(inner, axis=1).std()
    assert along < 0.5 * across
