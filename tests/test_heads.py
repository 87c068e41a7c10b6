"""The bundled heads, what they promise, and that the recipe reproduces them."""

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jambatalk.errors import FaceError
from jambatalk.face.library import BUNDLED, HeadLibrary, list_heads, load_head, write_heads
from jambatalk.files.bundled import HEADS
from recipes.heads.__main__ import main
from recipes.heads.contact_sheet import main as draw_sheet
from recipes.heads.people import PEOPLE

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

WORN = ("brows", "lashes", "clothes", "hair", "beard")


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


def test_sixteen_distinct_people_in_the_order_of_the_recipe() -> None:
    faces = [load_head(name) for name in list_heads()]
    assert [face.title for face in faces] == [person.title for person in PEOPLE]
    assert len(faces) == 16
    assert sum(person.sex < 0.5 for person in PEOPLE) >= 8
    assert min(person.years for person in PEOPLE) <= 22
    assert max(person.years for person in PEOPLE) >= 80
    assert len({person.hair for person in PEOPLE} - {None}) >= 8
    for k, one in enumerate(faces):
        assert BUNDLED.thumbnail(one.name).is_file()
        skin = one.regions["skin"]
        for other in faces[:k]:
            assert np.linalg.norm(one.template[skin] - other.template[skin], axis=1).mean() > 0.001


def test_sizes() -> None:
    """All heads take less than 30 MB, a head without what it wears less than 15,000 vertices."""
    assert sum(file.stat().st_size for file in HEADS.rglob("*") if file.is_file()) < 30e6
    for name in list_heads():
        face = load_head(name)
        worn = sum(len(face.regions.get(part, ())) for part in WORN)
        assert len(face.template) - worn <= 15_000


def test_pictures_and_materials(face) -> None:
    names = [material.name for material in face.materials]
    assert names[:3] == ["skin", "mouth", "eyes"]
    assert len(face.material_index) == len(face.triangles)
    assert face.material_index.max() < len(names)
    assert face.uv.shape == (len(face.template), 2)
    for material in face.materials:
        for picture in (material.albedo, material.detail, material.wrinkles):
            if picture:
                assert max(Image.open(BytesIO(picture)).size) <= 2048
        if material.cutout:
            assert Image.open(BytesIO(material.albedo)).mode in ("LA", "RGBA")
    assert {"brows", "lashes", "clothes"} <= set(face.regions)


def test_split_vertices_move_together(face) -> None:
    np.testing.assert_array_equal(face.template, face.template[face.weld])
    np.testing.assert_array_equal(face.deltas, face.deltas[:, face.weld])


@pytest.mark.parametrize(
    ("blendshape", "part"), [("browInnerUp", "brows"), ("eyeBlinkLeft", "lashes")]
)
def test_brows_and_lashes_move_with_the_skin(face, blendshape: str, part: str) -> None:
    moved = face.deltas[face.blendshapes.index(blendshape)]
    assert np.linalg.norm(moved[face.regions[part]], axis=1).max() > 0.003


def test_hair_and_clothes_do_not_follow_the_mouth(face) -> None:
    for part in ("hair", "clothes"):
        assert not face.deltas[:, face.regions.get(part, [])].any()


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


@pytest.mark.parametrize("entry", [{"name": "a", "title": 1}, {"name": 1}, {"name": "a", "b": 1}])
def test_an_index_of_other_values_is_refused(entry: dict, tmp_path: Path) -> None:
    (tmp_path / "heads.json").write_text(json.dumps([entry]))
    with pytest.raises(FaceError, match=r"heads\.json.*(Give|There are)"):
        HeadLibrary(tmp_path).load(1)


def test_head_of_another_mesh_raises_face_error(tmp_path: Path) -> None:
    write_heads(tmp_path, [replace(load_head(1), name="a")])
    np.savez(tmp_path / "a.npz", template=np.zeros((9, 3)), colors=np.zeros((9, 3), np.uint8))
    with pytest.raises(FaceError, match="not a head on the mesh"):
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
    assert 0.003 < lip[2] - front[:, 2].max() < 0.012  # behind the lips


def test_eyes_rotate_as_a_whole(face):
    """At weight 1 an eyeball has turned without changing its shape."""
    eyes = face.regions["eyes"]
    for side, names in ((1, ("eyeLookInLeft", "eyeLookUpLeft")), (-1, ("eyeLookInRight",))):
        eye = eyes[side * face.template[eyes, 0] > 0]
        rest = face.template[eye]
        for name in names:
            moved = face.vertices(weights(face, **{name: 1.0}))[eye]
            assert np.linalg.norm(moved - rest, axis=1).max() > 0.004
            distance, before = (
                np.linalg.norm(points[:, None] - points[::20], axis=-1) for points in (moved, rest)
            )
            assert np.abs(distance - before).max() < 0.0003


def test_command_reports_missing_source_data(tmp_path, capsys):
    folders = [
        argument
        for name in ("--ict-facekit", "--makehuman", "--targets")
        for argument in (name, str(tmp_path))
    ]
    assert main([*folders, "-o", str(tmp_path / "heads")]) == 1
    assert "generic_neutral_mesh.obj' is missing" in capsys.readouterr().err
    assert not (tmp_path / "heads").exists()


def test_contact_sheet(tmp_path: Path) -> None:
    names = list_heads()[:2]
    out = tmp_path / "sheet.png"
    assert (
        draw_sheet(["-o", str(out), "--only", *names, "--views", "front", "M", "--cell", "64"]) == 0
    )
    sheet = np.asarray(Image.open(out))
    assert sheet.shape == (128, 128, 3)
    assert sheet.std() > 20
