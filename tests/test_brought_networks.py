"""LSE-D, LSE-C and PLRS, by tiny random networks of the published ones' interface."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
import synthetic
import torch

from jambatalk import Motion, Speech
from jambatalk.cli import main
from jambatalk.errors import ModelError
from jambatalk.evaluate.mesh_motion import read_motion
from jambatalk.evaluate.mfcc import mel_filters, mfcc
from jambatalk.evaluate.plrs import LipReadability, mean_cosine
from jambatalk.evaluate.syncnet import (
    FACE_WIDTHS,
    SIZE,
    SOUND_WIDTHS,
    VECTOR,
    SyncNet,
    score_motion,
    sync_scores,
)
from jambatalk.face.user_face import make_face
from jambatalk.files.tensors import write_tensors

WIDTHS = (2, 2, 2, 2, 2, 3)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("syncnet") / "syncnet_v2.model"
    torch.save(SyncNet(WIDTHS, WIDTHS, 4).state_dict(), path)
    return path


def test_syncnet_has_the_published_sizes():
    with torch.device("meta"):
        network = SyncNet(SOUND_WIDTHS, FACE_WIDTHS, VECTOR).eval()
        assert network.of_sound(torch.empty(2, 1, 13, 20)).shape == (2, 1024)
        assert network.of_face(torch.empty(2, 3, 5, SIZE, SIZE)).shape == (2, 1024)
    shapes = {name: tuple(weight.shape) for name, weight in network.state_dict().items()}
    assert shapes["netcnnaud.18.weight"] == (512, 256, 5, 4)
    assert shapes["netcnnlip.18.weight"] == (512, 256, 1, 6, 6)
    assert shapes["netcnnlip.0.weight"] == (96, 3, 5, 7, 7)
    assert shapes["netfclip.3.weight"] == (1024, 512)


def test_lse_is_the_least_distance_and_what_the_median_is_above():
    sounds = np.eye(40)[:, :20] * 0 + np.arange(40)[:, None] * np.array([3.0, 4.0] + [0] * 18)
    late = np.concatenate([np.zeros((2, 20)), sounds[:-2]])  # lips two frames late
    scores = sync_scores(late[:, :2], sounds[:, :2])
    assert scores.offset == pytest.approx(2 / 25)
    assert scores.distance == pytest.approx(0, abs=1e-9)
    # by hand: sounds beyond the ends are 0, so that of 3 frames at 0, 5 and 10 ...
    faces, three = np.array([[0.0], [5.0], [10.0]]), np.array([[0.0], [5.0], [10.0]])
    by_shift = {0: 0.0, 1: (5 + 5 + 10) / 3, -1: (0 + 5 + 5) / 3, 2: (10 + 5 + 10) / 3}
    by_shift |= {-2: (0 + 5 + 10) / 3}
    others = (0 + 5 + 10) / 3  # all further shifts see nothing
    distances = [*by_shift.values(), *[others] * 26]
    assert sync_scores(faces, three).confidence == pytest.approx(np.median(distances))
    assert sync_scores(faces + 1, three).distance == pytest.approx(1)


def test_cepstra_of_silence_and_their_filters():
    filters = mel_filters()
    assert filters.shape == (26, 257)
    np.testing.assert_allclose(filters[0, :5], [0, 0.5, 1, 0.5, 0])  # peaks of 68 and 144 Hz
    np.testing.assert_array_equal(filters.argmax(1)[:2], [2, 4])
    silence = mfcc(np.zeros(16000, np.float32))
    assert silence.shape == (13, 99)  # 100 a second, less the first window's length
    np.testing.assert_allclose(silence[0], np.log(np.finfo(float).eps), rtol=1e-6)
    np.testing.assert_allclose(silence[1:], 0, atol=1e-4)
    louder = mfcc(np.full(16000, 0.5, np.float32)) - mfcc(np.full(16000, 0.25, np.float32))
    np.testing.assert_allclose(louder[0], np.log(4), rtol=1e-4)  # four times the energy
    np.testing.assert_allclose(louder[1:], 0, atol=1e-3)


def test_syncnet_pairs_pictures_with_their_sound(weights: Path):
    network = SyncNet.load(weights)
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 255, (9, SIZE, SIZE, 3)).astype(np.uint8)
    samples = synthetic.make_voice(0.5, 16000)
    scores = network.score(iter(pictures), samples)
    cepstra = torch.tensor(mfcc(samples))
    windows = [torch.tensor(pictures[i : i + 5, ..., ::-1].copy()).float() for i in range(5)]
    faces = network.of_face(torch.stack([x.permute(3, 0, 1, 2) for x in windows]))
    sounds = network.of_sound(torch.stack([cepstra[None, :, 4 * i : 4 * i + 20] for i in range(5)]))
    assert scores == pytest.approx(sync_scores(faces.numpy(), sounds.numpy()), rel=1e-4)
    assert scores.confidence > 0
    assert np.isnan(network.score(iter(pictures[:4]), samples).distance)


def test_weights_of_others_are_refused(weights: Path, tmp_path: Path):
    good = torch.load(weights, weights_only=True)
    safe = tmp_path / "syncnet.safetensors"
    write_tensors(good, safe)
    again = SyncNet.load(safe).state_dict()
    assert all(torch.equal(weight, again[name]) for name, weight in good.items())

    class Malicious:
        def __reduce__(self) -> tuple:
            return os.mkdir, (str(tmp_path / "trace"),)

    for content, message in (
        ({name: w for name, w in good.items() if name != "netfcaud.0.bias"}, "netfcaud.0.bias"),
        ({"other": torch.zeros(1)}, "netcnnaud.0.weight"),
        ({"x": Malicious()}, "refused"),
    ):
        torch.save(content, tmp_path / "bad.model")
        with pytest.raises(ModelError, match=message):
            SyncNet.load(tmp_path / "bad.model")
    assert not (tmp_path / "trace").exists()


def test_plrs_is_the_mean_cosine():
    a, b = np.array([[1.0, 0], [3, 4], [1, 0]]), np.array([[2.0, 0], [4, 3], [0, 5]])
    assert mean_cosine(a, b) == pytest.approx((1 + 24 / 25 + 0) / 3)
    # encoders that see the loudest sample, and the widest offset, of a window of two frames
    readability = LipReadability(
        lambda x: np.stack([x.max(1), 0 * x.max(1)], 1),
        lambda x: np.stack([x.max((1, 2, 3)), 0 * x.max((1, 2, 3)) + 1], 1),
        frames=2,
        samples=1280,
    )
    assert readability.fps == 25
    offsets, samples = np.zeros((5, 1, 3)), np.full(4000, 0.5)
    offsets[0], offsets[2] = 1.0, np.sqrt(3)  # cosines of 45 and of 30 degrees
    expected = (np.sqrt(1 / 2) + np.sqrt(3) / 2) / 2
    assert readability.score(offsets, samples) == pytest.approx(expected)
    assert np.isnan(readability.score(offsets[:1], samples))


def test_evaluate_looks_at_the_drawn_head(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = synthetic.make_head(3000)
    face = make_face("anna", head.template, head.triangles, {"lips": head.lips})
    voice = synthetic.make_voice(0.4, 16000)
    jaw, rounding = np.linspace(0, 1, 10), np.zeros(10)
    for folder, size in (("targets", 1.0), ("mine", 0.5)):
        (tmp_path / folder).mkdir()
        offsets = head.vertices(size * jaw, rounding) - head.template
        Motion.of_vertices(offsets, 25.0, face).save(tmp_path / folder / "anna_01.npz")
    (tmp_path / "wav").mkdir()
    soundfile.write(tmp_path / "wav" / "anna_01.wav", voice, 16000)
    words = ["evaluate", str(tmp_path / "targets"), str(tmp_path / "mine")]
    words += ["-o", str(tmp_path / "out"), "--syncnet", str(weights)]
    assert main(words) == 1
    assert "Give --audio" in capsys.readouterr().err
    assert main([*words, "--audio", str(tmp_path / "wav")]) == 0
    mine = json.loads((tmp_path / "out" / "report.json").read_text())["overall"]["mine"]
    samples = Speech.read(tmp_path / "wav" / "anna_01.wav").samples
    for key, folder in (("lse_d", "mine"), ("lse_d_target", "targets")):
        motion = read_motion(tmp_path / folder / "anna_01.npz", None)
        expected = score_motion(SyncNet.load(weights), motion, samples)
        assert mine[key]["mean"] == pytest.approx(expected.distance, rel=1e-5)
        assert expected.distance > 0
    assert "plrs" not in mine
    (tmp_path / "bad.onnx").write_bytes(b"no network")
    encoders = ["--plrs", str(tmp_path / "bad.onnx"), str(tmp_path / "bad.onnx")]
    assert main([*words[:-2], "--audio", str(tmp_path / "wav"), *encoders]) == 1
    assert "bad.onnx" in capsys.readouterr().err
