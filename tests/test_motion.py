"""Motions on faces: vertices, retargeting, resampling, saved files."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jambatalk import Face, Motion, list_heads, load_head
from jambatalk.errors import DataError, FaceError, MotionError
from jambatalk.face.neck import Neck, head_rotation
from jambatalk.files.arrays import read_npz
from jambatalk.motion.captured import beside


@pytest.fixture(scope="module")
def face() -> Face:
    return load_head(1)


def moving(face: Face, **blendshapes: float) -> Motion:
    """From rest to these blendshapes in five frames."""
    weights = np.zeros((5, len(face.blendshapes)), np.float32)
    for name, value in blendshapes.items():
        weights[:, face.blendshapes.index(name)] = np.linspace(0, value, 5)
    return Motion(weights, 30.0, face)


def test_vertices_are_template_plus_deltas_times_weights(face: Face) -> None:
    motion = moving(face, jawOpen=0.6, mouthPucker=0.3)
    jaw, pucker = (face.deltas[face.blendshapes.index(a)] for a in ("jawOpen", "mouthPucker"))
    vertices = motion.vertices()
    np.testing.assert_allclose(vertices[0], face.template, atol=1e-7)
    np.testing.assert_allclose(vertices[4], face.template + 0.6 * jaw + 0.3 * pucker, atol=1e-6)
    np.testing.assert_allclose(list(motion.frames()), vertices, atol=1e-7)


def test_lip_aperture_and_width(face: Face) -> None:
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


def test_motion_retargets_to_every_head(face: Face) -> None:
    motion = moving(face, jawOpen=0.5)
    for name in list_heads():
        other = motion.on(name)
        assert other.lip_aperture()[-1] == pytest.approx(motion.lip_aperture()[-1], abs=0.002)
        shared = slice(face.regions["brows"].min())  # attachments differ between heads
        offsets = (other.vertices() - other.face.template)[:, shared]
        expected = (motion.vertices() - face.template)[:, shared]
        np.testing.assert_allclose(offsets, expected, atol=1e-6)


def test_heads_are_given_by_name_number_or_face(face: Face) -> None:
    motion, kofi = moving(face), load_head("kofi")
    number = list_heads().index("kofi") + 1
    assert motion.on("kofi").face is motion.on(number).face is motion.on(kofi).face is kofi
    with pytest.raises(FaceError, match="no head 'koffi'"):
        motion.on("koffi")


@pytest.mark.parametrize("fps", [24.0, 25.0, 60.0])
def test_resampled_frames_stay_at_their_times(face: Face, fps: float) -> None:
    ramp = np.linspace(0, 1, 91, dtype=np.float32)
    weights = np.repeat(ramp[:, None], len(face.blendshapes), axis=1)
    pose, offsets = np.stack([ramp] * 3, 1), np.zeros((91, *face.template.shape), np.float32)
    offsets[:, 5, 1] = ramp
    motion = Motion(weights, 30.0, face, offsets, pose).resampled(fps)
    assert (motion.fps, len(motion)) == (fps, round(91 / 30 * fps))
    expected = np.minimum(np.arange(len(motion)) / fps / 3, 1)
    for values in (motion.weights[:, 7], motion.pose[:, 1], motion.offsets[:, 5, 1]):
        np.testing.assert_allclose(values, expected, atol=1e-6)
    for wrong in (0, -1, float("nan")):
        with pytest.raises(MotionError, match="not a frame rate"):
            motion.resampled(wrong)


def test_saved_and_loaded_is_the_same(face: Face, tmp_path: Path) -> None:
    motion = moving(face, jawOpen=0.5)
    again = Motion.load(motion.save(tmp_path / "motion.npz"))
    np.testing.assert_array_equal(again.weights, motion.weights)
    assert (again.fps, again.face.name) == (30.0, face.name)


def test_invalid_motions_are_refused(face: Face, tmp_path: Path) -> None:
    with pytest.raises(MotionError, match="do not fit"):
        Motion(np.zeros((5, 3), np.float32), 30.0, face)
    with pytest.raises(MotionError, match="not numbers"):
        Motion(np.full((5, len(face.blendshapes)), np.nan, np.float32), 30.0, face)
    with pytest.raises(MotionError, match="Did you mean 'jawOpen'"):
        moving(face).blendshape("jawOpenn")
    with pytest.raises(MotionError, match="not a frame rate"):
        replace(moving(face), fps=float("nan"))


def test_damaged_files_are_refused(face: Face, tmp_path: Path) -> None:
    path = moving(face, jawOpen=0.5).save(tmp_path / "motion.npz")
    whole = path.read_bytes()
    for end in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:end])
        with pytest.raises(MotionError, match=r"motion\.npz.*Save it again"):
            Motion.load(path)
    for start in range(0, len(whole), 97):
        path.write_bytes(whole[:start] + b"\xff\x00" + whole[start + 2 :])
        with suppress(MotionError):  # the damaged bytes may be those of a date
            Motion.load(path)
    with pytest.raises(MotionError, match="There is no file"):
        Motion.load(tmp_path / "none.npz")


@pytest.mark.parametrize(
    "wrong",
    [
        {"fps": np.zeros(3)},
        {"fps": np.array("thirty")},
        {"weights": np.array(1.0)},
        {"weights": np.array([["a"]])},
        {"weights": None},
        {"head": None},
        {"pose": np.zeros((2, 3))},
        {"blendshapes": np.array(["jawOpen"])},
        {"blendshapes": np.array(1.0)},
        {"offsets": np.zeros((5, 2, 3))},
    ],
)
def test_files_with_other_arrays_are_refused(face: Face, tmp_path: Path, wrong: dict) -> None:
    with np.load(moving(face).save(tmp_path / "good.npz")) as file:
        arrays = {**file, **wrong}
    np.savez(
        tmp_path / "bad.npz", **{key: arrays[key] for key in arrays if arrays[key] is not None}
    )
    with pytest.raises(MotionError, match=r"bad\.npz"):
        Motion.load(tmp_path / "bad.npz")


def test_files_that_unpack_to_more_than_allowed_are_refused(face: Face, tmp_path: Path) -> None:
    path = moving(face).save(tmp_path / "motion.npz")
    assert "weights" in read_npz(path)
    with pytest.raises(DataError, match="100 are allowed"):
        read_npz(path, largest=100)


def test_heads_load_by_name_and_number() -> None:
    names = list_heads()
    assert load_head(names[2]) is load_head(names[2])
    assert load_head("3").name == load_head(3).name == names[2]
    for wrong in ("nobody", 0, 99):
        with pytest.raises(FaceError, match="no head"):
            load_head(wrong)


def test_neck_turns_the_head_and_not_the_shoulders(face: Face) -> None:
    neck = Neck.of(face)
    for part in ("eyes", "teeth_upper", "teeth_lower", "tongue", "brows", "lashes"):
        assert neck.share[face.regions[part]].min() > 0.9
    assert neck.share[face.template[:, 1] < -0.2].max() < 0.1
    pose = np.radians(np.array([4.0, 5.0, 3.0]))
    turned = neck.turn(face.template, pose)
    skin = face.triangles[face.material_index == 0]
    long_edges = face.template[skin] - np.roll(face.template[skin], 1, 1)
    new_edges = turned[skin] - np.roll(turned[skin], 1, 1)
    before, after = (np.linalg.norm(edges, axis=-1) for edges in (long_edges, new_edges))
    assert np.abs(after - before).max() < 0.0025  # no edge tears
    head = neck.share > 0.999
    expected = (face.template[head] - neck.pivot) @ head_rotation(pose).as_matrix().T + neck.pivot
    np.testing.assert_allclose(turned[head], expected, atol=5e-5)


@pytest.mark.parametrize(
    ("pose", "goes"),
    [((0.1, 0, 0), (1, -1)), ((0, 0.1, 0), (0, 1)), ((0, 0, 0.1), (0, -1))],
    ids=["nods down", "turns to its own left", "leans to its own right"],
)
def test_axes_of_the_pose(face: Face, pose: tuple[float, ...], goes: tuple[int, int]) -> None:
    moved = Neck.of(face).turn(face.template, np.array(pose)) - face.template
    axis, sign = goes
    assert sign * moved[face.landmarks["nose_tip"][0], axis] > 0.003


def test_a_captured_motion_comes_to_the_head_rate_and_length_of_a_predicted_one(
    face: Face,
) -> None:
    predicted = Motion(np.zeros((60, len(face.blendshapes)), np.float32), 30.0, load_head(2))
    captured = Motion(np.full((121, len(face.blendshapes)), 0.5, np.float32), 60.0, face)
    fitted = beside(captured, predicted)
    assert (len(fitted), fitted.fps, fitted.face.name) == (60, 30.0, load_head(2).name)
    np.testing.assert_allclose(fitted.weights, 0.5)
    with pytest.raises(MotionError, match=r"lasts 1.0 s, the recording 2.0 s"):
        beside(captured.first(60), predicted)
