"""Export to binary glTF: mesh, morph targets, skin and animation."""

import json
import shutil
import subprocess
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import trimesh
from export_motions import FPS, chatter, drawn, mask_face, nodding, vertex_motion
from glb_reader import Glb
from PIL import Image

from jambatalk import Face, Motion, export_motion
from jambatalk.errors import ExportError
from jambatalk.export.morph_targets import TOLERANCE
from jambatalk.face.material import Material


@pytest.fixture(scope="module")
def motion() -> Motion:
    return chatter(50)


@pytest.fixture
def moved() -> Motion:
    return vertex_motion()


@pytest.fixture
def mask() -> Face:
    return mask_face()


def test_glb_has_mesh_morph_targets_and_animation(motion: Motion, tmp_path: Path) -> None:
    glb, face = Glb(export_motion(motion, tmp_path / "new" / "head.glb")), motion.face
    own = drawn(face)
    np.testing.assert_array_equal(glb.attribute("POSITION"), face.template[own])
    np.testing.assert_allclose(np.linalg.norm(glb.attribute("NORMAL"), axis=1), 1, atol=1e-5)
    triangles, first = [], 0
    for primitive in glb.primitives:
        triangles.append(own[first:][glb.read(primitive["indices"]).reshape(-1, 3)])
        first += glb.json["accessors"][primitive["attributes"]["POSITION"]]["count"]
    order = np.argsort(face.material_index, kind="stable")
    np.testing.assert_array_equal(np.concatenate(triangles), face.triangles[order])
    assert tuple(glb.names) == face.blendshapes
    assert glb.mesh["weights"] == [0] * 53
    np.testing.assert_array_equal(glb.deltas(), face.deltas[:, own])
    times, weights = glb.animation()
    np.testing.assert_allclose(times, np.arange(50) / FPS, atol=1e-6)
    np.testing.assert_array_equal(weights, motion.weights)
    np.testing.assert_allclose(glb.vertices(), motion.vertices()[:, own], atol=1e-6)


def test_colors_are_linear_and_dark_where_no_light_arrives(motion: Motion, tmp_path: Path) -> None:
    plain = tuple(replace(each, kind="skin") for each in motion.face.materials)
    face = replace(motion.face, occlusion=None, materials=plain)
    glb = Glb(export_motion(replace(motion, face=face), tmp_path / "head.glb"))
    color = glb.attribute("COLOR_0") / 65535
    assert (color[:, 3] == 1).all()
    back = np.where(
        color <= 0.0031308, 12.92 * color, 1.055 * np.maximum(color, 0) ** (1 / 2.4) - 0.055
    )
    np.testing.assert_allclose(255 * back[:, :3], face.colors[drawn(face)], atol=0.51)
    half = replace(face, occlusion=np.full(len(face.template), 0.25, np.float32))
    glb = Glb(export_motion(replace(motion, face=half), tmp_path / "dark.glb"))
    dark = (glb.attribute("COLOR_0")[:, :3] / 65535).mean(0) / color[:, :3].mean(0)
    np.testing.assert_allclose(dark, [0.40, 0.3125, 0.30], atol=0.001)  # red light bounces most


def test_materials_have_pictures(motion: Motion, tmp_path: Path) -> None:
    glb, face = Glb(export_motion(motion, tmp_path / "head.glb")), motion.face
    for primitive in glb.primitives:
        material = glb.json["materials"][primitive["material"]]
        (ours,) = [m for m in face.materials if m.name == material["name"]]
        assert material["doubleSided"] == ours.two_sided
        assert ("alphaMode" in material) == (ours.cutout > 0)
        assert material.get("alphaCutoff", ours.cutout) == ours.cutout
        surface = material["pbrMetallicRoughness"]
        assert surface["metallicFactor"] == 0
        assert 0.1 < surface["roughnessFactor"] < 1
        if ours.albedo:
            shown = Image.open(BytesIO(glb.picture(surface["baseColorTexture"])))
            kept = Image.open(BytesIO(ours.albedo))
            assert shown.size == kept.size
            assert shown.mode in ("RGB", "RGBA")
            if kept.mode == shown.mode:
                assert glb.picture(surface["baseColorTexture"]) == ours.albedo
    assert sum("normalTexture" in m for m in glb.json["materials"]) == sum(
        m.detail is not None for m in face.materials
    )


def test_detail_becomes_a_normal_map(tmp_path: Path) -> None:
    """Tilts along the surface, in the frame that the tangents describe."""
    tilts = np.full((16, 16, 3), 255 * np.array([0.75, 0.5, 0.5]), np.uint8)
    file = BytesIO()
    Image.fromarray(tilts).save(file, "PNG")
    face = mask_face()
    face = replace(
        face,
        materials=(Material("skin", detail=file.getvalue()),),
        uv=np.tile(np.float32([0.25, 0.1]), (4000, 1)),
    )
    still = Motion.of_vertices(np.zeros((1, 4000, 3), np.float32), FPS, face)
    glb = Glb(export_motion(still, tmp_path / "mask.glb"))
    np.testing.assert_allclose(glb.attribute("TEXCOORD_0"), [[0.25, 0.9]] * 4000, atol=1e-6)
    tangent, normal = glb.attribute("TANGENT"), glb.attribute("NORMAL")
    upright = np.linalg.norm(np.cross([0, 1, 0], normal), axis=1) > 0.1
    right = np.cross([0, 1, 0], normal)[upright]
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    np.testing.assert_allclose(tangent[upright, :3], right, atol=1e-5)
    assert (tangent[:, 3] == 1).all()
    (material,) = glb.json["materials"]
    picture = Image.open(BytesIO(glb.picture(material["normalTexture"]))).convert("RGB")
    expected = 255 * (0.5 + 0.5 * np.array([0.5, 0, 1]) / np.sqrt(1.25))
    np.testing.assert_allclose(np.asarray(picture)[8, 8], expected, atol=2.5)
    cavity = Image.open(BytesIO(glb.picture(material["occlusionTexture"])))
    assert abs(int(np.asarray(cavity.convert("L"))[8, 8]) - 127) < 2


def test_pictures_that_gltf_lacks_are_converted(tmp_path: Path) -> None:
    file = BytesIO()
    Image.new("LA", (8, 8), (200, 100)).save(file, "PNG")
    material = Material("hair", "hair", file.getvalue(), cutout=0.3, two_sided=True)
    face = replace(mask_face(), materials=(material,), uv=np.zeros((4000, 2), np.float32))
    still = Motion.of_vertices(np.zeros((1, 4000, 3), np.float32), FPS, face)
    glb = Glb(export_motion(still, tmp_path / "mask.glb"))
    (described,) = glb.json["materials"]
    texture = described["pbrMetallicRoughness"]["baseColorTexture"]
    assert Image.open(BytesIO(glb.picture(texture))).getpixel((0, 0)) == (200, 200, 200, 100)
    assert described["alphaMode"] == "MASK"
    broken = replace(face, materials=(replace(material, albedo=b"none"),))
    with pytest.raises(ExportError, match="picture of the head"):
        export_motion(replace(still, face=broken), tmp_path / "broken.glb")


def test_normals_of_morph_targets(motion: Motion, tmp_path: Path) -> None:
    glb, face = Glb(export_motion(motion, tmp_path / "head.glb")), motion.face
    own, jaw = drawn(face), face.blendshapes.index("jawOpen")
    opened = trimesh.Trimesh(
        face.template + face.deltas[jaw], face.weld[face.triangles], process=False
    ).vertex_normals[face.weld]
    normals = glb.attribute("NORMAL") + glb.deltas("NORMAL")[jaw]
    skin = np.isin(own, face.regions["skin"])
    alike = np.einsum("ij,ij->i", normals[skin], opened[own][skin])
    assert np.median(alike) > 0.999
    still = ~face.deltas[jaw].any(axis=1)[own]
    assert (glb.deltas("NORMAL")[jaw][still] == 0).mean() > 0.95


def test_file_size(motion: Motion, tmp_path: Path) -> None:
    """Zero rows of morph targets are left out."""
    path, face = export_motion(motion, tmp_path / "head.glb"), motion.face
    pictures = sum(len(m.albedo or b"") + 2 * len(m.detail or b"") for m in face.materials)
    assert path.stat().st_size - pictures < 0.8 * 2 * face.deltas.nbytes


def test_trimesh_loads_glb(motion: Motion, tmp_path: Path) -> None:
    scene = trimesh.load(export_motion(motion, tmp_path / "head.glb"), process=False)
    vertices = np.concatenate([mesh.vertices for mesh in scene.geometry.values()])
    np.testing.assert_array_equal(vertices, motion.face.template[drawn(motion.face)])
    assert sum(len(mesh.faces) for mesh in scene.geometry.values()) == len(motion.face.triangles)


def test_vertex_motion_within_tolerance(moved: Motion, tmp_path: Path) -> None:
    glb = Glb(export_motion(moved, tmp_path / "mask.glb"))
    off = np.linalg.norm(glb.vertices() - moved.vertices(), axis=2).max()
    assert off <= TOLERANCE
    said = glb.json["asset"]["extras"]["largestErrorMillimetres"]
    assert said == pytest.approx(1000 * off, abs=0.001)
    np.testing.assert_array_equal(
        glb.read(glb.primitive["attributes"]["POSITION"]), moved.face.template
    )
    _, weights = glb.animation()
    np.testing.assert_allclose(weights.max(0), 1, atol=1e-5)  # Blender cuts what is beyond
    assert weights.min() >= 0
    assert glb.json["materials"][0]["doubleSided"]  # one sees into the open mesh


def test_blendshapes_and_offsets_together(motion: Motion, tmp_path: Path) -> None:
    offsets = np.sin(np.arange(50))[:, None, None] * motion.face.deltas[:1]
    both = replace(motion, offsets=offsets.astype(np.float32))
    glb = Glb(export_motion(both, tmp_path / "both.glb"))
    assert glb.names == [*motion.face.blendshapes, "motion_001_plus", "motion_001_minus"]
    vertices = both.vertices()[:, drawn(motion.face)]
    np.testing.assert_allclose(glb.vertices(), vertices, atol=TOLERANCE)


def test_skin_reproduces_head_pose(motion: Motion, tmp_path: Path) -> None:
    nods, own = nodding(motion), drawn(motion.face)
    glb = Glb(export_motion(nods, tmp_path / "head.glb"))
    before, after = motion.vertices()[:, own], nods.vertices()[:, own]
    assert np.abs(after - before).max() > 0.03
    np.testing.assert_allclose(glb.vertices(), after, atol=1e-5)
    np.testing.assert_allclose(glb.morphed(), before, atol=1e-6)
    lowest = motion.face.template[own, 1].argmin()
    np.testing.assert_allclose(glb.vertices()[:, lowest], before[:, lowest], atol=1e-6)


def test_skin_of_face_without_blendshapes(moved: Motion, mask: Face, tmp_path: Path) -> None:
    still = Motion.of_vertices(np.zeros((9, 4000, 3), np.float32), FPS, mask)
    for each, error in ((moved, TOLERANCE), (still, 1e-5)):
        nods = nodding(each)
        glb = Glb(export_motion(nods, tmp_path / "mask.glb"))
        np.testing.assert_allclose(glb.vertices(), nods.vertices(), atol=error)


@pytest.mark.parametrize("frames", [1, 2])
def test_shortest_motions(frames: int, tmp_path: Path) -> None:
    times, weights = Glb(export_motion(chatter(frames), tmp_path / "short.glb")).animation()
    assert weights.shape == (frames, 53)
    assert times[-1] == pytest.approx((frames - 1) / FPS)


def test_resting_face_without_blendshapes_has_no_animation(mask: Face, tmp_path: Path) -> None:
    still = Motion.of_vertices(np.zeros((9, 4000, 3), np.float32), FPS, mask)
    glb = Glb(export_motion(still, tmp_path / "still.glb"))
    assert "targets" not in glb.primitive
    assert "animations" not in glb.json


def test_incompressible_motion_raises_export_error(mask: Face, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, (300, 4000, 3)).astype(np.float32)
    with pytest.raises(ExportError, match=r"does not fit.*\.npy"):
        export_motion(Motion.of_vertices(noise, FPS, mask), tmp_path / "noise.glb")
    assert not list(tmp_path.iterdir())


def test_gltf_validator_reports_no_issues(motion: Motion, moved: Motion, tmp_path: Path) -> None:
    """Run with node, and gltf-validator on NODE_PATH."""
    script = """
        const [file] = process.argv.slice(1);
        const bytes = new Uint8Array(require("fs").readFileSync(file));
        const { validateBytes } = require("gltf-validator");
        // the skin's picture has 1536 columns, as WebGL 2 and all later interfaces allow
        const options = { ignoredIssues: ["IMAGE_NPOT_DIMENSIONS"] };
        validateBytes(bytes, options).then(({ issues }) => console.log(JSON.stringify(issues)));
    """
    node = shutil.which("node")
    known = node and subprocess.run([node, "-e", "require('gltf-validator')"], capture_output=True)
    if not known or known.returncode:
        pytest.skip("no node with gltf-validator")
    still = Motion.of_vertices(np.zeros_like(moved.offsets), FPS, moved.face)
    for each in (motion, moved, chatter(1), nodding(motion), nodding(moved), nodding(still)):
        path = export_motion(each, tmp_path / "checked.glb")
        done = subprocess.run([node, "-e", script, path], capture_output=True, text=True)
        assert json.loads(done.stdout)["messages"] == []
