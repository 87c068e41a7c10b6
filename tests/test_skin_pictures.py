"""The pictures of skins and eyes that `recipes/heads/skin` paints."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from jambatalk.errors import DataError
from recipes.heads.colors import hex_color
from recipes.heads.ict_facekit import CENTIMETRE, IctFaceKit
from recipes.heads.identity import Identity
from recipes.heads.makehuman_assets import BentBase
from recipes.heads.skin import SkinPainter
from recipes.heads.skin.atlas import SKIN_PARTS, atlas_pixels
from recipes.heads.skin.detail import AGES
from recipes.heads.skin.eye_picture import LIMBUS, eye_picture
from recipes.heads.skin.jpeg import encode_jpeg
from recipes.heads.skin.painter import ALBEDO, DETAIL, EYE, WRINKLES
from tests.local_data import DATA

ICT, MAKEHUMAN = DATA / "ict_facekit", DATA / "makehuman"
needs_assets = pytest.mark.skipif(
    not (ICT.is_dir() and MAKEHUMAN.is_dir()), reason="ICT-FaceKit and MakeHuman are not there"
)
SCALE = 0.5
WOMAN = Identity(
    "anna", "", 24, 0, (0, 0, 1), 1, skins={"young_lightskinned_female_diffuse2": 1.0},
    tone="#dcb291", freckles=0.5, make_up=0.4, iris="blue", hair="bob01",
)  # fmt: skip
MAN = Identity(
    "kofi", "", 71, 1, (1, 0, 0), 2, skins={"young_darkskinned_male_diffuse": 1.0},
    tone="#5f3f2d", spots=0.5, stubble=0.5, iris="brown",
)  # fmt: skip
PEOPLE = (WOMAN, MAN)


@pytest.fixture(scope="module")
def ict():
    return IctFaceKit.read(ICT)


@pytest.fixture(scope="module")
def painter(ict):
    with np.load(ICT / "makehuman_bent.npz") as file:
        bent = file["bent_all"].astype(float) * CENTIMETRE - ict.origin
    return SkinPainter(ict, BentBase(bent, bent), MAKEHUMAN, SCALE)


@pytest.fixture(scope="module")
def albedos(painter):
    return {person.name: painter.albedo(person) for person in PEOPLE}


@needs_assets
def test_the_atlas_holds_every_part_of_the_skin(ict, painter):
    atlas = painter.atlas
    assert atlas.shape == (512, 768)
    shown = np.unique(atlas.triangle)
    assert len(shown) > 0.6 * len(atlas.triangles)  # the others are smaller than a texel
    assert atlas.weights.min() > -1e-6
    np.testing.assert_allclose(atlas.weights.sum(1), 1)
    # neighbours in the picture are neighbours on the head
    right = (np.diff(atlas.columns) == 1) & (np.diff(atlas.rows) == 0)
    steps = np.linalg.norm(np.diff(atlas.points, axis=0), axis=1)[right]
    assert np.median(steps) < 0.001
    assert np.quantile(steps, 0.999) < 0.01


@needs_assets
def test_pictures_have_the_size_of_the_atlas_and_no_black_texel(painter, albedos):
    for person in PEOPLE:
        picture = albedos[person.name]
        assert picture.shape == (512, 768, 3)
        assert picture.dtype == np.uint8
        visible = painter.atlas.inside.copy()
        rows, columns = painter.atlas.rows, painter.atlas.columns
        visible[rows, columns] = (painter.regions.nostrils < 0.1) & (painter.regions.scalp < 0.01)
        assert picture[visible].max(1).min() > 12
    assert painter.detail(AGES[0]).shape == (512, 768, 3)
    assert painter.wrinkles().shape == (512, 768, 3)


@needs_assets
def test_painting_twice_gives_the_same(painter, albedos):
    np.testing.assert_array_equal(painter.albedo(WOMAN), albedos["anna"])
    first, second = (painter.wrinkles() for _ in range(2))
    np.testing.assert_array_equal(first, second)


@needs_assets
def test_skin_has_the_tone_of_its_identity(painter, albedos):
    atlas, regions = painter.atlas, painter.regions
    cheek = regions.near((318, 430), 0.015) > 0.5
    for person in PEOPLE:
        mean = albedos[person.name][atlas.rows, atlas.columns][cheek].mean(0) / 255
        assert np.abs(mean - hex_color(person.tone)).max() < 0.12


@needs_assets
def test_no_seam_shows_where_islands_meet(ict, painter, albedos):
    triangles, uv_triangles = ict.triangles(SKIN_PARTS)
    places = atlas_pixels(ict.uv[uv_triangles]).reshape(-1, 2)
    vertices = triangles.ravel()
    order = np.lexsort((places[:, 1], places[:, 0], vertices))
    vertices, places = vertices[order], places[order]
    seam = (vertices[1:] == vertices[:-1]) & (np.abs(np.diff(places, axis=0)).max(1) > 4)
    first, second = places[:-1][seam], places[1:][seam]
    assert len(first) > 100
    # strands and liner are finer than texels of half the size
    shorn = painter.albedo(replace(WOMAN, hair=None, make_up=0.0))
    for picture in (shorn, albedos["kofi"]):
        colors = [_sample(picture, place * SCALE) for place in (first, second)]
        difference = np.abs(colors[0] - colors[1]).max(1)
        assert np.quantile(difference, 0.97) < 25
        assert np.median(difference) < 6


@needs_assets
def test_lips_are_red_where_the_mesh_has_lips(painter, albedos):
    picture = albedos["anna"].astype(float)
    for border in ((512, 507), (512, 656), (460, 508), (455, 650)):
        toward = 1 if border[1] < 580 else -1
        inside = _sample(picture, np.array([[border[0], border[1] + 14 * toward]]) * SCALE)[0]
        outside = _sample(picture, np.array([[border[0], border[1] - 14 * toward]]) * SCALE)[0]
        assert inside[0] / inside[1] > 1.2 * outside[0] / outside[1]


@needs_assets
def test_light_and_hair_are_not_painted_in(painter, albedos):
    """The sides of the face are equally bright, and the forehead is as bright as the cheek."""
    atlas, regions = painter.atlas, painter.regions
    picture = albedos["kofi"][atlas.rows, atlas.columns].astype(float).mean(1)
    skin = (regions.y < 660) & (regions.y > 130) & (regions.lips < 0.01) & (regions.beard < 0.01)
    skin &= (regions.lid_distance > 0.006) & (regions.nostrils < 0.01)
    left, right = (picture[skin & (np.abs(regions.x - at) < 120)].mean() for at in (300, 724))
    assert abs(left - right) < 0.05 * left
    scalp = picture[regions.scalp > 0.9].mean()  # bald
    assert abs(scalp - picture[skin].mean()) < 0.12 * scalp


@needs_assets
def test_hair_covers_the_scalp_in_its_colour(painter, albedos):
    atlas, regions = painter.atlas, painter.regions
    scalp = albedos["anna"][atlas.rows, atlas.columns][regions.scalp > 0.98].mean(0) / 255
    assert np.abs(scalp - hex_color(WOMAN.hair_color)).max() < 0.12


@needs_assets
def test_relief_is_a_tilt_to_the_right_and_upwards(painter):
    """A hill's right side leans to the right, its upper side upwards."""
    centre = painter.atlas.points[np.argmax(painter.regions.near((512, 130), 0.01))]
    away = painter.atlas.points - centre
    heights = 0.002 * np.exp(-((np.linalg.norm(away, axis=1) / 0.006) ** 2))
    right, up = painter.atlas.slopes(heights)
    around = np.linalg.norm(away, axis=1) < 0.006
    assert np.corrcoef(right[around], away[around, 0])[0, 1] > 0.8
    assert np.corrcoef(up[around], away[around, 1])[0, 1] > 0.8


@needs_assets
def test_relief_grows_with_age_and_spares_the_mouth(painter):
    atlas, regions = painter.atlas, painter.regions
    cheek = regions.near((318, 430), 0.015) > 0.5
    spread = []
    for age in AGES:
        tilts = painter.detail(age)[atlas.rows, atlas.columns, :2].astype(float)
        spread.append(tilts[cheek].std())
        assert np.abs(tilts.mean(0) - 127.5).max() < 2
    assert spread == sorted(spread)
    wrinkles = painter.wrinkles()[atlas.rows, atlas.columns].astype(float)
    forehead = regions.near((512, 113), 0.02) > 0.5
    assert wrinkles[forehead, 1].std() > 4
    assert np.abs(wrinkles[regions.mouth > 0.9, :2] - 127.5).max() < 3


@needs_assets
@pytest.mark.parametrize("iris", ["blue", "brown"])
def test_an_eye_has_pupil_iris_and_sclera_at_their_angles(iris):
    picture = eye_picture(iris, MAKEHUMAN / "eyes" / "materials").astype(float).mean(2)
    assert picture.shape == (512, 512)
    y, x = (np.mgrid[:512, :512] + 0.5) / 256 - 1
    degrees = np.hypot(x, y) * 90
    pupil = picture[degrees < 5].mean()
    disc = picture[(degrees > 12) & (degrees < 0.8 * LIMBUS)].mean()
    white = picture[(degrees > 1.2 * LIMBUS) & (degrees < 35)].mean()
    assert pupil < 12 < 25 < disc < white - 40
    assert white > 180
    assert picture.max() < 240  # no highlight


@needs_assets
def test_materials_name_pictures_that_fit_their_limits(painter):
    materials, pictures = painter.paint(WOMAN)
    assert [material["name"] for material in materials] == ["skin", "mouth", "eyes"]
    named = {material[kind] for material in materials for kind in _kinds(material)}
    assert named == set(pictures)
    limits = {"anna_skin.jpg": ALBEDO, "wrinkles.jpg": WRINKLES, "eye_blue.jpg": EYE}
    for name, data in pictures.items():
        assert len(data) <= limits.get(name, DETAIL)
        assert Image.open(io.BytesIO(data)).format == "JPEG"


@needs_assets
def test_a_missing_picture_is_our_error(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        eye_picture("purple", tmp_path)


def test_jpeg_takes_the_best_quality_that_fits():
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    small, large = encode_jpeg(noise, 3000), encode_jpeg(noise, 100_000)
    assert len(small) <= 3000 < len(large)


def _kinds(material: dict) -> set[str]:
    return {"albedo", "detail", "wrinkles"} & material.keys()


def _sample(picture: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Read a picture at places (n, 2), column and row."""
    column, row = np.floor(places).astype(int).T
    height, width = picture.shape[:2]
    return picture[row.clip(0, height - 1), column.clip(0, width - 1)].astype(float)
