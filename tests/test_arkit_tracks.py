"""Export of ARKit's weights: CSV as Live Link Face writes it, JSON as Audio2Face does."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from export_motions import FPS, chatter, nodding, vertex_motion

from jambatalk import Motion, export_motion, load_head
from jambatalk.data.tracks import TrackFile
from jambatalk.errors import ExportError
from jambatalk.export.arkit import live_link_rotation
from jambatalk.face.eyes import Eyes


@pytest.fixture(scope="module")
def motion() -> Motion:
    return chatter(50)


@pytest.fixture
def moved() -> Motion:
    return vertex_motion()


def test_csv_columns_match_live_link_face(motion: Motion, tmp_path: Path) -> None:
    path = export_motion(motion, tmp_path / "track.csv")
    header, *rows = [line.split(",") for line in path.read_text().splitlines()]
    assert header[:4] == ["Timecode", "BlendShapeCount", "EyeBlinkLeft", "EyeLookDownLeft"]
    assert header[16:20] == ["JawForward", "JawRight", "JawLeft", "JawOpen"]
    assert header[53:] == [
        "TongueOut",
        "HeadYaw",
        "HeadPitch",
        "HeadRoll",
        "LeftEyeYaw",
        "LeftEyePitch",
        "LeftEyeRoll",
        "RightEyeYaw",
        "RightEyePitch",
        "RightEyeRoll",
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


def test_csv_rotation_of_head_and_eyes(motion: Motion, tmp_path: Path) -> None:
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


def test_eye_roll_matches_real_recordings() -> None:
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


def test_json_eyes_do_not_compensate_for_head(motion: Motion, tmp_path: Path) -> None:
    track = json.loads(export_motion(looking_ahead(motion), tmp_path / "track.json").read_text())
    weights = dict(zip(track["facsNames"], np.array(track["weightMat"]).T, strict=True))
    for name in weights:
        if name.startswith("eyeLook"):
            np.testing.assert_allclose(weights[name], 0, atol=1e-6)
        elif name.startswith("eyeBlink"):
            np.testing.assert_allclose(weights[name], np.linspace(0, 1, 50), atol=1e-5)
        else:
            np.testing.assert_allclose(weights[name], motion.blendshape(name), atol=1e-6)


def test_json_keeps_resting_eyes(motion: Motion, tmp_path: Path) -> None:
    looks = [name.startswith("eyeLook") for name in motion.face.blendshapes]
    nods = nodding(replace(motion, weights=np.where(looks, 0, motion.weights)))
    still, turning = (
        export_motion(m, tmp_path / "t.json").read_bytes() for m in (replace(nods, pose=None), nods)
    )
    assert still == turning


@pytest.mark.parametrize("fps", [25.0, 30.0, 29.97, 60.0])
def test_timecodes_count_sixtieths_at_any_rate(fps: float, tmp_path: Path) -> None:
    still = Motion(np.zeros((4000, 53), np.float32), fps, load_head(1))
    rows = export_motion(still, tmp_path / "track.csv").read_text().splitlines()[1:]
    codes = [row.split(",")[0] for row in rows]
    assert codes[0] == "00:00:00:00.000"
    parts = np.array([[float(part) for part in code.split(":")] for code in codes])
    assert (parts[:, 1:] < 60).all()
    seconds = parts @ [3600, 60, 1, 1 / 60]
    np.testing.assert_allclose(seconds, np.arange(4000) / fps, atol=1e-5)


def test_json_matches_audio2face(motion: Motion, tmp_path: Path) -> None:
    track = json.loads(export_motion(motion, tmp_path / "track.json").read_text())
    assert (track["exportFps"], track["numPoses"], track["numFrames"]) == (30, 52, 50)
    assert track["trackPath"] == ""
    assert track["facsNames"][14:18] == ["jawForward", "jawLeft", "jawRight", "jawOpen"]
    assert "tongueUp" not in track["facsNames"]
    weights = np.array(track["weightMat"])
    for name, column in zip(track["facsNames"], weights.T, strict=True):
        np.testing.assert_allclose(column, motion.blendshape(name), atol=5.1e-7)


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_track_round_trip(suffix: str, motion: Motion, tmp_path: Path) -> None:
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
def test_vertex_motion_raises_export_error(suffix: str, moved: Motion, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"'mask' does not move by ARKit's 52 blendshapes"):
        export_motion(moved, tmp_path / f"track{suffix}")
