"""Motions and the faces that wear them."""

from pathlib import Path

import numpy as np
import pytest

from jambatalk import Face, Motion, list_heads, load_head
from jambatalk.errors import FaceError, MotionError


@pytest.fixture(scope="module")
def face() -> Face:
    return load_head(1)


def moving(face: Face, **blendshapes: float) -> Motion:
    """From rest to these blendshapes in five frames."""
    weights = np.zeros((5, len(face.blendshapes)), np.float32)
    for name, value in blendshapes.items():
        weights[:, face.blendshapes.index(name)] = np.linspace(0, value, 5)
    return Motion(weights, 30.0, face)


def test_vertices_are_template_plus_basis_times_weights(face: Face) -> None:
    motion = moving(face, jawOpen=0.6, mouthPucker=0.3)
    jaw, pucker = (face.deltas[face.blendshapes.index(a)] for a in ("jawOpen", "mouthPucker"))
    vertices = motion.vertices()
    np.testing.assert_allclose(vertices[0], face.template, atol=1e-7)
    np.testing.assert_allclose(vertices[4], face.template + 0.6 * jaw + 0.3 * pucker, atol=1e-6)
    np.testing.assert_allclose(list(motion.frames()), vertices, atol=1e-7)


def test_lips_are_measured(face: Face) -> None:
    jaw = moving(face, jawOpen=0.5).lip_aperture()
    assert abs(jaw[0]) < 0.0005  # closed at rest
    assert (np.diff(jaw) > 0).all()
    assert 0.010 < jaw[-1] < 0.025
    sealed = moving(face, jawOpen=0.5, mouthClose=0.5).lip_aperture()
    assert abs(sealed).max() < 0.001
    assert np.diff(moving(face, mouthPucker=0.8).lip_width())[-1] < -0.0005


def test_lips_that_nearly_close_are_sealed(face: Face) -> None:
    motion = Motion(moving(face, jawOpen=0.5, mouthPucker=0.3).weights[[0, 1, 1, 4]], 30.0, face)
    motion.weights[1] *= 0.15  # under a millimetre
    motion.weights[2] *= 0.6  # under three
    before, after = motion.lip_aperture(), motion.sealed().lip_aperture()
    assert 0.0004 < before[1] < 0.0008
    assert 0.002 < before[2] < 0.0035
    np.testing.assert_allclose(after[[0, 1]], 0, atol=1e-5)
    assert 0 < after[2] < before[2]
    assert after[3] == pytest.approx(before[3])
    moved = np.abs(motion.sealed().weights - motion.weights).max(0) > 0
    assert [face.blendshapes[i] for i in np.flatnonzero(moved)] == ["mouthClose"]


def test_every_head_wears_every_motion(face: Face) -> None:
    motion = moving(face, jawOpen=0.5)
    for name in list_heads():
        other = motion.on(load_head(name))
        assert other.lip_aperture()[-1] == pytest.approx(motion.lip_aperture()[-1], abs=0.002)
        offsets = other.vertices() - other.face.template
        np.testing.assert_allclose(offsets, motion.vertices() - face.template, atol=1e-6)


def test_saved_and_loaded_is_the_same(face: Face, tmp_path: Path) -> None:
    motion = moving(face, jawOpen=0.5)
    again = Motion.load(motion.save(tmp_path / "motion.npz"))
    np.testing.assert_array_equal(again.weights, motion.weights)
    assert (again.fps, again.face.name) == (30.0, face.name)


def test_bad_motions_are_refused(face: Face, tmp_path: Path) -> None:
    with pytest.raises(MotionError, match="do not fit"):
        Motion(np.zeros((5, 3), np.float32), 30.0, face)
    with pytest.raises(MotionError, match="not numbers"):
        Motion(np.full((5, len(face.blendshapes)), np.nan, np.float32), 30.0, face)
    (tmp_path / "motion.npz").write_text("no motion")
    with pytest.raises(MotionError, match="not a saved motion"):
        Motion.load(tmp_path / "motion.npz")
    with pytest.raises(MotionError, match="no blendshape 'jawDrop'"):
        moving(face).blendshape("jawDrop")


def test_heads_go_by_name_and_number() -> None:
    names = list_heads()
    assert load_head(names[2]) is load_head(names[2])
    assert load_head("3").name == load_head(3).name == names[2]
    for wrong in ("nobody", 0, 99):
        with pytest.raises(FaceError, match="no head"):
            load_head(wrong)
