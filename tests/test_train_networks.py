"""The published networks learn, each by its own losses, in the one training loop."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import synthetic
import torch
from field_reference import DATA, FieldReference

from jambatalk import Speech, TalkingHead
from jambatalk.cli import main
from jambatalk.errors import ModelError
from jambatalk.networks.checkpoint import load_network
from jambatalk.networks.motion_codes import MotionCodes
from jambatalk.train.config_file import load_config
from jambatalk.train.loop import train
from jambatalk.train.published_module import FirstStageModule, PublishedModule
from jambatalk.train.published_network import layout_of, shaped_config
from jambatalk.train.published_task import PublishedTask
from jambatalk.train.training_config import OptimizerConfig, TrainingConfig

CONFIGS = Path(__file__).parent.parent / "configs"
CODES = {"hidden": 32, "blocks": 1, "feed_forward": 32, "attention_heads": 2, "parts": 4}
CODES |= {"code_width": 8, "codes": 16, "width": 16, "layers": 1}


@pytest.fixture(scope="module")
def speech_encoders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A tiny wav2vec 2.0 with a letter head, and a tiny HuBERT."""
    folder = tmp_path_factory.mktemp("encoders")
    return {
        "wav2vec2": synthetic.write_speech_encoder(folder / "wav2vec2"),
        "hubert": synthetic.write_hubert(folder / "hubert"),
    }


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Frames a second → two subjects, five sentences each, on a small mesh."""
    folders = {fps: tmp_path_factory.mktemp(f"data{fps}") for fps in (25, 30)}
    for fps, folder in folders.items():
        synthetic.write_folder(folder, sentences=range(5), vertices=100, fps=fps)
        synthetic.write_face(folder, 100)
    return folders


@pytest.mark.parametrize(
    ("config", "reference", "loss"),
    [
        ("faceformer_biwi", "faceformer_biwi", "target_forced_loss"),
        ("codetalker_biwi_stage1", "codetalker_biwi", "vq_loss"),
        ("codetalker_biwi_stage2", "codetalker_biwi", "target_loss"),
        ("facexhubert_biwi", "facexhubert_biwi", "target_loss"),
    ],
)
@torch.no_grad()
def test_configurations_minimise_the_published_losses(
    config: str, reference: str, loss: str
) -> None:
    given = FieldReference.read(DATA / f"{reference}_tiny.json")
    network, template = given.network(), given["template"]
    module, target = PublishedModule(network), given["target"]
    style = given["one_hot"].argmax(1)
    if "emotion_one_hot" in given.values:  # the reference's loss is of the second
        style = style + given["one_hot"].shape[1]
    if config.endswith("stage1"):
        module, target = FirstStageModule(network.autoencoder), given["vq_vertices"]
    losses = module.eval()(given["samples"][None], target, template, style)
    published = load_config(CONFIGS / f"{config}.yaml", TrainingConfig)
    assert float(published.loss.total(losses)) == pytest.approx(float(given[loss]), rel=1e-5)


PUBLISHED = [path.stem for path in CONFIGS.glob("*_*.yaml") if path.stem[-6:] != "tracks"]


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_a_published_set_shapes_the_published_network(name: str) -> None:
    choice = load_config(CONFIGS / f"{name}.yaml", TrainingConfig).network
    layout = layout_of(choice)
    subjects = sorted({style.partition("-")[0] for style in layout.styles})
    fields = {"vertex_count": layout.vertices, "blendshapes": (), "fps": layout.fps}
    templates = {subject: np.eye(3) for subject in subjects}
    given = SimpleNamespace(subjects=tuple(subjects), templates=templates, **fields)
    assert shaped_config(layout, choice, given) == layout


class Bare(PublishedTask):
    """Writes checkpoints without heads, which take most of a second."""

    def make_faces(self, axes: np.ndarray) -> None:
        super().make_faces(axes)
        self.faces = {}


def changes(data: Path, *more: str) -> list[str]:
    """Return a published configuration's changes for a small set."""
    face = f"face={{mesh: {data / 'face.ply'}, lips: {data / 'lips.npy'}}}"
    given = [f"data={{set: folder, folder: {data}, train: train, val: val}}", face, "workers=0"]
    return [*given, "epochs=4", "validate_every=4", "optimizer.learning_rate=1e-3", *more]


def learn(name: str, folder: Path, given: list[str]) -> list[dict[str, float]]:
    """Train by a published configuration; return the log."""
    config = load_config(CONFIGS / f"{name}.yaml", TrainingConfig, given)
    train(lambda: Bare(config), config, folder)
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    ("name", "encoder", "fps", "width"),
    [
        ("faceformer_vocaset", "wav2vec2", 30, 16),
        ("selftalk_vocaset", "wav2vec2", 30, 32),
        ("facexhubert_biwi", "hubert", 25, 16),
        ("facediffuser_vocaset", "hubert", 30, 16),
    ],
)
def test_a_network_learns(
    name: str,
    encoder: str,
    fps: int,
    width: int,
    data: dict[int, Path],
    speech_encoders: dict[str, Path],
    tmp_path: Path,
) -> None:
    source = speech_encoders[encoder]
    given = [f"network.speech_encoder={source}", f"network.text_encoder={source}"]
    given += [f"network.changes.width={width}"]
    first, *_, last = learn(name, tmp_path, changes(data[fps], *given))
    assert last["loss"] < 0.8 * first["loss"]
    network = load_network(tmp_path / "checkpoint")
    assert network.config.vertices == 100
    speech = Speech.from_array(synthetic.make_voice(0.5, 16000), 16000)
    style = network.style(network.config.styles[-1])._replace(template=torch.zeros(100, 3))
    assert 1e-5 < network.predict(network.encode(speech), style).std() < 1.0  # metres


def test_codetalker_learns_in_two_stages(
    data: dict[int, Path], speech_encoders: dict[str, Path], tmp_path: Path
) -> None:
    codes = ["network.changes=" + json.dumps(CODES)]
    first, *_, last = learn(
        "codetalker_vocaset_stage1", tmp_path / "one", changes(data[30], *codes)
    )
    assert last["vertices"] < 0.8 * first["vertices"]
    saved = tmp_path / "one" / "checkpoint"
    given = [
        f"network.first_stage={saved}",
        f"network.speech_encoder={speech_encoders['wav2vec2']}",
    ]
    config = load_config(
        CONFIGS / "codetalker_vocaset_stage2.yaml", TrainingConfig, changes(data[30], *given)
    )
    task = Bare(config)
    train(lambda: task, config, tmp_path / "two")
    log = [json.loads(line) for line in (tmp_path / "two" / "log.jsonl").read_text().splitlines()]
    assert log[-1]["codes"] < 0.8 * log[0]["codes"]
    before = MotionCodes.from_pretrained(saved).state_dict()
    after = task.model.autoencoder.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)  # frozen
    again = ["network.start=" + str(tmp_path / "two" / "checkpoint"), "network.first_stage=null"]
    config = load_config(
        CONFIGS / "codetalker_vocaset_stage2.yaml", TrainingConfig, changes(data[30], *again)
    )
    started = Bare(config).model.state_dict()
    trained = load_network(tmp_path / "two" / "checkpoint").state_dict()
    assert all(torch.equal(started[name], weight) for name, weight in trained.items())


def test_trained_on_the_command_line_it_animates(
    data: dict[int, Path], speech_encoders: dict[str, Path], tmp_path: Path
) -> None:
    given = changes(data[30], f"network.speech_encoder={speech_encoders['hubert']}", "epochs=1")
    given += ["network.changes={width: 16, token_width: 16, steps: 8}", "video_every=1"]
    config = str(CONFIGS / "facediffuser_vocaset.yaml")
    assert main(["train", config, "-o", str(tmp_path), *given]) == 0
    assert (tmp_path / "videos" / "epoch0001.mp4").stat().st_size > 5000
    assert "# FaceDiffuser, trained on" in (tmp_path / "checkpoint" / "README.md").read_text()
    talking_head = TalkingHead.from_pretrained(tmp_path / "checkpoint")
    assert talking_head.heads.names == ["anna", "ben"]
    motion = talking_head.animate((synthetic.make_voice(0.5, 16000), 16000), "ben", head="ben")
    assert motion.offsets.shape[1:] == (100, 3)
    start = f"network={{name: faceformer, start: {tmp_path / 'checkpoint'}}}"
    other = load_config(Path(config), TrainingConfig, changes(data[30], start))
    with pytest.raises(ModelError, match="is not of faceformer"):
        Bare(other)


def test_speech_is_heard_again_by_what_training_may_change(
    data: dict[int, Path], speech_encoders: dict[str, Path]
) -> None:
    """FaceXHuBERT leaves HuBERT's projection and first two layers as they were."""
    given = changes(data[25], f"network.speech_encoder={speech_encoders['hubert']}")
    config = load_config(CONFIGS / "facexhubert_biwi.yaml", TrainingConfig, given)
    task = Bare(config)
    names = {name for name, w in task.model.named_parameters() if w.requires_grad}
    assert "gru.weight_ih_l0" in names
    encoder = {name.split(".")[1] for name in names if name.startswith("audio_encoder")}
    assert encoder == {"encoder", "masked_spec_embed"}
    assert not [name for name in names if ".layers." in name]  # there are but two here
    assert task.model.config.styles == ("anna", "ben", "anna-expressive", "ben-expressive")


def test_learning_rate_is_halved_after_each_tenth() -> None:
    halving = OptimizerConfig(schedule="halving", learning_rate=1e-4)
    rates = [halving.rate(step, 200) for step in (0, 19, 20, 199)]
    assert rates == [1e-4, 1e-4, 0.5e-4, 1e-4 / 512]


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("faceformer_vocaset", "loss.velocity=1", "faceformer has no such loss"),
        ("faceformer_vocaset", "batch=2", "'batch' cannot be 2"),
        ("faceformer_vocaset", "network.layout=beat", "was not published in a layout 'beat'"),
        ("faceformer_vocaset", "network.speech_encoder=null", "no pretrained weights"),
        ("faceformer_vocaset", "network.changes.widht=3", "Is it 'width'"),
        ("facexhubert_biwi", "data.val=both", "There is no split 'both'"),
        ("codetalker_vocaset_stage2", "network.first_stage=null", "the checkpoint that it wrote"),
        ("vocaset", "network.speech_encoder=a/b", "network.changes.encoder.source"),
    ],
)
def test_what_does_not_fit_is_refused(
    name: str,
    change: str,
    message: str,
    data: dict[int, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = [*changes(data[30]), change]
    assert main(["train", str(CONFIGS / f"{name}.yaml"), "-o", str(tmp_path / "run"), *given]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
