"""Motions as other programs read them."""

import json
import shutil
import subprocess
import tracemalloc
import wave
import zipfile
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from jambatalk import Face, Motion, Speech, export_motion, load_head
from jambatalk.cli import main
from jambatalk.data.tracks import TrackFile
from jambatalk.errors import ExportError, MotionError
from jambatalk.export import FORMATS
from jambatalk.export.live_link import live_link_rotation
from jambatalk.export.morph_targets import TOLERANCE
from jambatalk.face.eyes import Eyes

FPS = 30.0
VOICE = Path(__file__).parent.parent / "assets" / "voices" / "pico_en.wav"


def chatter(frames: int, fps: float = FPS, head: str = "mara") -> Motion:
    """A mouth that moves, and everything else a little."""
    face = load_head(head)
    time = np.arange(frames)[:, None] / fps
    rate = 0.5 + np.arange(len(face.blendshapes)) % 7
    weights = 0.1 * (1 - np.cos(2 * np.pi * rate * time))
    weights[:, face.blendshapes.index("jawOpen")] *= 2
    weights[:, face.blendshapes.index("tongueOut")] = 0
    return Motion(weights.astype(np.float32), fps, face)


@pytest.fixture(scope="module")
def motion() -> Motion:
    return chatter(50)


@pytest.fixture(scope="module")
def mask() -> Face:
    """An open mesh without blendshapes, as the published datasets have."""
    face = load_head("kofi")
    triangles = face.triangles[(face.triangles < 4000).all(axis=1)]
    return replace(
        face,
        name="mask",
        template=face.template[:4000],
        triangles=triangles,
        colors=face.colors[:4000],
        gloss=face.gloss[:4000],
        blendshapes=(),
        deltas=np.zeros((0, 4000, 3), np.float32),
        regions={},
        landmarks={},
    )


@pytest.fixture
def moved(motion: Motion, mask: Face) -> Motion:
    """The same as offsets of vertices."""
    offsets = motion.vertices() - motion.face.template
    return Motion.of_vertices(offsets[:, :4000], FPS, mask)


class Glb:
    """A .glb read by nothing but the specification."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        magic, version, length, json_length = np.frombuffer(data, "<u4", 4)
        assert (data[:4], version, length) == (b"glTF", 2, len(data))
        assert magic.tobytes() == data[:4]
        assert data[16:20] == b"JSON"
        start = 20 + int(json_length)
        self.json = json.loads(data[20:start])
        assert data[start + 4 : start + 8] == b"BIN\0"
        self.binary = data[start + 8 :]
        assert len(self.binary) == self.json["buffers"][0]["byteLength"]
        self.mesh = self.json["meshes"][0]
        self.primitive = self.mesh["primitives"][0]

    def read(self, number: int) -> np.ndarray:
        """An accessor's values."""
        accessor = self.json["accessors"][number]
        width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}[accessor["type"]]
        values = self._view(accessor, accessor["count"] * width).reshape(-1, width).copy()
        if sparse := accessor.get("sparse"):
            rows = self._view(sparse["indices"], sparse["count"])
            kind = {**sparse["values"], "componentType": accessor["componentType"]}
            values[rows] = self._view(kind, sparse["count"] * width).reshape(-1, width)
        if "min" in accessor:
            np.testing.assert_array_equal(values.min(0), np.float32(accessor["min"]))
            np.testing.assert_array_equal(values.max(0), np.float32(accessor["max"]))
        return values

    def _view(self, kind: dict, count: int) -> np.ndarray:
        view = self.json["bufferViews"][kind["bufferView"]]
        dtype = {5121: "u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}[kind["componentType"]]
        return np.frombuffer(self.binary, dtype, count, view["byteOffset"])

    @property
    def names(self) -> list[str]:
        return self.mesh["extras"]["targetNames"]

    def deltas(self, attribute: str = "POSITION") -> np.ndarray:
        """(K, V, 3)."""
        return np.array([self.read(target[attribute]) for target in self.primitive["targets"]])

    def animation(self, path: str = "weights") -> tuple[np.ndarray, np.ndarray]:
        """Times (T,) and values (T, K) of the node property that has this path."""
        (animation,) = self.json["animations"]
        (channel,) = [c for c in animation["channels"] if c["target"]["path"] == path]
        node = self.json["nodes"][channel["target"]["node"]]
        assert ("mesh" in node) == (path == "weights")
        sampler = animation["samplers"][channel["sampler"]]
        times = self.read(sampler["input"])[:, 0]
        return times, self.read(sampler["output"]).reshape(len(times), -1)

    def morphed(self) -> np.ndarray:
        """Vertices (T, V, 3) as a viewer morphs them."""
        base = self.read(self.primitive["attributes"]["POSITION"])
        if "targets" not in self.primitive:
            return base[None]
        _, weights = self.animation()
        return base + np.einsum("tk,kvc->tvc", weights, self.deltas())

    def vertices(self) -> np.ndarray:
        """Vertices (T, V, 3) as a viewer morphs and then skins them."""
        vertices = self.morphed()
        if "skins" not in self.json:
            return vertices
        (skin,) = self.json["skins"]
        inverse_bind = self.read(skin["inverseBindMatrices"]).reshape(-1, 4, 4).swapaxes(1, 2)
        root, head = (self.json["nodes"][joint] for joint in skin["joints"])
        assert root == {"name": "root", "children": [skin["joints"][1]]}
        _, rotation = self.animation("rotation")
        pose = np.tile(np.eye(4), (len(rotation), 2, 1, 1))  # (T, joints, 4, 4)
        pose[:, 1, :3, :3] = Rotation.from_quat(rotation).as_matrix()
        pose[:, 1, :3, 3] = head["translation"]
        joints = self.read(self.primitive["attributes"]["JOINTS_0"])
        weights = self.read(self.primitive["attributes"]["WEIGHTS_0"]).astype(float)
        np.testing.assert_allclose(weights.sum(1), 1, atol=1e-6)
        moving = (pose @ inverse_bind)[:, joints]  # (T, V, 4 slots, 4, 4)
        matrices = np.einsum("vs,tvsij->tvij", weights, moving)
        return np.einsum("tvij,tvj->tvi", matrices[..., :3, :3], vertices) + matrices[..., :3, 3]


def test_glb_holds_the_head_its_actions_and_the_motion(motion: Motion, tmp_path: Path) -> None:
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


def test_glb_colours_are_linear_light(motion: Motion, tmp_path: Path) -> None:
    glb = Glb(export_motion(motion, tmp_path / "head.glb"))
    color = glb.read(glb.primitive["attributes"]["COLOR_0"]) / 65535
    assert (color[:, 3] == 1).all()
    back = np.where(
        color <= 0.0031308, 12.92 * color, 1.055 * np.maximum(color, 0) ** (1 / 2.4) - 0.055
    )
    np.testing.assert_allclose(255 * back[:, :3], motion.face.colors, atol=0.51)


def test_glb_normals_follow_the_jaw(motion: Motion, tmp_path: Path) -> None:
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


def test_glb_is_small(motion: Motion, tmp_path: Path) -> None:
    """Rows of zeros are left out; without that it were 11 MB."""
    assert export_motion(motion, tmp_path / "head.glb").stat().st_size < 3_000_000


def test_trimesh_opens_the_glb(motion: Motion, tmp_path: Path) -> None:
    scene = trimesh.load(export_motion(motion, tmp_path / "head.glb"), process=False)
    (mesh,) = scene.geometry.values()
    np.testing.assert_array_equal(mesh.vertices, motion.face.template)
    np.testing.assert_array_equal(mesh.faces, motion.face.triangles)


def test_glb_of_vertices_keeps_every_vertex_in_its_place(moved: Motion, tmp_path: Path) -> None:
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


def test_glb_of_actions_and_vertices(motion: Motion, tmp_path: Path) -> None:
    offsets = np.sin(np.arange(50))[:, None, None] * motion.face.deltas[:1]
    both = replace(motion, offsets=offsets.astype(np.float32))
    glb = Glb(export_motion(both, tmp_path / "both.glb"))
    assert glb.names == [*motion.face.blendshapes, "motion_001_plus", "motion_001_minus"]
    np.testing.assert_allclose(glb.vertices(), both.vertices(), atol=TOLERANCE)


def nodding(motion: Motion) -> Motion:
    """The motion with a head that turns every way, within the limits of head motion."""
    time = np.arange(len(motion))[:, None] / motion.fps
    pose = np.float32([0.2, 0.3, 0.15]) * np.sin(time * [3, 2, 5] + [0, 1, 2])
    return replace(motion, pose=pose.astype(np.float32))


def test_glb_skin_turns_the_head_as_the_motion_does(motion: Motion, tmp_path: Path) -> None:
    nods = nodding(motion)
    glb = Glb(export_motion(nods, tmp_path / "head.glb"))
    assert np.abs(nods.vertices() - motion.vertices()).max() > 0.03
    np.testing.assert_allclose(glb.vertices(), nods.vertices(), atol=1e-5)
    np.testing.assert_allclose(glb.morphed(), motion.vertices(), atol=1e-6)
    lowest = motion.face.template[:, 1].argmin()
    np.testing.assert_allclose(glb.vertices()[:, lowest], motion.vertices()[:, lowest], atol=1e-6)


def test_glb_skin_turns_vertex_motions_and_still_faces(
    moved: Motion, mask: Face, tmp_path: Path
) -> None:
    still = Motion.of_vertices(np.zeros((9, 4000, 3), np.float32), FPS, mask)
    for each, error in ((moved, TOLERANCE), (still, 1e-5)):
        nods = nodding(each)
        glb = Glb(export_motion(nods, tmp_path / "mask.glb"))
        np.testing.assert_allclose(glb.vertices(), nods.vertices(), atol=error)


@pytest.mark.parametrize("frames", [1, 2])
def test_the_shortest_motion(frames: int, tmp_path: Path) -> None:
    times, weights = Glb(export_motion(chatter(frames), tmp_path / "short.glb")).animation()
    assert weights.shape == (frames, 53)
    assert times[-1] == pytest.approx((frames - 1) / FPS)


def test_a_mask_that_rests_is_a_mesh_alone(mask: Face, tmp_path: Path) -> None:
    still = Motion.of_vertices(np.zeros((9, 4000, 3), np.float32), FPS, mask)
    glb = Glb(export_motion(still, tmp_path / "still.glb"))
    assert "targets" not in glb.primitive
    assert "animations" not in glb.json


def test_noise_is_no_motion_for_morph_targets(mask: Face, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, (300, 4000, 3)).astype(np.float32)
    with pytest.raises(ExportError, match=r"does not fit.*\.npy"):
        export_motion(Motion.of_vertices(noise, FPS, mask), tmp_path / "noise.glb")
    assert not list(tmp_path.iterdir())


def test_the_reference_validator_finds_nothing(
    motion: Motion, moved: Motion, tmp_path: Path
) -> None:
    """Needs node, and gltf-validator on NODE_PATH."""
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


def test_csv_is_as_live_link_face_writes_it(motion: Motion, tmp_path: Path) -> None:
    path = export_motion(motion, tmp_path / "track.csv")
    header, *rows = [line.split(",") for line in path.read_text().splitlines()]
    assert header[:4] == ["Timecode", "BlendShapeCount", "EyeBlinkLeft", "EyeLookDownLeft"]
    assert header[16:20] == ["JawForward", "JawRight", "JawLeft", "JawOpen"]
    assert header[53:] == [
        *("TongueOut", "HeadYaw", "HeadPitch", "HeadRoll", "LeftEyeYaw", "LeftEyePitch"),
        *("LeftEyeRoll", "RightEyeYaw", "RightEyePitch", "RightEyeRoll"),
    ]
    known = {blendshape.lower() for blendshape in motion.face.blendshapes} - {"tongueup"}
    assert {name.lower() for name in header[2:54]} == known
    assert len(rows) == 50
    assert {len(row) for row in rows} == {63}
    assert {row[1] for row in rows} == {"61"}
    assert {value for row in rows for value in row[54:57]} == {"0.000000"}  # the head is still
    jaw = [float(row[19]) for row in rows]
    np.testing.assert_allclose(jaw, motion.blendshape("jawOpen"), atol=5.1e-7)


def read_csv(path: Path) -> dict[str, np.ndarray]:
    """Column → values (T,), without the timecodes."""
    header, *rows = [line.split(",") for line in path.read_text().splitlines()]
    values = np.array([row[1:] for row in rows], float)
    return dict(zip(header[1:], values.T, strict=True))


def looking_ahead(motion: Motion) -> Motion:
    """A nodding motion whose eyes stay on the viewer, and whose lids close once."""
    nods, column = nodding(motion), motion.face.blendshapes.index
    nods = replace(nods, pose=0.6 * nods.pose)  # as far as the eyes can turn
    eyes, weights = Eyes.of(motion.face), motion.weights.copy()
    for name, values in eyes.look(np.zeros((len(nods), 2)), nods.pose).items():
        weights[:, column(name)] = values
    for side in ("Left", "Right"):
        lowered = eyes.lids * weights[:, column(f"eyeLookDown{side}")]
        weights[:, column(f"eyeBlink{side}")] = np.linspace(0, 1, len(nods)) * (1 - lowered)
    return replace(nods, weights=weights)


def test_csv_holds_the_rotation_of_head_and_eyes(motion: Motion, tmp_path: Path) -> None:
    """Angles as Unreal computes them for ARKit's faces, and as real recordings hold them."""
    ahead = looking_ahead(motion)
    columns = read_csv(export_motion(ahead, tmp_path / "track.csv"))
    pitch, yaw, roll = ahead.pose.T
    np.testing.assert_allclose(columns["HeadYaw"], -yaw, atol=1e-6)
    np.testing.assert_allclose(columns["HeadPitch"], pitch, atol=1e-6)
    np.testing.assert_allclose(columns["HeadRoll"], -roll, atol=1e-6)
    for side in ("Left", "Right"):
        np.testing.assert_allclose(columns[f"{side}EyeYaw"], yaw, atol=1e-6)
        np.testing.assert_allclose(columns[f"{side}EyePitch"], -pitch, atol=1e-6)
    assert (columns["LeftEyeYaw"][columns["EyeLookInLeft"] > 0] > 0).all()
    assert (columns["RightEyePitch"][columns["EyeLookUpRight"] > 0] < 0).all()


def test_eye_roll_is_that_of_real_recordings() -> None:
    """Two frames of an iPhone: the eyes look up, to the right and to the left."""
    face = load_head(1)
    eyes, column = Eyes.of(face), face.blendshapes.index
    weights = np.zeros((2, len(face.blendshapes)), np.float32)
    weights[0, column("eyeLookInLeft")] = 0.2522848 / eyes.turn["eyeLookInLeft"]
    weights[1, column("eyeLookOutLeft")] = 0.2458151 / eyes.turn["eyeLookOutLeft"]
    weights[:, column("eyeLookUpLeft")] = [0.0854377, 0.1920125] / np.float64(
        eyes.turn["eyeLookUpLeft"]
    )
    angles = live_link_rotation(Motion(weights, FPS, face))[:, 3:6]
    recorded = [[0.2522848, -0.0854377, -0.0213755], [-0.2458151, -0.1920125, 0.0472733]]
    np.testing.assert_allclose(angles, recorded, atol=1e-6)


def test_json_has_no_head_so_the_eyes_do_not_compensate(motion: Motion, tmp_path: Path) -> None:
    track = json.loads(export_motion(looking_ahead(motion), tmp_path / "track.json").read_text())
    weights = dict(zip(track["facsNames"], np.array(track["weightMat"]).T, strict=True))
    for name in weights:
        if name.startswith("eyeLook"):
            np.testing.assert_allclose(weights[name], 0, atol=1e-6)
        elif name.startswith("eyeBlink"):
            np.testing.assert_allclose(weights[name], np.linspace(0, 1, 50), atol=1e-5)
        else:
            np.testing.assert_allclose(weights[name], motion.blendshape(name), atol=1e-6)


def test_json_leaves_eyes_that_do_not_turn(motion: Motion, tmp_path: Path) -> None:
    looks = [name.startswith("eyeLook") for name in motion.face.blendshapes]
    nods = nodding(replace(motion, weights=np.where(looks, 0, motion.weights)))
    still, turning = (
        export_motion(m, tmp_path / "t.json").read_bytes() for m in (replace(nods, pose=None), nods)
    )
    assert still == turning


@pytest.mark.parametrize("fps", [25.0, 30.0, 29.97, 60.0])
def test_timecodes_count_sixtieths_whatever_the_rate(fps: float, tmp_path: Path) -> None:
    still = Motion(np.zeros((4000, 53), np.float32), fps, load_head(1))
    rows = export_motion(still, tmp_path / "track.csv").read_text().splitlines()[1:]
    codes = [row.split(",")[0] for row in rows]
    assert codes[0] == "00:00:00:00.000"
    parts = np.array([[float(part) for part in code.split(":")] for code in codes])
    assert (parts[:, 1:] < 60).all()
    seconds = parts @ [3600, 60, 1, 1 / 60]
    np.testing.assert_allclose(seconds, np.arange(4000) / fps, atol=1e-5)


def test_json_is_as_audio2face_writes_it(motion: Motion, tmp_path: Path) -> None:
    track = json.loads(export_motion(motion, tmp_path / "track.json").read_text())
    assert (track["exportFps"], track["numPoses"], track["numFrames"]) == (30, 52, 50)
    assert track["trackPath"] == ""
    assert track["facsNames"][14:18] == ["jawForward", "jawLeft", "jawRight", "jawOpen"]
    assert "tongueUp" not in track["facsNames"]
    weights = np.array(track["weightMat"])
    for name, column in zip(track["facsNames"], weights.T, strict=True):
        np.testing.assert_allclose(column, motion.blendshape(name), atol=5.1e-7)


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_tracks_are_read_back_to_the_last_decimal(
    suffix: str, motion: Motion, tmp_path: Path
) -> None:
    track = TrackFile(export_motion(motion, tmp_path / f"track{suffix}"), motion.face.blendshapes)
    read = track.read(slice(None))
    written = motion.weights.astype(float).round(6).astype(np.float32)
    written[:, motion.face.blendshapes.index("tongueUp")] = 0
    np.testing.assert_array_equal(read, written)
    again = export_motion(replace(motion, weights=read), tmp_path / f"2{suffix}")
    if suffix == ".json":
        assert again.read_bytes() == track.path.read_bytes()
    else:  # angles of the eyes are computed from weights before those are rounded
        first, second = read_csv(track.path), read_csv(again)
        for name in first:
            np.testing.assert_allclose(second[name], first[name], atol=1.1e-6)


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_vertices_are_no_weights(suffix: str, moved: Motion, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"'mask' does not move by ARKit's 52 blendshapes"):
        export_motion(moved, tmp_path / f"track{suffix}")


def test_obj_frames_are_the_vertices(motion: Motion, tmp_path: Path) -> None:
    few, face = replace(motion, weights=motion.weights[:12]), motion.face
    with zipfile.ZipFile(export_motion(few, tmp_path / "frames.zip")) as archive:
        names = archive.namelist()
        assert names == [f"frame_{number:04}.obj" for number in range(1, 13)]
        text = archive.read("frame_0008.obj").decode()
    rows = np.array([line.split()[1:] for line in text.splitlines() if line[:2] == "v "], float)
    np.testing.assert_allclose(rows[:, :3], motion.vertices()[7], atol=5.1e-7)
    np.testing.assert_allclose(255 * rows[:, 3:], face.colors, atol=0.2)
    mesh = trimesh.load(StringIO(text), file_type="obj", process=False, maintain_order=True)
    np.testing.assert_array_equal(mesh.faces, face.triangles)


def test_npy_and_npz(motion: Motion, moved: Motion, tmp_path: Path) -> None:
    for each in (motion, moved):
        vertices = np.load(export_motion(each, tmp_path / "vertices.npy"), mmap_mode="r")
        assert vertices.dtype == np.float32
        np.testing.assert_array_equal(vertices, each.vertices())
        again = Motion.load(export_motion(each, tmp_path / "motion.npz"))
        np.testing.assert_array_equal(again.vertices(), each.vertices())


@pytest.mark.parametrize("suffix", [".npy", ".zip"])
def test_length_costs_no_memory(suffix: str, mask: Face, tmp_path: Path) -> None:
    small = replace(
        mask,
        template=mask.template[:400],
        colors=mask.colors[:400],
        triangles=mask.triangles[(mask.triangles < 400).all(axis=1)],
    )
    peaks = []
    for frames in (1, 130, 200):  # the first imports; two chunks are alive at a time
        motion = Motion.of_vertices(np.zeros((frames, 400, 3), np.float32), FPS, small)
        tracemalloc.start()
        export_motion(motion, tmp_path / f"long{suffix}")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] - peaks[1] < motion.offsets[130:].nbytes


def test_the_same_motion_gives_the_same_bytes(motion: Motion, tmp_path: Path) -> None:
    few = replace(motion, weights=motion.weights[:3])
    for suffix in set(FORMATS) - {".npz"}:
        one, two = (export_motion(few, tmp_path / f"{name}{suffix}").read_bytes() for name in "ab")
        assert one == two


def test_what_cannot_be_written_is_said(motion: Motion, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"not a name for a motion.*\.glb, \.csv"):
        export_motion(motion, tmp_path / "head.fbx")
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="cannot be written"):
        export_motion(motion, tmp_path / "file" / "head.glb")
    (tmp_path / "folder.glb").mkdir()
    with pytest.raises(ExportError, match="cannot be written"):
        export_motion(motion, tmp_path / "folder.glb")
    with pytest.raises(ExportError, match="no frames"):
        export_motion(replace(motion, weights=motion.weights[:0]), tmp_path / "head.glb")
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder.glb"}


@pytest.mark.parametrize("fps", [24, 25, 60.0])
def test_fps_resamples(fps: float, motion: Motion, tmp_path: Path) -> None:
    glb = Glb(export_motion(motion, tmp_path / "head.glb", fps=fps))
    times, weights = glb.animation()
    np.testing.assert_allclose(times, np.arange(round(50 / FPS * fps)) / fps, atol=1e-6)
    assert glb.json["asset"]["extras"]["fps"] == fps
    jaw = motion.face.blendshapes.index("jawOpen")
    original = np.interp(times, np.arange(50) / FPS, motion.weights[:, jaw])
    np.testing.assert_allclose(weights[:, jaw], original, atol=1e-5)


@pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf")])
def test_fps_must_be_positive(fps: float, motion: Motion, tmp_path: Path) -> None:
    with pytest.raises(MotionError, match="not a frame rate"):
        export_motion(motion, tmp_path / "head.csv", fps=fps)


def read_wav(path: Path) -> tuple[int, int, np.ndarray]:
    """Rate, channels, and samples (n, channels) int16."""
    with wave.open(str(path)) as file:
        assert file.getsampwidth() == 2
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return file.getframerate(), file.getnchannels(), samples.reshape(-1, file.getnchannels())


@pytest.mark.parametrize("suffix", [".glb", ".csv", ".json"])
def test_sound_of_an_array_is_written_beside(suffix: str, motion: Motion, tmp_path: Path) -> None:
    tone = np.float32(0.5) * np.sin(np.arange(16_000) / 10).astype(np.float32)
    export_motion(motion, tmp_path / f"head{suffix}", speech=Speech.from_array(tone, 16_000))
    rate, channels, samples = read_wav(tmp_path / "head.wav")
    assert (rate, channels) == (16_000, 1)
    np.testing.assert_allclose(samples[:, 0] / 32767, tone, atol=2e-5)


def test_sound_of_a_file_keeps_its_rate_and_channels(motion: Motion, tmp_path: Path) -> None:
    stereo = (1000 * np.sin(np.arange(44_100)[:, None] / [10, 20])).astype("<i2")
    with wave.open(str(tmp_path / "in: stereo.wav"), "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        file.writeframes(stereo.tobytes())
    speech = Speech.read(tmp_path / "in: stereo.wav")
    export_motion(motion, tmp_path / "head.glb", speech=speech)
    rate, channels, samples = read_wav(tmp_path / "head.wav")
    assert (rate, channels) == (44_100, 2)
    np.testing.assert_array_equal(samples, stereo)


def test_sound_does_not_replace_the_recording(motion: Motion, tmp_path: Path) -> None:
    shutil.copy(VOICE, tmp_path / "speech.wav")
    speech = Speech.read(tmp_path / "speech.wav")
    export_motion(motion, tmp_path / "speech.glb", speech=speech)
    assert (tmp_path / "speech.wav").read_bytes() == VOICE.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"speech.wav", "speech.glb"}


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".zip"])
def test_sound_is_not_written_beside_data(suffix: str, motion: Motion, tmp_path: Path) -> None:
    few = replace(motion, weights=motion.weights[:2])
    export_motion(few, tmp_path / f"head{suffix}", speech=Speech.read(VOICE))
    assert [path.name for path in tmp_path.iterdir()] == [f"head{suffix}"]


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "motion.npz"
    assert main(["animate", str(VOICE), "-o", str(tmp_path / "head.glb")]) == 0
    assert read_wav(tmp_path / "head.wav")[0] == 16_000
    assert main(["animate", str(VOICE), "-o", str(saved)]) == 0
    assert "Exporting" in capsys.readouterr().out
    motion, glb = Motion.load(saved), Glb(tmp_path / "head.glb")
    times, weights = glb.animation()
    np.testing.assert_array_equal(weights, motion.weights)
    assert times[-1] + 1 / FPS == pytest.approx(Speech.read(VOICE).duration, abs=1 / FPS)

    other = tmp_path / "other.glb"
    assert main(["export", str(saved), "-o", str(other), "--head", "kofi"]) == 0
    assert Glb(other).json["nodes"][0]["name"] == "kofi"
    capsys.readouterr()
    assert main(["export", str(saved), "-o", "head.fbx"]) == 1
    assert "'head.fbx' is not a name for a motion. End it with .glb" in capsys.readouterr().err
    assert main(["export", "missing.npz", "-o", str(other)]) == 1
    assert "There is no file 'missing.npz'" in capsys.readouterr().err
    assert main(["compare", str(VOICE), "-o", str(other), "--styles", "crisp,theatrical"]) == 1
    assert "End it with .mp4.\n" in capsys.readouterr().err
