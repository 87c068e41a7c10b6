"""Export of motions: formats, frame rate, the sound beside, and the command line."""

import shutil
import tracemalloc
import wave
import zipfile
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import trimesh
from export_motions import FPS, VOICE, chatter, mask_face, vertex_motion
from glb_reader import Glb

from jambatalk import Face, Motion, Speech, export_motion
from jambatalk.cli import main
from jambatalk.errors import ExportError, MotionError
from jambatalk.export import FORMATS


@pytest.fixture(scope="module")
def motion() -> Motion:
    return chatter(50)


@pytest.fixture
def moved() -> Motion:
    return vertex_motion()


@pytest.fixture
def mask() -> Face:
    return mask_face()


def test_obj_frames(motion: Motion, tmp_path: Path) -> None:
    few, face = replace(motion, weights=motion.weights[:12]), motion.face
    with zipfile.ZipFile(export_motion(few, tmp_path / "frames.zip")) as archive:
        names = archive.namelist()
        assert names[:12] == [f"frame_{number:04}.obj" for number in range(1, 13)]
        text = archive.read("frame_0008.obj").decode()
        described = archive.read("head.mtl").decode()
        pictures = [line.split()[1] for line in described.splitlines() if line[:6] == "map_Kd"]
        assert sorted(names[12:]) == sorted(["head.mtl", *pictures])
        albedos = [material.albedo for material in face.materials if material.albedo]
        assert [archive.read(name) for name in pictures] == albedos
    rows = np.array([line.split()[1:] for line in text.splitlines() if line[:2] == "v "], float)
    np.testing.assert_allclose(rows[:, :3], motion.vertices()[7], atol=5.1e-7)
    np.testing.assert_allclose(255 * rows[:, 3:], face.colors, atol=0.2)
    mesh = trimesh.load(
        StringIO(text.replace("usemtl", "#")), file_type="obj", process=False, maintain_order=True
    )
    order = np.argsort(face.material_index, kind="stable")
    np.testing.assert_array_equal(mesh.faces, face.triangles[order])
    uv = np.array([line.split()[1:] for line in text.splitlines() if line[:3] == "vt "], float)
    np.testing.assert_allclose(uv, face.uv, atol=5.1e-6)
    used = [line.split()[1] for line in text.splitlines() if line[:6] == "usemtl"]
    assert used == [m.name for k, m in enumerate(face.materials) if k in face.material_index]


def test_npy_and_npz_round_trip(motion: Motion, moved: Motion, tmp_path: Path) -> None:
    for each in (motion, moved):
        vertices = np.load(export_motion(each, tmp_path / "vertices.npy"), mmap_mode="r")
        assert vertices.dtype == np.float32
        np.testing.assert_array_equal(vertices, each.vertices())
        again = Motion.load(export_motion(each, tmp_path / "motion.npz"))
        np.testing.assert_array_equal(again.vertices(), each.vertices())


@pytest.mark.parametrize("suffix", [".npy", ".zip"])
def test_memory_is_independent_of_length(suffix: str, mask: Face, tmp_path: Path) -> None:
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


def test_output_is_deterministic(motion: Motion, tmp_path: Path) -> None:
    few = replace(motion, weights=motion.weights[:3])
    for suffix in set(FORMATS) - {".npz"}:
        one, two = (export_motion(few, tmp_path / f"{name}{suffix}").read_bytes() for name in "ab")
        assert one == two


def test_unwritable_path_raises_export_error(motion: Motion, tmp_path: Path) -> None:
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
def test_sound_of_array(suffix: str, motion: Motion, tmp_path: Path) -> None:
    tone = np.float32(0.5) * np.sin(np.arange(16_000) / 10).astype(np.float32)
    export_motion(motion, tmp_path / f"head{suffix}", speech=Speech.from_array(tone, 16_000))
    rate, channels, samples = read_wav(tmp_path / "head.wav")
    assert (rate, channels) == (16_000, 1)
    np.testing.assert_allclose(samples[:, 0] / 32767, tone, atol=2e-5)


def test_sound_of_file_keeps_rate_and_channels(motion: Motion, tmp_path: Path) -> None:
    stereo = (1000 * np.sin(np.arange(44_100)[:, None] / [10, 20])).astype("<i2")
    with wave.open(str(tmp_path / "in: stereo.wav"), "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        file.writeframes(stereo.tobytes())
    speech = Speech.read(tmp_path / "in: stereo.wav")
    export_motion(motion, tmp_path / "head.glb", speech=speech)
    rate, channels, samples = read_wav(tmp_path / "head.wav")
    assert (rate, channels) == (44_100, 2)
    np.testing.assert_array_equal(samples, stereo)


def test_sound_never_overwrites_the_recording(motion: Motion, tmp_path: Path) -> None:
    shutil.copy(VOICE, tmp_path / "speech.wav")
    export_motion(motion, tmp_path / "speech.glb", speech=tmp_path / "speech.wav")
    assert (tmp_path / "speech.wav").read_bytes() == VOICE.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"speech.wav", "speech.glb"}


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".zip"])
def test_data_formats_have_no_sound(suffix: str, motion: Motion, tmp_path: Path) -> None:
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
    assert not other.with_suffix(".wav").exists()  # the recording was not named
    slow = ["export", str(saved), "-o", str(tmp_path / "slow.csv"), "--fps", "24"]
    assert main([*slow, "--speech", str(VOICE), "--no-sound"]) == 0
    assert not (tmp_path / "slow.wav").exists()
    assert main([*slow, "--speech", str(VOICE)]) == 0
    assert (tmp_path / "slow.wav").exists()
    second = (tmp_path / "slow.csv").read_text().splitlines()[2]
    assert second.startswith("00:00:00:02.500,")
    capsys.readouterr()
    assert main(["export", str(saved), "-o", "head.fbx"]) == 1
    assert "'head.fbx' is not a name for a motion. End it with .glb" in capsys.readouterr().err
    assert main(["export", "missing.npz", "-o", str(other)]) == 1
    assert "There is no file 'missing.npz'" in capsys.readouterr().err
    assert main(["compare", str(VOICE), "-o", str(other), "--styles", "crisp,theatrical"]) == 1
    assert "End it with .mp4.\n" in capsys.readouterr().err
