"""What the heads wear: needs `ict_facekit` and `makehuman` in the data folder."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from local_data import DATA
from PIL import Image
from scipy.spatial import KDTree

from jambatalk.face.attachments import Attachments, attach
from jambatalk.face.face import Face
from recipes.heads.attach import attach_all, beard_shade, thrown_shade
from recipes.heads.attach.beards import BEARDS
from recipes.heads.attach.piece import Head
from recipes.heads.attach.skull import Skull
from recipes.heads.basis import build_basis
from recipes.heads.ict_facekit import CENTIMETRE, IctFaceKit
from recipes.heads.identity import Identity
from recipes.heads.makehuman_assets import BentBase
from recipes.heads.materials import MATERIALS

MAKEHUMAN, ICT = DATA / "makehuman", DATA / "ict_facekit"
PERSON = Identity("test", "", 40, 1, (0, 0, 1), 1, hair="short04", beard="full", grey=0.5)


@pytest.fixture(scope="module")
def head() -> Head:
    if not (ICT / "makehuman_bent.npz").is_file() or not MAKEHUMAN.is_dir():
        pytest.skip(f"there is no {ICT} or {MAKEHUMAN}")
    ict = IctFaceKit.read(ICT)
    with np.load(ICT / "makehuman_bent.npz") as file:
        bent = BentBase(file["bent_all"] * CENTIMETRE - ict.origin, file["source"] * 0.1)
    basis = build_basis(ict, ICT)
    template = basis.template(ict.positions).astype(np.float32)
    return Head(PERSON, ict.positions, template, basis, ict, bent, MAKEHUMAN)


@pytest.fixture(scope="module")
def worn(head: Head) -> tuple[Attachments, list[dict], dict[str, bytes]]:
    return attach_all(head)


@pytest.fixture(scope="module")
def face(head: Head, worn: tuple[Attachments, list[dict], dict[str, bytes]]) -> Face:
    bare = replace(
        head.basis.face(head.template), occlusion=np.ones(len(head.template), np.float32)
    )
    return Face.from_arrays(bare.to_arrays() | attach(bare, worn[0]))


def moved(face: Face, region: str, **amounts: float) -> np.ndarray:
    """Displacement of a region, (n, 3) millimetres."""
    weights = np.array([amounts.get(name, 0.0) for name in face.blendshapes], np.float32)
    index = face.regions[region]
    return 1000 * (face.vertices(weights)[index] - face.template[index])


def test_every_part_has_its_material(worn):
    attached, materials, pictures = worn
    assert set(attached.parts) == set(MATERIALS[3:])
    assert [material["name"] for material in materials] == list(MATERIALS[3:])
    assert set(attached.material_index) == set(range(3, len(MATERIALS)))
    assert {material["albedo"] for material in materials} == set(pictures)
    for material in materials:
        with Image.open(io.BytesIO(pictures[material["albedo"]])) as picture:
            assert max(picture.size) <= 1024
            assert (picture.mode == "LA") == (material.get("cutout", 0) > 0)


def test_size_in_bytes(worn):
    attached, _, pictures = worn
    file = io.BytesIO()
    np.savez_compressed(file, **attached.to_arrays())
    assert file.tell() < 300_000
    assert max(map(len, pictures.values())) < 360_000
    assert len(attached.triangles) < 20_000


def test_meshes_are_sound(face, worn):
    attached = worn[0]
    assert np.isfinite(attached.template).all()
    assert attached.triangles.max() == len(attached.template) - 1
    assert (attached.uv >= -0.01).all()
    assert (attached.uv <= 1.01).all()
    assert ((attached.occlusion >= 0) & (attached.occlusion <= 1)).all()
    sums = attached.shares.astype(float).sum(1)
    hair = np.isin(attached.part, [attached.parts.tolist().index(n) for n in ("hair", "clothes")])
    assert (sums[hair] == 0).all()
    for part in ("brows", "beard"):
        chosen = attached.part == attached.parts.tolist().index(part)
        np.testing.assert_allclose(sums[chosen], 1, atol=0.01)


def test_no_skull_through_the_hair(head, face):
    height, _ = Skull(head).height(face.template[face.regions["hair"]])
    assert (height > 0.001).mean() > 0.99


def test_brows_lie_on_the_skin_and_rise_with_it(head, face):
    brows, skin = face.template[face.regions["brows"]], head.template[head.basis.regions["skin"]]
    assert KDTree(skin).query(brows)[0].max() < 0.006
    assert moved(face, "brows", browInnerUp=1.0)[:, 1].max() > 3
    lowered = moved(face, "brows", eyeLookDownLeft=1.0, eyeLookDownRight=1.0)
    assert np.linalg.norm(lowered, axis=1).max() < 1.5


def test_upper_lashes_close_and_lower_ones_stay(face):
    closed = moved(face, "lashes", eyeBlinkLeft=1.0, eyeBlinkRight=1.0)[:, 1]
    assert closed.min() < -5
    assert np.abs(closed).min() < 1.5


@pytest.mark.parametrize("beard", BEARDS)
def test_beard_follows_the_jaw_and_leaves_the_mouth_free(head, beard):
    other = replace(head, identity=replace(PERSON, beard=beard, hair=None))
    bare = replace(head.basis.face(head.template), occlusion=np.ones(len(head.template)))
    face = Face.from_arrays(bare.to_arrays() | attach(bare, attach_all(other)[0]))
    hairs = face.template[face.regions["beard"]]
    mouth = face.template[face.landmarks["inner_lip_lower"]].mean(0)
    lowered = moved(face, "beard", jawOpen=0.7)[:, 1]
    above = hairs[:, 1] > mouth[1] + 0.006
    front = np.abs(hairs[:, 0]) < 0.015
    assert np.abs(lowered[above & front]).max() < 4
    if beard != "moustache":
        assert np.median(lowered[~above & front]) < -10
    inside = KDTree(face.template[face.regions["teeth_upper"]]).query(hairs)[0]
    assert inside.min() > 0.003
    tint = beard_shade(other)
    assert 0.3 < tint.min() < 0.9
    assert (tint[head.basis.regions["scalp"]] == 1).all()


def test_skin_is_shaded_below_hair_alone(head, worn):
    attached, materials, pictures = worn
    light = thrown_shade(head, attached, materials, pictures)
    assert light.shape == (len(head.template),)
    assert light[head.basis.regions["scalp"]].mean() < 0.6
    nose = head.basis.landmarks["nose_tip"]
    np.testing.assert_array_equal(light[nose], 1)


def test_the_same_seed_gives_the_same_head(head, worn):
    again = attach_all(head)[0].to_arrays()
    for name, array in worn[0].to_arrays().items():
        np.testing.assert_array_equal(again[name], array)
