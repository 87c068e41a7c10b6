"""`jambatalk predict` on splits of data sets, and the evaluation of what it writes."""

import json
import pickle
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import paper_files
import pytest
import soundfile
import synthetic
import trimesh
from imageio_ffmpeg import get_ffmpeg_exe
from stand_ins import make_network

from jambatalk import Motion, Speech, TalkingHead, load_head
from jambatalk.cli import main
from jambatalk.data.registry import open_dataset
from jambatalk.data.splits import BIWI, VOCASET
from jambatalk.evaluate.predictions import SOUNDS
from jambatalk.evaluate.speed import measure_speed
from jambatalk.face.mesh import read_templates
from jambatalk.motion.nonverbal import STILL

ROOT = Path(__file__).parent.parent
DEFAULT = ROOT / "checkpoints" / "default"


def predict(checkpoint: Path, name: str, data: Path, folder: Path, *more: str) -> int:
    given = ["predict", str(checkpoint), "--set", name, "--data", str(data)]
    given += ["-o", str(folder / "mine"), "--targets", str(folder / "targets")]
    return main([*given, *more])


def evaluate(folder: Path, *more: str) -> dict:
    """Evaluate the predictions: the report."""
    given = [str(folder / "targets"), str(folder / "mine"), "-o", str(folder / "report")]
    assert main(["evaluate", *given, "--audio", str(folder / "targets" / SOUNDS), *more]) == 0
    return json.loads((folder / "report" / "report.json").read_text())


def converted(folder: Path, layout: str, data: Path) -> Path:
    """Stand-ins for the published weights, converted for the faces of a set."""
    subjects = read_templates(data)
    face = next(iter(subjects.values()))
    head = synthetic.make_head(len(face))
    trimesh.Trimesh(face, head.triangles, process=False).export(folder / "face.ply")
    masks = {"lips": head.lips, "forehead": head.upper_face, "eye_region": head.upper_face[:9]}
    flame = layout == "vocaset"  # BIWI's is a list of lips
    (folder / "lips.pkl").write_bytes(pickle.dumps(masks if flame else head.lips))
    paper_files.write_weights(folder / "net.pth", layout, len(face), len(head.lips))
    words = ["convert", str(folder / "net.pth"), "--layout", layout, "-o", str(folder / "net")]
    words += ["--lip-mask", str(folder / "lips.pkl"), "--template", str(folder / "face.ply")]
    words += ["--templates", str(data / "templates.pkl")]
    assert main([*words, "--encoder-config", str(folder / "encoder.json")]) == 0
    return folder / "net"


@pytest.fixture
def vocaset(tmp_path: Path) -> Path:
    """VOCASET's test split in its original files."""
    subjects = VOCASET["test"].subjects
    return synthetic.write_vocaset(tmp_path / "vocaset", subjects, (21, 40), seconds=1.0)


def test_predict_published_weights_on_vocaset(vocaset: Path, tmp_path: Path) -> None:
    checkpoint = converted(tmp_path, "vocaset", vocaset)
    assert predict(checkpoint, "vocaset", vocaset, tmp_path) == 0
    dataset = open_dataset("vocaset", vocaset, "test")
    names = [f"{entry.name}.npz" for entry in dataset.entries]
    assert sorted(path.name for path in (tmp_path / "mine").glob("*.npz")) == names
    lips, errors = synthetic.make_head(5023).lips, []
    talking_head = TalkingHead.from_pretrained(checkpoint)
    for recording in dataset:
        target, pred = (
            Motion.load(tmp_path / folder / f"{recording.name}.npz")
            for folder in ("targets", "mine")
        )
        assert target.fps == pred.fps == 30
        np.testing.assert_allclose(target.vertices(), recording.vertices, atol=1e-6)
        # the subject's own face, animated as by `animate`
        assert pred.face.name == target.face.name == recording.subject
        np.testing.assert_array_equal(pred.face.template, dataset.templates[recording.subject])
        speech = Speech(recording.audio)
        expected = talking_head.animate(speech, nonverbal=STILL)
        np.testing.assert_array_equal(pred.offsets, expected.offsets)
        assert len(pred) == len(recording) - 1  # as published
        sound, rate = soundfile.read(tmp_path / "targets" / SOUNDS / f"{recording.name}.wav")
        assert rate == 16000
        np.testing.assert_allclose(sound, recording.audio, atol=1e-4)
        apart = (target.vertices()[: len(pred), lips] - pred.vertices()[:, lips]) * 1e3
        errors += list(np.square(apart).sum(-1).max(-1))
    report = evaluate(tmp_path)
    assert report["overall"]["mine"]["lve"]["mean"] == pytest.approx(np.mean(errors), rel=1e-4)
    assert set(report["subjects"]) == set(VOCASET["test"].subjects)
    assert f"{len(lips)} vertices" in report["regions"]["lips"]
    assert "fdd" in report["overall"]["mine"]  # the masks contain the upper face


def test_predict_published_weights_on_biwi_in_millimetres(tmp_path: Path) -> None:
    data = synthetic.write_biwi(tmp_path / "biwi", BIWI["test-b"].subjects, (37,))
    for path in data.glob("vertices_npy/*.npy"):
        np.save(path, np.load(path) * 1000)
    subjects = {name: face * 1000 for name, face in read_templates(data).items()}
    (data / "templates.pkl").write_bytes(pickle.dumps(subjects))
    checkpoint = converted(tmp_path, "biwi", data)
    assert predict(checkpoint, "biwi", data, tmp_path, "--split", "test-b") == 0
    report = evaluate(tmp_path)
    assert report["fps"] == 25
    assert set(report["subjects"]) == set(subjects)
    pred = Motion.load(tmp_path / "mine" / "F1_e37.npz")
    target = Motion.load(tmp_path / "targets" / "F1_e37.npz")
    np.testing.assert_allclose(pred.face.template, subjects["F1"] / 1000, rtol=1e-5)
    captured = next(iter(open_dataset("biwi", data, "test-b")))
    np.testing.assert_allclose(target.vertices(), captured.vertices / 1000, atol=1e-6)
    assert report["overall"]["mine"]["lve"]["mean"] < 30**2  # mm²


@pytest.fixture(scope="module")
def trained_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of recordings with the last of anna and ben held out, and a network trained on the
    others: `data/`, `run/checkpoint/`."""
    folder = tmp_path_factory.mktemp("trained_run")
    held_out = {"test": ["anna_10", "ben_10", "carl"]}
    subjects = ("anna", "ben", "carl")
    data = synthetic.write_folder(folder / "data", subjects, (1, 2, 10), vertices=3000, **held_out)
    synthetic.write_face(data, 3000)
    changes = ["epochs=1", "data.val=test", "data.crop=12", "workers=0", "batch=1"]
    changes += [f"data.folder={data}", f"face.mesh={data / 'face.ply'}"]
    changes += [f"face.lips={data / 'lips.npy'}", "network.changes.width=32"]
    config = ROOT / "configs" / "folder.yaml"
    assert main(["train", str(config), *changes, "-o", str(folder / "run")]) == 0
    return folder


def test_predict_in_trained_styles(trained_run: Path, tmp_path: Path) -> None:
    trained = trained_run / "run" / "checkpoint"
    assert predict(trained, "folder", trained_run / "data", tmp_path) == 0
    names = ["anna_10", "ben_10", "carl_01", "carl_02", "carl_10"]
    assert sorted(path.stem for path in (tmp_path / "mine").glob("*.npz")) == names
    report = evaluate(tmp_path)
    assert set(report["subjects"]) == {"anna", "ben", "carl"}
    assert np.isfinite(report["overall"]["mine"]["aperture_r"]["mean"])
    talking_head = TalkingHead.from_pretrained(trained)
    assert talking_head.styles == ("neutral", "anna", "ben")
    dataset = open_dataset("folder", trained_run / "data", "test")
    for number, style in ((0, "anna"), (4, "neutral")):  # carl has no style
        recording = dataset[number]
        expected = talking_head.animate(Speech(recording.audio), style, nonverbal=STILL)
        pred = Motion.load(tmp_path / "mine" / f"{recording.name}.npz")
        np.testing.assert_array_equal(pred.offsets, expected.offsets)
        assert len(pred) == len(recording)

    several = ["predict", str(trained), "--set", "folder", "--data", str(trained_run / "data")]
    several += ["-o", str(tmp_path / "all"), "--styles", "all"]
    assert main(several) == 0
    files = sorted(path.name for path in (tmp_path / "all").glob("anna*"))
    styles = ("anna", "ben", "neutral")
    assert files == [f"anna_10_condition_{style}.npz" for style in styles]
    folders = [str(tmp_path / name) for name in ("targets", "mine", "all")]
    assert main(["evaluate", *folders, "-o", str(tmp_path / "both")]) == 0
    report = json.loads((tmp_path / "both" / "report.json").read_text())
    assert set(report["overall"]) == {"mine", "all", "all, best"}


@pytest.mark.skipif(not find_spec("matplotlib"), reason="matplotlib is not installed")
def test_bench_writes_table_plot_and_video(trained_run: Path, tmp_path: Path) -> None:
    trained, data = trained_run / "run" / "checkpoint", trained_run / "data"
    diffuser, out = tmp_path / "diffuser", tmp_path / "out"
    make_network("facediffuser", vertices=3000, styles=("anna", "ben")).save_pretrained(diffuser)
    shutil.copytree(trained / "heads", diffuser / "heads")
    given = ["bench", str(trained), str(diffuser), "--set", "folder", "--data", str(data)]
    given += ["-o", str(out), "--seeds", "2", "--seconds", "0", "--size", "64"]
    assert main([*given, "--names", "one,one"]) == 1
    assert main([*given, "--names", "one,two", "--sentences", "carl_01,dan_01"]) == 1
    assert not out.exists()
    assert main([*given, "--names", "one,two", "--sentences", "carl_01,ben_10"]) == 0
    files = sorted(path.stem for path in (out / "predictions" / "one").glob("*.npz"))
    unseen = [
        f"carl_{n}_condition_{style}" for n in ("01", "02", "10") for style in ("anna", "ben")
    ]
    assert files == ["anna_10", "ben_10", *unseen]
    files = {path.stem for path in (out / "predictions" / "two").glob("*.npz")}
    assert {"anna_10_condition_anna_seed_1", "carl_10_condition_ben_seed_0"} < files
    assert len(files) == 2 * 2 + 3 * 2 * 2
    report = json.loads((out / "report.json").read_text())
    assert list(report["overall"]) == ["one", "one, best", "two", "two, best"]
    one, best, two = (report["overall"][name] for name in ("one", "one, best", "two"))
    assert best["lve"]["mean"] < one["lve"]["mean"]
    assert one["style_diversity"]["mean"] > 0
    assert one["seed_diversity"]["mean"] is None  # it does not draw
    assert two["seed_diversity"]["mean"] > 0
    assert two["coverage"]["mean"] > 0
    assert np.isfinite(one["slcc"]["mean"])
    assert "2 of two" in report["seeds"]
    assert (out / "apertures.png").stat().st_size > 10_000
    probe = [get_ffmpeg_exe(), "-v", "info", "-i", str(out / "comparison.mp4")]
    info = subprocess.run(probe, capture_output=True, text=True).stderr
    assert "192x64" in info
    assert "Audio: aac" in info


def test_speed_is_measured_in_a_process_of_its_own(trained_run: Path) -> None:
    trained = trained_run / "run" / "checkpoint"
    speed = measure_speed(trained, "cpu", synthetic.make_voice(2.0, 16000))
    parameters = sum(p.numel() for p in TalkingHead.from_pretrained(trained).model.parameters())
    assert speed["parameters"] == pytest.approx(parameters / 1e6)
    assert speed["rtf"] > 0
    assert 50 < speed["peak_memory"] < 4000


def test_predict_continues_an_interrupted_run(
    trained_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained, data = trained_run / "run" / "checkpoint", trained_run / "data"
    assert predict(trained, "folder", data, tmp_path) == 0
    kept = tmp_path / "mine" / "anna_10.npz"
    lost = tmp_path / "mine" / "ben_10.npz"
    before, offsets = kept.stat().st_mtime_ns, Motion.load(lost).offsets
    lost.unlink()
    capsys.readouterr()
    assert predict(trained, "folder", data, tmp_path) == 0
    assert "1 predictions written, 4 existed" in capsys.readouterr().out
    assert kept.stat().st_mtime_ns == before
    np.testing.assert_array_equal(Motion.load(lost).offsets, offsets)
    # other styles or another network need another folder
    assert predict(trained, "folder", data, tmp_path, "--styles", "ben") == 1
    assert "contains motions of another" in capsys.readouterr().err
    other = shutil.copytree(trained, tmp_path / "other")
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | {"unit": 0.002}))
    assert predict(other, "folder", data, tmp_path) == 1
    assert "contains motions of another" in capsys.readouterr().err


def test_predict_tracks_on_a_bundled_head(tmp_path: Path) -> None:
    names = [f"anna_{number:02}" for number in range(10)]
    data = synthetic.write_tracks(tmp_path / "tracks", names)
    changes = [f"data.folder={data}", "data.crop=20", "workers=0", "epochs=1"]
    config, run = ROOT / "configs" / "tracks.yaml", tmp_path / "run"
    changes += ["network.changes.width=32", "-o", str(run)]
    assert main(["train", str(config), *changes]) == 0
    assert predict(run / "checkpoint", "tracks", data, tmp_path, "--split", "val") == 0
    report = evaluate(tmp_path)
    assert "upper_face" in report["regions"]
    target = Motion.load(tmp_path / "targets" / "anna_09.npz")
    pred = Motion.load(tmp_path / "mine" / "anna_09.npz")
    assert target.weights.shape == pred.weights.shape == (30, len(load_head(1).blendshapes))
    assert target.blendshape("jawOpen").max() > 0.1
    assert pred.pose is None  # no head motion


def test_predict_refuses_mismatched_input(
    trained_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained, data = trained_run / "run" / "checkpoint", trained_run / "data"
    broken = shutil.copytree(data, tmp_path / "broken")
    vertices = np.load(broken / "vertices_npy" / "ben_10.npy")
    vertices[3, 5] = np.nan
    np.save(broken / "vertices_npy" / "ben_10.npy", vertices)
    other_folder = tmp_path / "other_folder"
    other_folder.mkdir()
    (other_folder / "notes.txt").write_text("mine")
    for number, (run, message) in enumerate(
        (
            (lambda out: predict(trained, "folder", broken, out), "'ben_10' is not finite"),
            (lambda out: predict(DEFAULT, "folder", data, out), "predicts weights of"),
            (
                lambda out: predict(trained, "folder", data, out, "--styles", "carl"),
                "no style 'carl'",
            ),
            (lambda out: predict(trained, "folder", data, out, "--split", "best"), "split 'best'"),
            (lambda out: predict(trained, "mine", data, out), "no data set 'mine'"),
            (lambda out: predict(trained, "vocaset", data, out), "VOCASET's have 5023"),
            (
                lambda out: predict(trained, "folder", data, out, "-o", str(other_folder)),
                "contains motions of another",
            ),
            (lambda out: predict(tmp_path / "none", "folder", data, out), "no checkpoint folder"),
        )
    ):
        out = tmp_path / str(number)
        assert run(out) == 1
        error = capsys.readouterr().err
        assert message in error
        assert len(error.splitlines()) == 1
        assert not list(out.glob("mine/*.npz"))
