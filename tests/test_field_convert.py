"""Weights of the field's published networks in, checkpoints that animate out."""

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import synthetic
import torch
from field_files import NAMES, FieldFiles, write_field_files
from stand_ins import make_network

from jambatalk import Motion, Speech, TalkingHead
from jambatalk.cli import main
from jambatalk.data.registry import open_dataset
from jambatalk.errors import DataError, ModelError, SpeechError
from jambatalk.evaluate.predictions import SplitPrediction
from jambatalk.export import export_motion
from jambatalk.motion.nonverbal import STILL
from jambatalk.networks.registry import published_network

SECOND = 16000  # samples


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FieldFiles]:
    folder = tmp_path_factory.mktemp("given")
    return {name: write_field_files(name, folder / name) for name in NAMES}


@pytest.fixture(scope="module")
def checkpoints(files: dict, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("checkpoints")
    for name, given in files.items():
        assert main([*given.words(), "-o", str(folder / name)]) == 0
    return {name: folder / name for name in files}


def speech_of(given: FieldFiles, samples: int = 2 * SECOND) -> Speech:
    return Speech(given.reference["samples"].numpy()[:samples], "speech")


@pytest.mark.parametrize("name", NAMES)
def test_converted_checkpoint_animates_and_exports(
    name: str, files: dict, checkpoints: dict, tmp_path: Path
) -> None:
    talking_head = TalkingHead.from_pretrained(checkpoints[name], "cpu")
    styles = talking_head.styles[:2]
    motions = talking_head.compare(speech_of(files[name], SECOND), styles)
    again = talking_head.animate(speech_of(files[name], SECOND), styles[-1])
    assert 20 < len(again) <= 30
    for motion in motions:
        still = motion.offsets is None or np.allclose(motion.offsets[0], motion.offsets[-1])
        assert not still or motion.weights.std(0).max() > 0.001
    np.testing.assert_array_equal(again.offsets, motions[-1].offsets)
    np.testing.assert_array_equal(again.weights, motions[-1].weights)
    if len(styles) > 1:
        assert not np.allclose(motions[0].offsets, motions[1].offsets)
    saved = again.save(tmp_path / "motion.npz")
    np.testing.assert_array_equal(Motion.load(saved).vertices(), again.vertices())
    export = tmp_path / ("motion.json" if name == "beat" else "motion.glb")
    export_motion(again, export)
    assert export.stat().st_size > 1000
    card = (checkpoints[name] / "README.md").read_text()
    assert "arxiv.org" in card
    assert ("MIT" if name in ("faceformer", "codetalker") else "CC BY-NC 4.0") in card


@pytest.mark.parametrize("name", ["faceformer", "selftalk", "facexhubert"])
def test_motion_is_the_published_one_in_metres(name: str, files: dict, checkpoints: dict) -> None:
    reference = files[name].reference
    talking_head = TalkingHead.from_pretrained(checkpoints[name], "cpu")
    style, array = reference.described.get("style"), "offsets"
    if name == "facexhubert":
        style, array = f"{style}-expressive", "offsets_emotion1"
    motion = talking_head.animate(speech_of(files[name]), style, nonverbal=STILL)
    unit = {"faceformer": 0.185, "selftalk": 1.0}.get(name, 0.0)
    axes = unit or np.ptp(motion.face.template, axis=0) * (1, -1, -1)  # as wide as this head
    expected = reference[array][0].unflatten(-1, (-1, 3)).numpy() * axes
    np.testing.assert_allclose(motion.offsets, expected, atol=2e-5 * expected.std())


def test_command_line_animates(
    files: dict, checkpoints: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import soundfile

    soundfile.write(tmp_path / "speech.wav", speech_of(files["beat"], SECOND).samples, SECOND)
    speech = [str(tmp_path / "speech.wav"), "--checkpoint", str(checkpoints["facexhubert"])]
    styles, out = "M3,M3-expressive", tmp_path / "both.mp4"
    small = ["--size", "64", "--device", "cpu"]
    assert main(["compare", *speech, "--styles", styles, *small, "-o", str(out)]) == 0
    assert out.stat().st_size > 1000
    assert main(["list", *speech[1:]]) == 0
    assert "M3-expressive" in capsys.readouterr().out
    # ARKit's weights move the bundled heads, and go into the formats of other programs
    speech[2], csv = str(checkpoints["beat"]), tmp_path / "motion.csv"
    assert main(["animate", *speech, "--head", "kofi", "--device", "cpu", "-o", str(csv)]) == 0
    assert "JawOpen" in csv.read_text()
    assert main(["phones", *speech, "--device", "cpu"]) == 1
    assert "JambaTalk" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "unit"), [("faceformer", None), ("faceformer", 0.1), ("facexhubert", None)]
)
def test_predictions_lie_with_the_captured_motions(
    name: str, unit: float | None, checkpoints: dict, tmp_path: Path
) -> None:
    data = synthetic.write_folder(tmp_path / "data", ("F2",), (1,), vertices=100, fps=25.0)
    dataset = open_dataset("folder", data, "all")
    talking_head = TalkingHead.from_pretrained(checkpoints[name], "cpu")
    split = SplitPrediction(talking_head, dataset, unit)
    assert split.write_targets(tmp_path / "targets") == 1
    assert split.write_predictions(tmp_path / "mine") == 1
    target, mine = (Motion.load(*(tmp_path / f).glob("*.npz")) for f in ("targets", "mine"))
    np.testing.assert_array_equal(target.face.template, mine.face.template)
    recording = dataset[0]
    turned = {"faceformer": (1, 1, 1), "facexhubert": (1, -1, -1)}[name]
    axes = (unit or {"faceformer": 0.185}.get(name, 1.0)) * np.array(turned)
    np.testing.assert_allclose(mine.face.template, recording.template * axes, rtol=1e-5)
    model = talking_head.model
    features = model.encode(Speech(recording.audio, "speech"))
    with torch.inference_mode():
        raw = model.decode(features, model.style("F2").vector[None], torch.zeros(1, 300))[0]
    scale = axes * (np.ptp(recording.template, axis=0) if name == "facexhubert" else 1.0)
    expected = raw.unflatten(-1, (-1, 3)).numpy() * scale
    np.testing.assert_allclose(mine.offsets, expected, rtol=1e-4, atol=1e-7)


def test_a_scaled_set_is_brought_back_to_metres(
    files: dict, checkpoints: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = synthetic.write_biwi(tmp_path / "data", ("F2", "M3"), (1,), vertices=100)
    captured = np.load(data / "vertices_npy" / "F2_e01.npy").reshape(-1, 100, 3)
    (data / "dataset.json").write_text('{"fps": 25}')
    synthetic.scale_biwi(data)
    dataset = open_dataset("folder", data, "all")
    for name in ("facexhubert", "faceformer"):  # no heads of these subjects; not for such a set
        with pytest.raises(DataError, match=r"templates_orig\.pkl|trained on faces as they are"):
            SplitPrediction(TalkingHead.from_pretrained(checkpoints[name], "cpu"), dataset)
    out = tmp_path / "facexhubert"
    words = files["facexhubert"].words("--templates", str(data / "templates_orig.pkl"))
    assert main([*words, "-o", str(out)]) == 0
    split = SplitPrediction(TalkingHead.from_pretrained(out, "cpu"), dataset)
    split.write_targets(tmp_path / "targets")
    split.write_predictions(tmp_path / "mine")
    target, mine = (Motion.load(tmp_path / f / "F2_e01.npz") for f in ("targets", "mine"))
    turned = captured * np.array([1, -1, -1], np.float32)
    np.testing.assert_allclose(target.vertices(), turned[: len(target)], atol=1e-6)
    np.testing.assert_array_equal(mine.face.template, target.face.template)
    capsys.readouterr()
    bench = ["bench", str(out), str(checkpoints["faceformer"]), "--names", "one,two"]
    bench += ["--set", "folder", "--data", str(data), "-o", str(tmp_path / "bench")]
    assert main(bench) == 1
    assert "'one' predicts 100 vertices, scaled to each face" in capsys.readouterr().err
    assert not (tmp_path / "bench").exists()


def test_seeds_are_samples_of_the_diffusion(files: dict, checkpoints: dict) -> None:
    for name in ("facediffuser", "beat", "faceformer"):
        talking_head = TalkingHead.from_pretrained(checkpoints[name], "cpu")
        speech = speech_of(files[name], SECOND)
        first, same, other = (
            talking_head.animate(speech, nonverbal=STILL, seed=seed).vertices()
            for seed in (1, 1, 2)
        )
        np.testing.assert_array_equal(first, same)
        assert np.array_equal(first, other) == (name == "faceformer")


def test_lengths_are_limited_only_as_published(
    files: dict, checkpoints: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given, out = files["faceformer"], str(tmp_path / "out")
    assert main([*given.words("--as-published"), "-o", out]) == 0
    long = Speech(np.tile(given.reference["samples"].numpy(), 13), "long")  # 26 s
    with pytest.raises(SpeechError, match="649 frames; the published code"):
        TalkingHead.from_pretrained(out, "cpu").animate(long, nonverbal=STILL)
    whole = TalkingHead.from_pretrained(checkpoints["faceformer"], "cpu")
    assert len(whole.animate(long, nonverbal=STILL)) == 649
    for name in ("codetalker", "facediffuser"):
        network = TalkingHead.from_pretrained(checkpoints[name], "cpu")
        with pytest.raises(SpeechError, match="less than 3 frames"):
            network.animate(speech_of(files[name], 1500))
    assert main([*files["selftalk"].words("--as-published"), "-o", out]) == 1
    assert "no limit" in capsys.readouterr().err


def refused(words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the message, one line, of a conversion that must fail and leave nothing."""
    assert main([*words, "-o", str(folder / "refused")]) == 1
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert not (folder / "refused").exists()
    return message


def test_wrong_names_are_refused(
    files: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def message(name: str, **changed: str) -> str:
        return refused(files[name].words(**changed), tmp_path, capsys)

    assert "--network faceformer --layout biwi" in message("faceformer", layout="vocaset")
    assert "--network selftalk --layout vocaset" in message("selftalk", layout="biwi")
    assert "--network facexhubert --layout biwi" in message("facexhubert", network="faceformer")
    assert "--network facediffuser --layout beat" in message("beat", layout="uudamm")
    assert "not published in a layout 'voca'" in message("faceformer", layout="voca")
    assert "no network 'facetalk'" in message("faceformer", network="facetalk")
    given = files["faceformer"].words()
    own = [word for word in given if word not in ("--network", "faceformer")]
    assert "--network faceformer --layout biwi" in refused(own, tmp_path, capsys)


def test_wrong_weights_are_refused_by_name(
    files: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Malicious:
        def __reduce__(self) -> tuple:
            return os.mkdir, (str(tmp_path / "trace"),)

    given = files["faceformer"]
    weights = torch.load(given.weights[0], weights_only=True)
    changed = FieldFiles(
        given.network, given.layout, [tmp_path / "net.pth"], given.folder, given.reference
    )

    def message(state: object) -> str:
        torch.save(state, tmp_path / "net.pth")
        return refused(changed.words(), tmp_path, capsys)

    less = weights | {"stranger": torch.zeros(1)}
    del less["vertice_map.bias"]
    text = message(less)
    assert "missing vertice_map.bias; unexpected stranger" in text
    assert "github.com/EvelynFan/FaceFormer; MIT" in text
    assert "vertice_map.weight" in message({"vertice_map.bias": torch.zeros(2)})
    assert "table of sines" in message(weights | {"PPE.pe": weights["PPE.pe"] + 1})
    assert "table of sines" in message(weights | {"PPE.pe": torch.zeros(3)})
    assert "mkdir" in message({"vertice_map.weight": Malicious()})
    assert not (tmp_path / "trace").exists()
    both = FieldFiles("codetalker", "biwi", files["codetalker"].weights, given.folder, None)
    for stages in (both.weights[:1], both.weights[1:], both.weights[:1] * 2):
        one = FieldFiles("codetalker", "biwi", stages, given.folder, None)
        assert "both are needed" in refused(one.words(), tmp_path, capsys)


def test_both_spellings_of_weight_norm_are_read(files: dict) -> None:
    given = files["faceformer"]
    weights = torch.load(given.weights[0], weights_only=True)
    conv = "audio_encoder.encoder.pos_conv_embed.conv"
    today = f"{conv}.parametrizations.weight.original"
    renamed = {
        name.replace(f"{conv}.weight_g", f"{today}0").replace(f"{conv}.weight_v", f"{today}1"): w
        for name, w in weights.items()
    }
    assert renamed.keys() != weights.keys()
    told = {"encoder": given.reference.encoder}
    old, new = (
        published_network(given.network, given.layout, state, told, "")
        for state in (weights, renamed)
    )
    for one, other in zip(old.parameters(), new.parameters(), strict=True):
        assert torch.equal(one, other)


def test_missing_and_unfit_files_are_reported(
    files: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = files["facediffuser"].words()
    assert "FaceDiffuser; CC BY-NC" in refused(["convert", "no.pth", *words[2:]], tmp_path, capsys)
    cut = words.index("--template")
    without = [*words[:cut], *words[cut + 2 :]]
    assert "give --template. FLAME_sample.ply" in refused(without, tmp_path, capsys)
    face = str(files["selftalk"].folder / "face.ply")
    message = refused([*words[:cut], "--template", face, *words[cut + 2 :]], tmp_path, capsys)
    assert "100 vertices; the weights move 40" in message
    scaled = tmp_path / "scaled.pkl"
    cube = np.random.default_rng(0).random((100, 3))
    cube = (cube - cube.min(0)) / np.ptp(cube, axis=0)
    scaled.write_bytes(pickle.dumps({"F1": cube}, protocol=2))
    words = files["facexhubert"].words("--templates", str(scaled))
    assert "templates_orig.pkl" in refused(words, tmp_path, capsys)


def test_damaged_checkpoint_is_refused(checkpoints: dict, tmp_path: Path) -> None:
    for name, change in {
        "faceformer": {"width": 6},
        "facexhubert": {"styles": ["M3"]},
        "codetalker": {"attention_heads": 5},
        "beat": {"skipped_steps": 10},
        "facediffuser": {"network": "facetalk"},
        "selftalk": {"layers": 2},
    }.items():
        folder = tmp_path / name
        folder.mkdir()
        os.link(checkpoints[name] / "model.safetensors", folder / "model.safetensors")
        values = json.loads((checkpoints[name] / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(values | change))
        with pytest.raises(ModelError):
            TalkingHead.from_pretrained(folder, "cpu")


def test_the_controls_of_an_unknown_rig_animate_no_head(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import soundfile

    network = make_network("facediffuser", "uudamm", blendshapes=("control_0", "control_1"))
    network.save_pretrained(tmp_path / "uudamm")
    soundfile.write(tmp_path / "speech.wav", np.zeros(SECOND, np.float32) + 0.1, SECOND)
    words = ["--checkpoint", str(tmp_path / "uudamm"), "--device", "cpu"]
    out = tmp_path / "motion.npz"
    assert main(["animate", str(tmp_path / "speech.wav"), *words, "-o", str(out)]) == 1
    message = capsys.readouterr().err
    assert "moves 2 controls of a rig of its own" in message
    assert "cannot be animated" in message
    assert not out.exists()
