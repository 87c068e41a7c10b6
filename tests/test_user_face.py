"""Faces from a user's mesh: reading, landmarks, vertex motion."""

from pathlib import Path

import numpy as np
import pytest
from paper_files import cut_face

from jambatalk import Face, Motion, load_head
from jambatalk.errors import FaceError, MotionError
from jambatalk.face.mesh import read_mesh
from jambatalk.face.mouth_landmarks import find_landmarks
from jambatalk.face.user_face import guess_unit, make_face


@pytest.fixture(scope="module")
def face() -> Face:
    vertices, triangles, lips = cut_face("mara")
    return make_face("own", vertices, triangles, {"lips": lips})


@pytest.mark.parametrize("head", ["mara", "wei", "elsa"])
@pytest.mark.parametrize("mask", ["lips", "rectangle", "no opening"])
def test_find_landmarks(head: str, mask: str) -> None:
    known = load_head(head)
    vertices, triangles, lips = cut_face(head)
    if mask == "rectangle":  # BIWI's: skin and all
        off = np.abs(vertices - vertices[lips].mean(0))
        lips = np.flatnonzero((off < [0.035, 0.025, 0.03]).all(1))
    if mask == "no opening":
        vertices, triangles, lips = known.template, known.triangles, known.regions["lips"]
    found = find_landmarks(vertices, triangles, lips)
    for name in ("inner_lip_upper", "inner_lip_lower", "mouth_corners", "nose_tip"):
        middle = known.template[known.landmarks[name]].mean(0)
        np.testing.assert_allclose(vertices[found[name]].mean(0)[:2], middle[:2], atol=0.0035)
    upper, lower = (vertices[found[f"inner_lip_{side}"], 1] for side in ("upper", "lower"))
    assert np.abs(upper - lower)[3:6].max() < 0.002  # they touch at rest
    assert (np.diff(vertices[found["inner_lip_upper"], 0]) > 0).all()  # from its right to its left
    right, left = vertices[found["mouth_corners"], 0]
    assert right < vertices[found["inner_lip_upper"], 0].min()
    assert left > vertices[found["inner_lip_upper"], 0].max()


def test_lip_aperture_of_vertex_motion(face: Face) -> None:
    _, _, lips = cut_face("mara")
    offsets = np.zeros((3, len(face.template), 3), np.float32)
    rest = Motion.of_vertices(offsets, 30.0, face).lip_aperture()[0]
    below = face.template[:, 1] < face.template[face.landmarks["inner_lip_lower"], 1].max()
    below &= ~np.isin(np.arange(len(below)), face.landmarks["inner_lip_upper"])
    offsets[1:, below, 1] = [[-0.005], [-0.010]]
    motion = Motion.of_vertices(offsets, 30.0, face)
    np.testing.assert_allclose(motion.lip_aperture() - rest, [0, 0.005, 0.010], atol=1e-3)
    assert motion.sealed().lip_aperture()[1] == motion.lip_aperture()[1]  # it cannot close
    assert set(face.regions["lips"]) == set(lips)


def test_vertices_are_template_plus_offsets(face: Face, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    offsets = rng.normal(0, 0.001, (70, len(face.template), 3)).astype(np.float32)
    motion = Motion.of_vertices(offsets, 25.0, face)
    np.testing.assert_allclose(motion.vertices(), face.template + offsets, atol=1e-7)
    np.testing.assert_array_equal(list(motion.frames()), motion.vertices())
    again = Motion.load(motion.save(tmp_path / "motion.npz"))  # no checkpoint is needed for it
    np.testing.assert_array_equal(again.vertices(), motion.vertices())
    np.testing.assert_array_equal(again.lip_width(), motion.lip_width())
    other = make_face("other", 1.1 * face.template, face.triangles, {"lips": face.regions["lips"]})
    np.testing.assert_array_equal(motion.on(other).offsets, offsets)
    # a blendshape may move under them
    head = load_head(1)
    lift = np.full((2, *head.template.shape), 0.01, np.float32)
    both = Motion(np.eye(2, len(head.blendshapes), dtype=np.float32), 30.0, head, lift)
    np.testing.assert_allclose(both.vertices()[1], head.template + head.deltas[1] + 0.01, atol=1e-6)


def test_mismatched_offsets_raise_motion_error(face: Face) -> None:
    offsets = np.zeros((4, len(face.template), 3), np.float32)
    with pytest.raises(MotionError, match="do not fit"):
        Motion.of_vertices(offsets[:, 1:], 30.0, face)
    with pytest.raises(MotionError, match="not numbers"):
        Motion.of_vertices(np.full_like(offsets, np.inf), 30.0, face)
    motion = Motion.of_vertices(offsets, 30.0, face)
    flipped = make_face("flipped", face.template, face.triangles[:, ::-1], face.regions)
    with pytest.raises(MotionError, match="mesh"):
        motion.on(flipped)
    with pytest.raises(MotionError, match="blendshapes"):
        motion.on(load_head(1))
    bare = make_face("bare", face.template, face.triangles, {"lips": np.arange(2)})
    with pytest.raises(FaceError, match="no landmark 'inner_lip_upper'"):
        Motion.of_vertices(offsets, 30.0, bare).lip_aperture()


def test_obj_keeps_vertex_order(tmp_path: Path) -> None:
    path = tmp_path / "face.obj"
    path.write_text(
        "# a quad and a triangle, with texture seams\n"
        "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0 1 1 1\nvt 0 0\nvt 1 1\nvn 0 0 1\n"
        "f 1/1/1 2/2/1 3/1/1 4/2/1\nf -4//1 2 -1\n"
    )
    vertices, triangles = read_mesh(path)
    np.testing.assert_array_equal(vertices[:, :2], [[0, 0], [1, 0], [1, 1], [0, 1]])
    np.testing.assert_array_equal(triangles, [[0, 1, 2], [0, 2, 3], [0, 1, 3]])
    for wrong in ("missing.obj", "face.stl"):
        with pytest.raises(FaceError, match=wrong):
            read_mesh(tmp_path / wrong)


@pytest.mark.parametrize(("tall", "unit"), [(0.22, 1.0), (2.6, 0.1), (30, 0.01), (210, 0.001)])
def test_guess_unit(tall: float, unit: float) -> None:
    assert guess_unit(np.array([[0, 0, 0], [1, tall, 1]])) == unit
