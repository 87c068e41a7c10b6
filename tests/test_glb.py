"""Export to binary glTF: mesh, morph targets, skin and animation."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from export_motions import FPS, chatter, mask_face, nodding, vertex_motion
from glb_reader import Glb

from jambatalk import Face, Motion, export_motion
from jambatalk.errors import ExportError
from jambatalk.export.morph_targets import TOLERANCE


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
    attributes = {name: glb.read(n) for name, n in glb.primitive["attributes"].items()}
    np.testing.assert_array_equal(attributes["POSITION"], face.template)
    np.testing.assert_array_equal(glb.read(glb.primitive["indices"]).reshape(-1, 3), face.triangles)
    np.testing.assert_allclose(np.linalg.norm(attributes["NORMAL"], axis=1), 1, atol=1e-5)
    assert tuple(glb.names) == face.blendshapes
    assert glb.mesh["weights"] == [0] * 53
    np.testing.assert_array_equal(glb.deltas(), face.deltas)
    times, weights = glb.animation()
    np.testing.assert_allclose(times, np.arange(50) / FPS, atol=1e-6)
    np.testing.assert_array_equal(weights, motion.weights)
    np.testing.assert_allclose(glb.vertices(), motion.vertices(), atol=1e-6)


def test_colors_are_linear(motion: Motion, tmp_path: Path) -> None:
    glb = Glb(export_motion(motion, tmp_path / "head.glb"))
    color = glb.read(glb.primitive["attributes"]["COLOR_0"]) / 65535
    assert (color[:, 3] == 1).all()
    back = np.where(
        color <= 0.0031308, 12.92 * color, 1.055 * np.maximum(color, 0) ** (1 / 2.4) - 0.055
    )
    np.testing.assert_allclose(255 * back[:, :3], motion.face.colors, atol=0.51)


def test_normals_of_morph_targets(motion: Motion, tmp_path: Path) -> None:
    glb, face = Glb(export_motion(motion, tmp_path / "head.glb")), motion.face
    jaw = face.blendshapes.index("jawOpen")
    opened = trimesh.Trimesh(
        face.template + face.deltas[jaw], face.triangles, process=False
    ).vertex_normals
    normals = glb.read(glb.primitive["attributes"]["NORMAL"]) + glb.deltas("NORMAL")[jaw]
    skin = face.regions["skin"]
    alike = np.einsum("ij,ij->i", normals[skin], opened[skin])
    assert np.median(alike) > 0.999
    still = ~face.deltas[jaw].any(axis=1)
    assert (glb.deltas("NORMAL")[jaw][still] == 0).mean() > 0.95


def test_file_size(motion: Motion, tmp_path: Path) -> None:
    """Zero rows of morph targets are left out; with them it would be 11 MB."""
    assert export_motion(motion, tmp_path / "head.glb").stat().st_size < 3_000_000


def test_trimesh_loads_glb(motion: Motion, tmp_path: Path) -> None:
    scene = trimesh.load(export_motion(motion, tmp_path / "head.glb"), process=False)
    (mesh,) = scene.geometry.values()
    np.testing.assert_array_equal(mesh.vertices, motion.face.template)
    np.testing.assert_array_equal(mesh.faces, motion.face.triangles)


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
    np.testing.assert_allclose(glb.vertices(), both.vertices(), atol=TOLERANCE)


def test_skin_reproduces_head_pose(motion: Motion, tmp_path: Path) -> None:
    nods = nodding(motion)
    glb = Glb(export_motion(nods, tmp_path / "head.glb"))
    assert np.abs(nods.vertices() - motion.vertices()).max() > 0.03
    np.testing.assert_allclose(glb.vertices(), nods.vertices(), atol=1e-5)
    np.testing.assert_allclose(glb.morphed(), motion.vertices(), atol=1e-6)
    lowest = motion.face.template[:, 1].argmin()
    np.testing.assert_allclose(glb.vertices()[:, lowest], motion.vertices()[:, lowest], atol=1e-6)


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
        validateBytes(bytes).then(({ issues }) => console.log(JSON.stringify(issues)));
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
