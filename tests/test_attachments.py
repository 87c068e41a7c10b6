"""Attachments: meshes that follow the vertices of the face that they are worn on."""

import io
from dataclasses import replace

import numpy as np
import pytest

from jambatalk.face.attachments import Attachments, attach
from jambatalk.face.face import Face
from jambatalk.face.material import Material


@pytest.fixture
def square():
    """A face of two triangles whose first corner is lifted by one blendshape."""
    deltas = np.zeros((1, 4, 3), np.float32)
    deltas[0, 0, 1] = 0.01
    return Face(
        name="square",
        template=np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32),
        triangles=np.array([[0, 1, 2], [0, 2, 3]], np.int32),
        colors=np.full((4, 3), 200, np.uint8),
        gloss=np.zeros(4, np.float32),
        blendshapes=("jawOpen",),
        deltas=deltas,
        regions={"skin": np.arange(4)},
        landmarks={},
        materials=(Material("skin"), Material("hair", "hair", two_sided=True)),
        material_index=np.zeros(2, np.uint8),
        uv=np.zeros((4, 2), np.float32),
        occlusion=np.ones(4, np.float32),
        weld=np.arange(4, dtype=np.int32),
    )


@pytest.fixture
def card():
    """A triangle: its first vertex follows corner 0, its second half of it, its third nothing."""
    return Attachments(
        template=np.array([[0, 0, 1], [1, 0, 1], [0, 1, 1]], np.float32),
        triangles=np.array([[0, 1, 2]], np.int32),
        material_index=np.array([1], np.uint8),
        uv=np.full((3, 2), 0.5, np.float32),
        colors=np.full((3, 3), 40, np.uint8),
        gloss=np.full(3, 0.5, np.float16),
        occlusion=np.full(3, 0.25, np.float16),
        anchors=np.array([[0, 1, 2], [0, 1, 2], [0, 0, 0]], np.int32),
        shares=np.array([[1, 0, 0], [0.5, 0.5, 0], [0, 0, 0]], np.float16),
        part=np.array([0, 0, 1], np.uint8),
        parts=np.array(["brows", "hair"]),
    )


def worn(face, attached):
    return Face.from_arrays(face.to_arrays() | attach(face, attached))


def test_attached_vertices_follow_their_anchors(square, card):
    face = worn(square, card)
    moved = face.vertices(np.ones(1, np.float32)) - face.template
    np.testing.assert_allclose(moved[4:, 1], [0.01, 0.005, 0], atol=1e-6)
    np.testing.assert_array_equal(moved[:4], square.deltas[0])


def test_shares_may_be_negative_so_that_hair_turns_with_the_skin(square, card):
    beyond = replace(card, shares=np.array([[2, -1, 0]] * 3, np.float16))
    assert worn(square, beyond).deltas[0, 4, 1] == pytest.approx(0.02)


def test_attached_mesh_lies_behind_that_of_the_face(square, card):
    face = worn(square, card)
    np.testing.assert_array_equal(face.triangles, [[0, 1, 2], [0, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(face.material_index, [0, 0, 1])
    np.testing.assert_array_equal(face.regions["brows"], [4, 5])
    np.testing.assert_array_equal(face.regions["hair"], [6])
    np.testing.assert_array_equal(face.regions["skin"], square.regions["skin"])
    np.testing.assert_allclose(face.occlusion, [1] * 4 + [0.25] * 3)
    lengths = {len(getattr(face, name)) for name in ("uv", "colors", "gloss", "weld", "occlusion")}
    assert lengths == {7}


def test_vertices_at_one_point_are_welded(square, card):
    split = replace(card, template=np.array([[0, 0, 1], [1, 0, 1], [0, 0, 1]], np.float32))
    np.testing.assert_array_equal(worn(square, split).weld, [0, 1, 2, 3, 4, 5, 4])


def test_arrays_are_those_that_were_written(card):
    file = io.BytesIO()
    np.savez_compressed(file, **card.to_arrays())
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        read = Attachments.from_arrays(arrays)
        for name, array in card.to_arrays().items():
            np.testing.assert_array_equal(read.to_arrays()[name], array)
        with pytest.raises(KeyError):
            Attachments.from_arrays({name: arrays[name] for name in list(arrays)[1:]})
