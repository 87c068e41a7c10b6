"""Readers of the captured data sets, landmark fitting and style transfer, on synthetic data."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from captured_data import as_stored, tracked
from imageio_ffmpeg import get_ffmpeg_exe
from local_data import DATA

from jambatalk import Face, load_head
from jambatalk.errors import DataError
from jambatalk.face.lips import aperture, width
from jambatalk.motion.resample import resample
from recipes.checkpoint.captured.facegood import read_facegood
from recipes.checkpoint.captured.grid_corpus import ASPECT, read_grid, read_tracked_lips

VOICES = Path(__file__).parent.parent / "assets" / "voices"


@pytest.fixture(scope="module")
def face() -> Face:
    return load_head(1)


@pytest.fixture(scope="module")
def weights(face: Face) -> np.ndarray:
    """Two seconds of a mouth that opens, rounds and closes, (50, 52)."""
    t = np.arange(50) / 25
    weights = np.zeros((50, len(face.blendshapes)), np.float32)
    jaw = np.clip(0.4 * np.sin(2 * np.pi * 1.5 * t), 0, None)
    weights[:, face.blendshapes.index("jawOpen")] = jaw
    weights[:, face.blendshapes.index("mouthPucker")] = np.clip(
        0.5 * np.sin(2 * np.pi * t), 0, None
    )
    weights[:10] = 0
    weights[-10:] = 0
    return weights


def write_grid(folder: Path, face: Face, weights: np.ndarray) -> None:
    landmarks, index = tracked(face, weights, turn=0.2)
    opening = np.tile(aperture(face, weights) / 0.084, 2)
    lost = np.zeros(100, bool)
    lost[[20, 21]] = True  # tracking is lost
    np.savez(
        folder / "motion.npz",
        clip=["one", "two"],
        frames=[50, 50],
        fps=25.0,
        landmarks=as_stored(np.concatenate([landmarks, landmarks])),
        landmark_index=index,
        lips=np.stack([opening, opening], 1).astype(np.float32),
        lips_names=["lip_open", "lip_width"],
        tracked=~lost,
    )
    (folder / "audio").mkdir()
    for name in ("one", "two"):
        sound(folder / "audio" / f"{name}.opus", "-c:a", "libopus")


def sound(path: Path, *options: str) -> None:
    command = [get_ffmpeg_exe(), "-v", "error", "-t", "2", "-i", str(VOICES / "jfk.flac"), *options]
    subprocess.run([*command, str(path)], check=True)


def test_grid_fit_is_independent_of_head_motion(
    tmp_path: Path, face: Face, weights: np.ndarray
) -> None:
    write_grid(tmp_path, face, weights)
    one, two = read_grid(tmp_path, face)
    assert (one.name, two.name, one.fps, one.style) == ("one", "two", 25.0, "english-man")
    assert len(one.samples) == pytest.approx(32000, abs=500)
    for clip in (one, two):
        assert clip.weights.min() >= 0
        fitted, truth = aperture(face, clip.weights), aperture(face, weights)
        assert np.corrcoef(fitted, truth)[0, 1] > 0.98
        error = np.abs(fitted - truth)
        assert error.max() < 0.005  # while tracking is lost, where the mouth is widest open
        assert np.delete(error, slice(19, 23)).max() < 0.002
        assert np.abs(fitted[:10]).max() < 0.0008  # closed lips stay closed


def test_tracked_lips_are_in_distances_of_the_eye_corners(
    tmp_path: Path, face: Face, weights: np.ndarray
) -> None:
    write_grid(tmp_path, face, weights)
    lips = read_tracked_lips(tmp_path)["one"]
    right, *_, left = face.template[face.landmarks["eye_corners"]]
    eyes = np.linalg.norm(left - right)
    still = slice(0, 5)  # the head turns later
    np.testing.assert_allclose(lips.width[still], width(face, weights)[still] / eyes, rtol=0.01)
    opened = np.argmax(aperture(face, weights))
    assert lips.aperture[opened] == pytest.approx(aperture(face, weights)[opened] / eyes, rel=0.12)


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the data of the checkpoint")
def test_aspect_reproduces_the_measures_that_were_stored_beside_the_landmarks() -> None:
    with np.load(DATA / "grid_s1" / "motion.npz") as file:
        index, names = file["landmark_index"].tolist(), file["lips_names"].tolist()
        if "nose_chin" not in names:
            pytest.skip("converted without a vertical measure of bones")
        tracked = file["tracked"]
        points = file["landmarks"][tracked] * np.array([1.0, ASPECT, 1.0])
        height, across = (file["lips"][tracked, names.index(n)] for n in ("nose_chin", "lip_width"))
    nose, chin, right, left = (points[:, index.index(n)] for n in (1, 152, 78, 308))
    lengths = [np.linalg.norm(a - b, axis=-1) for a, b in ((nose, chin), (right, left))]
    ratio = lengths[0] / lengths[1] / (height / across)
    assert ratio.mean() == pytest.approx(1, abs=0.001)
    assert ratio.std() < 0.001


def test_facegood_channels_are_mapped_by_name(tmp_path: Path, face: Face) -> None:
    names = ["mouth_stretch_c", "mouth_oh_c", "mouth_oo_c"]
    names += ["mouth_funnel_dl", "mouth_funnel_ul", "mouth_pucker_l"]
    names += ["mouth_lipStretch_l", "mouth_lipStretch_r", "mouth_press_l", "mouth_press_r"]
    names += ["mouth_lowerLipDepress_l", "mouth_lowerLipDepress_r", "mouth_suck_dl"]
    names += ["mouth_upperLipRaise_l", "mouth_upperLipRaise_r", "mouth_suck_ul"]
    rig = np.zeros((60, len(names)), np.float32)
    rig[10:50, 0] = 0.5
    np.savez(tmp_path / "take.npz", weights=rig, names=names, fps=30.0)
    sound(tmp_path / "take.flac")
    (clip,) = read_facegood(tmp_path, face)
    jaw = face.blendshapes.index("jawOpen")
    np.testing.assert_allclose(clip.weights[:, jaw], rig[:, 0])
    assert not np.delete(clip.weights, jaw, 1).any()
    assert clip.style == "mandarin-woman"


def test_resample_preserves_time() -> None:
    ramp = np.arange(50, dtype=np.float32)[:, None] / 25  # its value is its time
    there = resample(ramp, 25, 30)
    assert len(there) == 60
    np.testing.assert_allclose(there[:58, 0], np.arange(58) / 30, atol=1e-6)


def test_missing_and_damaged_data_sets(tmp_path: Path, face: Face) -> None:
    with pytest.raises(DataError, match="No takes"):
        list(read_facegood(tmp_path, face))
    with pytest.raises(DataError, match="No GRID motion"):
        list(read_grid(tmp_path, face))
    np.savez(tmp_path / "take.npz", weights=np.zeros((3, 3)))
    with pytest.raises(DataError, match="names"):
        list(read_facegood(tmp_path, face))
