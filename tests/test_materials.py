"""How materials are drawn: pictures, fine structure, what is cut out, and light in the mouth."""

import io
import itertools
from dataclasses import replace

import numpy as np
import pytest
import trimesh
from PIL import Image

from jambatalk.errors import RenderError
from jambatalk.face.face import Face
from jambatalk.face.material import KINDS, Material
from jambatalk.face.mouth_opening import MouthOpening
from jambatalk.face.normals import SmoothNormals
from jambatalk.render.batches import batches
from jambatalk.render.cutout import opaque_and_soft
from jambatalk.render.frames import draw_frames
from jambatalk.render.view import SHADINGS, View

SIZE = 96
GREEN = "#00ff00"


def picture(pixels: np.ndarray) -> bytes:
    """Encode an array from 0 to 1, the first row at the top."""
    file = io.BytesIO()
    Image.fromarray((np.asarray(pixels) * 255).round().astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def even(*color: float) -> bytes:
    return picture(np.tile(np.array(color), (16, 16, 1)))


def wall(material: Material, side: int = 24, depth: float = 0.0) -> Face:
    """Return a square of 20 cm that faces the camera, its picture upright on it."""
    steps = np.linspace(-1, 1, side)
    x, y = (axis.ravel() for axis in np.meshgrid(steps, steps))
    first = np.arange(side * side).reshape(side, side)
    a, b, c, d = first[:-1, :-1], first[:-1, 1:], first[1:, 1:], first[1:, :-1]
    triangles = np.stack([np.stack([a, b, c], -1), np.stack([a, c, d], -1)]).reshape(-1, 3)
    count = len(x)
    return Face(
        name="wall",
        template=np.stack([0.1 * x, 0.1 * y, np.full(count, depth)], 1).astype(np.float32),
        triangles=triangles.astype(np.int32),
        colors=np.full((count, 3), 255, np.uint8),
        gloss=np.full(count, 0.3, np.float32),
        blendshapes=(),
        deltas=np.zeros((0, count, 3), np.float32),
        regions={},
        landmarks={},
        materials=(material,),
        material_index=np.zeros(len(triangles), np.uint8),
        uv=np.stack([0.5 + 0.5 * x, 0.5 + 0.5 * y], 1).astype(np.float32),
    )


def draw(face: Face, vertices: np.ndarray | None = None, **view: object) -> np.ndarray:
    """Draw a frame: (SIZE, SIZE, 3) integers."""
    frame = face.template if vertices is None else vertices
    (drawn,) = draw_frames(face, [frame], View(size=SIZE, background=GREEN, **view))
    return drawn.astype(int)


def inner(frame: np.ndarray) -> np.ndarray:
    """Return the middle of a picture, where nothing but the wall is seen."""
    return frame[20:60, 28:68]


@pytest.mark.parametrize("shading", ["skin", "plain"])
def test_picture_lies_upright_on_its_coordinates(shading):
    pixels = np.zeros((32, 32, 3)) + 0.2
    pixels[:16, :, 0] = 0.9  # red at the top
    pixels[:, 16:, 2] = 0.9  # blue where u is high: on the head's left, the picture's right
    frame = draw(wall(Material("skin", albedo=picture(pixels))), shading=shading)
    top, bottom = frame[20:30].mean(0), frame[50:60].mean(0)
    assert top[30:40, 0].mean() > bottom[30:40, 0].mean() + 60
    assert top[56:66, 2].mean() > top[30:40, 2].mean() + 60
    assert abs(bottom[30:40, 0].mean() - bottom[56:66, 0].mean()) < 25


def test_vertex_colors_tint_the_picture():
    face = wall(Material("skin", albedo=even(0.8, 0.8, 0.8)))
    red = draw(replace(face, colors=np.tile(np.uint8([255, 40, 40]), (len(face.template), 1))))
    assert inner(red)[..., 0].mean() > inner(red)[..., 1].mean() + 60


def test_detail_tilts_the_light():
    def brightness(right: float, up: float) -> float:
        tilted = even(0.5 + 0.5 * right, 0.5 + 0.5 * up, 1.0)
        skin = Material("skin", albedo=even(0.6, 0.5, 0.4), detail=tilted)
        return float(inner(draw(wall(skin))).mean())

    # The key light comes from above and the camera's left.
    assert brightness(-0.5, 0.0) > brightness(0.0, 0.0) + 3 > brightness(0.5, 0.0) + 6
    assert brightness(0.0, 0.4) > brightness(0.0, -0.4) + 6


def test_cavities_are_darker():
    light, dark = (
        Material("skin", albedo=even(0.6, 0.5, 0.4), detail=even(0.5, 0.5, cavity))
        for cavity in (1.0, 0.3)
    )
    assert inner(draw(wall(light))).mean() > inner(draw(wall(dark))).mean() + 10


def test_wrinkles_appear_where_skin_is_compressed():
    flat, folded = even(0.5, 0.5, 1.0), even(0.9, 0.5, 1.0)
    smooth = wall(Material("skin", albedo=even(0.6, 0.5, 0.4), detail=flat))
    wrinkled = wall(Material("skin", albedo=even(0.6, 0.5, 0.4), detail=flat, wrinkles=folded))
    squeezed = smooth.template * np.float32([1.0, 0.7, 1.0])
    stretched = smooth.template * np.float32([1.0, 1.3, 1.0])
    for vertices, differs in ((smooth.template, False), (stretched, False), (squeezed, True)):
        change = np.abs(inner(draw(smooth, vertices) - draw(wrinkled, vertices)))
        assert (change.mean() > 4) == differs, change.mean()


def test_hair_is_cut_out_with_soft_edges():
    pixels = np.full((64, 64, 4), 0.4)
    pixels[..., 3] = np.linspace(-0.5, 1.5, 64).clip(0, 1)  # strands on the right
    hair = wall(Material("hair", "hair", picture(pixels), cutout=0.3, two_sided=True))
    for shading, shades in (("skin", 6), ("plain", 2)):
        frame = draw(hair, shading=shading)
        assert (frame[30:50, 20:30] == (0, 255, 0)).all(), "nothing on the left"
        assert (frame[30:50, 60:72, 1] < 200).all(), "hair on the right"
        row = frame[40, 20:72, 1]
        between = ((row < 245) & (row > row.min() + 30)).sum()
        assert between >= shades if shading == "skin" else between <= shades


def test_single_strands_are_drawn_once():
    strand = np.full((64, 64, 4), 0.4)
    strand[..., 3] = np.arange(64) % 4 > 1  # in every triangle
    tress = strand.copy()
    tress[:, :32, 3] = 1
    drawn = [
        [
            batch.blended
            for batch in batches(
                wall(Material("hair", "hair", picture(pixels), cutout=0.3, two_sided=True)),
                View(),
                np.array([0, 0, 1]),
            )[1]
        ]
        for pixels in (strand, tress)
    ]
    assert drawn == [[True], [False, False]]  # of the tress, what is opaque comes first


def test_soft_edges_lie_over_what_is_behind():
    behind = wall(Material("skin", albedo=even(0.9, 0.2, 0.2)))
    half = wall(
        Material("hair", "hair", even(0.1, 0.1, 0.1, 0.3), cutout=0.1, two_sided=True), depth=0.02
    )
    joined = replace(
        behind,
        materials=behind.materials + half.materials,
        material_index=np.repeat(np.uint8([0, 1]), len(behind.triangles)),
        triangles=np.concatenate([behind.triangles, half.triangles + len(behind.template)]),
        **{
            name: np.concatenate([getattr(behind, name), getattr(half, name)])
            for name in ("template", "colors", "gloss", "uv")
        },
        deltas=np.zeros((0, 2 * len(behind.template), 3), np.float32),
    )
    below, through = inner(draw(behind))[..., 0].mean(), inner(draw(joined))[..., 0].mean()
    assert 0.4 * below < through < 0.8 * below


def test_two_sided_materials_show_their_backs():
    for two_sided in (True, False):
        face = wall(Material("cloth", "cloth", two_sided=two_sided))
        turned = face.template * np.float32([-1, 1, 1])
        seen = (inner(draw(face, turned)) != (0, 255, 0)).any()
        assert seen == two_sided


def test_only_triangles_with_soft_edges_are_blended():
    alpha = np.zeros((32, 32), np.float32)
    alpha[:, 16:] = 1.0
    alpha[16:, 14:18] = 0.4
    corners = [
        [(0.1, 0.6), (0.4, 0.6), (0.2, 0.9)],
        [(0.6, 0.6), (0.9, 0.6), (0.7, 0.9)],
        [(0.2, 0.1), (0.8, 0.1), (0.5, 0.4)],
    ]
    whole, opaque, soft = opaque_and_soft(np.array(corners, np.float32), alpha)
    assert whole.tolist() == [False, True, False]
    assert opaque.tolist() == [False, True, True]
    assert soft.tolist() == [False, False, True]


def test_light_falls_into_an_open_mouth():
    face = wall(Material("mouth", "mouth"), depth=-0.02)
    lips = np.float32([(x, 0, 0) for x in (-0.02, 0, 0.02)] * 2 + [(-0.03, 0, 0), (0.03, 0, 0)])
    count = len(face.template)
    index = np.arange(count, count + len(lips))
    mouth = replace(
        face,
        template=np.concatenate([face.template, lips]),
        colors=np.concatenate([face.colors, np.full((len(lips), 3), 255, np.uint8)]),
        gloss=np.concatenate([face.gloss, np.zeros(len(lips), np.float32)]),
        uv=np.concatenate([face.uv, np.zeros((len(lips), 2), np.float32)]),
        deltas=np.zeros((0, count + len(lips), 3), np.float32),
        landmarks={
            "inner_lip_upper": index[:3],
            "inner_lip_lower": index[3:6],
            "mouth_corners": index[6:],
        },
    )

    def brightness(aperture: float) -> float:
        vertices = mouth.template.copy()
        vertices[index[:3], 1] += aperture
        return float(inner(draw(mouth, vertices)).mean())

    shut, narrow, wide = (brightness(aperture) for aperture in (0.0, 0.004, 0.02))
    assert shut < 10
    assert shut + 20 < narrow < wide - 20


def test_mouth_opening_is_measured_on_the_lips():
    face = wall(Material("mouth", "mouth"))
    unknown, outward = MouthOpening(face)(face.template)
    assert unknown[3] > 1e3, "without landmarks nothing is in the dark"
    assert outward.tolist() == [0, 0, 1]
    vertices = np.float32([(-1, 1, 0), (0, 1, 0), (1, 1, 0), (-1, -1, 0), (0, -1, 0), (1, -1, 0)])
    vertices = np.concatenate(
        [vertices, np.float32([(-2, 0, 0), (2, 0, 0), (0, 3, 1), (0, -3, 1)])]
    )
    names = {
        "inner_lip_upper": np.arange(3),
        "inner_lip_lower": np.arange(3, 6),
        "mouth_corners": np.arange(6, 8),
        "nose_tip": np.array([8]),
        "chin": np.array([9]),
    }
    opening, outward = MouthOpening(replace(face, landmarks=names))(vertices)
    assert opening == pytest.approx([0, 0, 0, 2 * 4 / 4])  # height times width over four
    assert outward == pytest.approx([0, 0, 1])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_drawn_with_and_without_pictures(kind):
    color, flat = even(0.6, 0.5, 0.4, 1.0), even(0.5, 0.5, 1.0)
    for pictured, shading in itertools.product((False, True), SHADINGS):
        given = {"albedo": color} if pictured else {}
        given |= {"detail": flat} if pictured and kind in ("skin", "mouth") else {}
        cutout = 0.3 if kind == "hair" else 0.0
        frame = draw(wall(Material("any", kind, cutout=cutout, **given)), shading=shading)
        assert (inner(frame) != (0, 255, 0)).any(-1).all()


def test_damaged_picture_is_reported():
    with pytest.raises(RenderError, match="picture"):
        draw(wall(Material("skin", albedo=b"\x89PNG no")))


def test_welded_vertices_have_one_normal():
    mesh = trimesh.creation.icosphere(2, 0.1)
    whole = SmoothNormals(mesh.faces, len(mesh.vertices))(mesh.vertices.astype(np.float32))
    split = mesh.faces.ravel()  # each triangle with vertices of its own
    _, first = np.unique(split, return_index=True)
    normals = SmoothNormals(np.arange(len(split)).reshape(-1, 3), len(split), first[split])
    vertices = mesh.vertices[split].astype(np.float32)
    np.testing.assert_allclose(normals(vertices), whole[split], atol=1e-5)
    _, areas = normals.with_areas(vertices)
    _, doubled = normals.with_areas(2 * vertices)
    np.testing.assert_allclose(doubled, 4 * areas, rtol=1e-4)
