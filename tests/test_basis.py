"""The mesh of the heads, made from ICT-FaceKit: needs `ict_facekit` in the data folder."""

from __future__ import annotations

import numpy as np
import pytest
from local_data import DATA

from jambatalk.export.arkit import BLENDSHAPES
from jambatalk.face.face import Face
from jambatalk.face.library import HeadLibrary
from recipes.heads.basis import Basis, build_basis
from recipes.heads.decimate import decimate
from recipes.heads.ict_facekit import IctFaceKit
from recipes.heads.lip_seal import TOGETHER

FOLDER = DATA / "ict_facekit"


def weights(face: Face, **amounts: float) -> np.ndarray:
    return np.array([amounts.get(blendshape, 0.0) for blendshape in face.blendshapes], np.float32)


def largest_aperture(face: Face, **amounts: float) -> float:
    """Largest distance of facing inner-lip points, mm."""
    upper = face.points(weights(face, **amounts), "inner_lip_upper")
    lower = face.points(weights(face, **amounts), "inner_lip_lower")
    return 1000 * float(np.linalg.norm(upper - lower, axis=1).max())


@pytest.fixture(scope="module")
def ict() -> IctFaceKit:
    if not FOLDER.is_dir():
        pytest.skip(f"there is no {FOLDER}")
    return IctFaceKit.read(FOLDER)


@pytest.fixture(scope="module")
def basis(ict: IctFaceKit) -> Basis:
    return build_basis(ict, FOLDER)


@pytest.fixture(scope="module", params=["mean", "someone"])
def face(request: pytest.FixtureRequest, ict: IctFaceKit, basis: Basis) -> Face:
    modes = np.random.default_rng(3).normal(size=60) * (request.param == "someone")
    positions = ict.positions + np.tensordot(modes, ict.identities, 1)
    return basis.face(basis.template(positions), request.param)


def test_size_blendshapes_and_indices(face: Face) -> None:
    count = len(face.template)
    assert count <= 15_000
    assert list(face.blendshapes) == sorted([*BLENDSHAPES, "tongueUp"])
    assert np.abs(face.deltas).max((1, 2)).min() > 0.001
    assert len(np.unique(face.triangles)) == count
    assert face.weld is not None
    assert (face.template == face.template[face.weld]).all()
    assert (face.deltas == face.deltas[:, face.weld]).all()
    assert face.uv is not None
    assert face.uv.min() >= 0
    assert face.uv.max() <= 1
    for index in [*face.regions.values(), *face.landmarks.values()]:
        assert len(index)
        assert index.max() < count


def test_lips_touch_at_rest_and_open_with_the_jaw(face: Face) -> None:
    assert largest_aperture(face) < 0.05
    assert 15 < largest_aperture(face, jawOpen=0.5) < 25
    for jaw in (0.1, 0.3, 0.55):
        assert largest_aperture(face, jawOpen=jaw, mouthClose=jaw) < 0.05


def test_sealed_lips_neither_part_nor_cross(face: Face) -> None:
    for name in face.blendshapes:
        if name.startswith(tuple(TOGETHER)):
            moved = face.vertices(weights(face, **{name: 1.0}))
            upper, lower = (moved[face.landmarks[f"inner_lip_{s}"]] for s in ("upper", "lower"))
            assert np.abs(upper - lower)[:, 1].max() < 0.05e-3, name


def test_teeth_follow_the_jaw_alone_and_show_below_the_lip(face: Face) -> None:
    upper, lower = face.regions["teeth_upper"], face.regions["teeth_lower"]
    assert not face.deltas[:, upper].any()
    moving = [name for name, d in zip(face.blendshapes, face.deltas, strict=True) if d[lower].any()]
    assert set(moving) <= {"jawForward", "jawLeft", "jawOpen", "jawRight"}
    row = face.template[lower] - face.template[lower].mean(0)
    opened = row + face.deltas[face.blendshapes.index("jawOpen"), lower]
    opened -= opened.mean(0)
    assert np.ptp(np.linalg.norm(opened, axis=1) - np.linalg.norm(row, axis=1)) < 0.002  # rigid
    lip = face.template[face.landmarks["inner_lip_upper"]][4]
    assert 0.001 < lip[1] - face.template[upper, 1].min() < 0.005
    assert 0.003 < lip[2] - face.template[upper, 2].max() < 0.012


def test_tongue_reaches_up_behind_the_teeth_and_out_between_them(face: Face) -> None:
    tongue, upper = face.regions["tongue"], face.template[face.regions["teeth_upper"]]
    for name in ("tongueUp", "tongueOut"):
        moved = np.flatnonzero(face.deltas[face.blendshapes.index(name)].any(1))
        assert set(moved) <= set(tongue)
    up = face.vertices(weights(face, jawOpen=0.12, tongueUp=1.0))[tongue]
    assert up[:, 1].max() > upper[:, 1].min()
    assert up[:, 2].max() < upper[:, 2].max()
    out = face.vertices(weights(face, jawOpen=0.1, tongueOut=0.4))[tongue]
    tip = out[np.argmax(out[:, 2])]
    assert upper[:, 2].max() < tip[2]
    assert upper[:, 1].min() - 0.005 < tip[1] < upper[:, 1].min() + 0.001
    arched = face.vertices(weights(face, jawOpen=0.5, tongueOut=1.0))
    top = arched[tongue][np.abs(arched[tongue, 0]) < 0.004]
    tip, lip = top[np.argmax(top[:, 2])], arched[face.landmarks["inner_lip_lower"][4]]
    assert tip[2] > lip[2] + 0.01
    over = np.abs(top[:, 2] - lip[2]) < 0.003
    assert tip[1] < top[over, 1].max() - 0.002  # it droops
    assert top[over, 1].min() > lip[1] - 0.001  # and lies on the lip, not in it


def test_eyes_turn_in_place(face: Face) -> None:
    eyes = face.regions["eyes"]
    left = eyes[face.template[eyes, 0] > 0]
    assert face.uv is not None
    front = left[np.argmin(np.linalg.norm(face.uv[left] - 0.5, axis=1))]
    for name, axis, sign in (("eyeLookOutLeft", 0, 1), ("eyeLookDownLeft", 1, -1)):
        moved = face.deltas[face.blendshapes.index(name)]
        assert sign * moved[front, axis] > 0.005
        others = np.setdiff1d(eyes, left)
        assert not moved[others].any()


@pytest.mark.parametrize("look", ["Down", "Up", "Out"])
def test_the_cornea_stays_behind_the_lids(face: Face, look: str) -> None:
    eyes = face.regions["eyes"]
    left = eyes[face.template[eyes, 0] > 0]
    assert face.uv is not None
    clear = np.linalg.norm(face.uv[left] - 0.5, axis=1) * 180 < 25  # degrees from the axis
    middle = face.template[left].mean(0)
    skin = face.regions["skin"]
    near = np.linalg.norm(face.template[skin] - middle, axis=1) < 0.03
    for blink in (0.0, 0.5):
        amounts = {f"eyeLook{look}Left": 1.0, "eyeBlinkLeft": blink}
        moved = face.vertices(weights(face, **amounts))
        cornea, lids = moved[left[clear]], moved[skin[near]]
        behind = cornea[:, 1] < lids[:, 1].mean() - 0.006  # under the lower lid
        for point in cornea[behind]:
            beside = np.linalg.norm(lids[:, :2] - point[:2], axis=1) < 0.0015
            assert not beside.any() or lids[beside, 2].max() > point[2] - 1e-4


def test_closed_lids_hide_the_eye(face: Face) -> None:
    closed = face.vertices(weights(face, eyeBlinkLeft=1.0))
    eyes = face.regions["eyes"]
    ball = closed[eyes[face.template[eyes, 0] > 0]]
    visible = ball[ball[:, 2] > ball[:, 2].max() - 0.004]  # the middle of the ball
    skin = closed[face.regions["skin"]]
    for point in visible:
        near = np.linalg.norm(skin[:, :2] - point[:2], axis=1) < 0.002
        assert skin[near, 2].max() > point[2]


def test_occlusion_is_dark_in_creases_and_light_outside(ict: IctFaceKit, basis: Basis) -> None:
    light = basis.occlusion(basis.template(ict.positions))
    assert light[basis.regions["scalp"]].mean() > 0.9
    assert light[basis.landmarks["inner_lip_upper"]].max() < 0.6
    assert light[basis.landmarks["nose_tip"]] > 0.8


def test_topology_is_what_a_library_reads(basis: Basis, ict: IctFaceKit, tmp_path) -> None:
    np.savez(tmp_path / "topology.npz", **basis.topology())
    np.savez(tmp_path / "mean.npz", template=basis.template(ict.positions).astype(np.float32))
    (tmp_path / "heads.json").write_text('[{"name": "mean"}]', "utf-8")
    face = HeadLibrary(tmp_path).load("mean")
    assert face.blendshapes == basis.blendshapes
    assert [material.kind for material in face.materials][:3] == ["skin", "mouth", "eye"]


def test_decimation_of_a_plane_keeps_its_border_and_shape() -> None:
    side = 12
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    points = np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], 1).astype(float)
    at = np.arange(side * side).reshape(side, side)
    a, b, c, d = (q.ravel() for q in (at[:-1, :-1], at[:-1, 1:], at[1:, 1:], at[1:, :-1]))
    corners = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    _, left, charts = decimate([points], corners, corners, [(np.ones(len(points), bool), 60)])
    assert (left == charts).all()
    border = (points[:, :2] == 0).any(1) | (points[:, :2] == side - 1).any(1)
    assert set(np.flatnonzero(border)) <= set(left.ravel())
    assert len(np.unique(left)) == 60
    edges = points[left[:, 1]] - points[left[:, 0]], points[left[:, 2]] - points[left[:, 0]]
    area = np.cross(*edges)[:, 2] / 2
    assert (area > 0).all()
    assert np.isclose(area.sum(), (side - 1) ** 2)
