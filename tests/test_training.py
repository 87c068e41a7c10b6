"""Training runs on small made-up sets, from the configuration file to the checkpoint."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from accelerate.state import AcceleratorState
from safetensors.torch import load_file
from synthetic import (
    write_face,
    write_folder,
    write_speech_encoder,
    write_tracks,
    write_vocaset,
)
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from jambatalk import Motion, Speech, TalkingHead
from jambatalk.cli import main
from jambatalk.data.registry import open_dataset
from jambatalk.errors import ModelError
from jambatalk.model.checkpoint import WEIGHTS_FILE
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.train.config_file import load_config
from jambatalk.train.loop import train
from jambatalk.train.recordings import Cuts, RecordingTask
from jambatalk.train.task import Order
from jambatalk.train.training_config import OptimizerConfig, TrainingConfig
from jambatalk.train.training_module import normalised
from recipes.checkpoint.training.choose import make_task

ROOT = Path(__file__).parent.parent
VOICE = ROOT / "assets" / "voices" / "pico_en.wav"
TINY = {
    "encoder": {"layers": [2], "source": None},
    "encoder_width": 32,
    "width": 32,
    "feed_forward": 64,
    "heads": 4,
    "kv_heads": 4,
}


@pytest.fixture(scope="module")
def wav2vec2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A speech encoder that also writes letters down, with random weights."""
    return write_speech_encoder(tmp_path_factory.mktemp("wav2vec2"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people, five sentences each, on a small mesh."""
    return write_face(write_folder(tmp_path_factory.mktemp("data"), sentences=range(5)), 300)


@pytest.fixture
def published(data: Path, wav2vec2: Path, tmp_path: Path) -> Path:
    """The published network and its training, made small."""
    return write_config(tmp_path / "run.yaml", data, wav2vec2)


def write_config(path: Path, data: Path, wav2vec2: Path, **more: object) -> Path:
    network = TINY | {"encoder": {"layers": [2], "source": str(wav2vec2)}}
    values = {
        "data": {"set": "folder", "folder": str(data), "workers": 0},
        "face": {"mesh": str(data / "face.ply"), "lips": str(data / "lips.npy")},
        "network": {"text_encoder": str(wav2vec2), "changes": network},
        "epochs": 2,
    }
    path.write_text(yaml.safe_dump(values | more))
    return path


def rows(folder: Path) -> list[dict[str, float]]:
    return [json.loads(row) for row in (folder / "log.jsonl").read_text().splitlines()]


def curve(folder: Path) -> list[dict[str, float]]:
    """What is written down of a run, but for the time it took."""
    return [{k: v for k, v in row.items() if k != "minutes"} for row in rows(folder)]


def run(config: Path, folder: Path, *more: str) -> int:
    return main(["train", str(config), "-o", str(folder), *more])


def test_the_published_training_from_file_to_video(published: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert run(published, folder, "epochs=3", "video_every=3", "optimizer.learning_rate=1e-3") == 0
    first, *_, last = rows(folder)
    for name in ("vertices", "velocity", "lip_features", "letters", "loss", "val.error"):
        assert last[name] < first[name], name
    weighed = 1000 * last["vertices"] + 1000 * last["velocity"]
    weighed += 0.001 * last["lip_features"] + 0.0001 * last["letters"]
    assert last["loss"] == pytest.approx(weighed, rel=1e-5)
    assert (folder / "videos" / "epoch0003.mp4").stat().st_size > 5000
    curves = EventAccumulator(str(folder / "tensorboard"))
    curves.Reload()
    assert [p.step for p in curves.Scalars("val/error")] == [9, 18, 27]

    talks = tmp_path / "talks.npz"
    trained = str(folder / "checkpoint")
    assert main(["animate", str(VOICE), "-o", str(talks), "--checkpoint", trained]) == 0
    motion = Motion.load(talks)
    assert motion.offsets.shape[1:] == (300, 3)
    assert motion.offsets.std() > 1e-5
    assert TalkingHead.from_pretrained(trained).heads.names == ["anna", "ben"]
    assert load_config(folder / "config.yaml").epochs == 3
    assert "folder" not in JambaTalk.from_pretrained(trained).config.encoder.architecture
    card = (folder / "checkpoint" / "README.md").read_text()
    assert f"{min(row['val.error'] for row in rows(folder)):.5g}" in card


def test_the_speech_encoder_learns_and_is_kept(published: Path, tmp_path: Path) -> None:
    config = load_config(published)
    before = make_task(config).model.encoder.model.state_dict()
    train(lambda: make_task(config), config, tmp_path / "run")
    after = JambaTalk.from_pretrained(tmp_path / "run" / "checkpoint").encoder.model.state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert "encoder.layers.1.attention.q_proj.weight" in moved
    assert not [name for name in moved if name.startswith("feature_extractor")]
    # and it is where the next run begins
    start = [f"network={{start: {tmp_path / 'run' / 'checkpoint'}, text_encoder: unused}}"]
    again = load_config(published, [*start, "loss.lip_features=0", "loss.letters=0"])
    begun = make_task(again).model.encoder.model.state_dict()
    assert all(torch.equal(begun[name], after[name]) for name in after)


@pytest.mark.parametrize(("accumulate", "optimizer"), [(1, "adam"), (2, "adam"), (1, "muon")])
def test_a_resumed_run_is_the_run_that_did_not_stop(
    accumulate: int, optimizer: str, published: Path, tmp_path: Path
) -> None:
    more = [f"optimizer={{name: {optimizer}, schedule: cosine, warmup: 5}}", "patience=9"]
    more += [f"accumulate={accumulate}"]
    more += ["network.changes.second_expert=random", "epochs=4"]
    assert run(published, tmp_path / "whole", *more) == 0
    config = load_config(published, more)
    with pytest.raises(KeyboardInterrupt):
        train(lambda: Interrupted(config, looks=3), config, tmp_path / "parts")
    assert len(curve(tmp_path / "parts")) == 2
    assert run(published, tmp_path / "parts", *more, "--resume") == 0
    assert curve(tmp_path / "parts") == curve(tmp_path / "whole")
    whole, parts = (
        tmp_path / name / "checkpoint" / "model.safetensors" for name in ("whole", "parts")
    )
    assert whole.read_bytes() == parts.read_bytes()


class Interrupted(RecordingTask):
    """Somebody presses Ctrl-C."""

    def __init__(self, config: TrainingConfig, looks: int) -> None:
        super().__init__(config)
        self.looks = looks

    def check(self) -> dict[str, float]:
        self.looks -= 1
        if not self.looks:
            raise KeyboardInterrupt
        return super().check()


def test_it_stops_when_it_gets_no_better(published: Path, tmp_path: Path) -> None:
    # nothing is learned
    assert run(published, tmp_path, "epochs=9", "patience=2", "optimizer.learning_rate=1e-30") == 0
    assert [row["epoch"] for row in rows(tmp_path)] == [1, 2, 3]


@pytest.mark.parametrize(("keep", "kept"), [("best", 1.0), ("last", 3.0)])
def test_the_best_network_is_kept_or_the_last(
    keep: str, kept: float, published: Path, tmp_path: Path
) -> None:
    config = load_config(published, ["epochs=3", f"keep={keep}"])
    task = Worsening(config)
    assert train(lambda: task, config, tmp_path / "run")["error"] == kept
    written = load_file(tmp_path / "run" / "checkpoint" / WEIGHTS_FILE)
    now = task.model.decoder.state_dict()
    assert all(torch.equal(written[name], now[name]) for name in written) == (keep == "last")


class Worsening(RecordingTask):
    """Every look is worse than the one before."""

    looks = 0

    def check(self) -> dict[str, float]:
        self.looks += 1
        return super().check() | {"error": float(self.looks)}


def test_bfloat16_learns_the_same(published: Path, tmp_path: Path) -> None:
    for precision in ("no", "bf16"):
        AcceleratorState._reset_state(True)
        assert run(published, tmp_path / precision, "epochs=1", f"precision={precision}") == 0
    AcceleratorState._reset_state(True)
    plain, half = (rows(tmp_path / precision)[0] for precision in ("no", "bf16"))
    assert half["lip_features"] != plain["lip_features"]
    assert half["lip_features"] == pytest.approx(plain["lip_features"], rel=0.05)
    assert half["vertices"] == pytest.approx(plain["vertices"], rel=0.05)


PROBE = """
import os, sys, torch
from jambatalk.cli import main
from jambatalk.train.training_module import Learner

# nothing random in the network: two processes do not draw what one would
def calm(self, *given):
    made(self, *given)
    self.model.encoder.model.config.apply_spec_augment = False
    torch.manual_seed(0)
    torch.nn.init.normal_(self.model.decoder.motion_map.weight, std=1e-3)  # lets gradients pass
    for module in self.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        elif isinstance(getattr(module, "dropout", None), float):
            module.dropout = 0.0
made, Learner.__init__ = Learner.__init__, calm

step, gradients = torch.optim.Adam.step, []
def keep(self, *given):
    weights = self.param_groups[0]["params"]
    gradients.append([torch.zeros(1) if w.grad is None else w.grad.clone() for w in weights])
    return step(self, *given)
torch.optim.Adam.step = keep
assert main(["train", *sys.argv[1:]]) == 0
torch.save(gradients[0], f"{sys.argv[3]}/gradients{os.environ.get('RANK', 0)}.pt")
"""


def launch(
    config: Path, folder: Path, processes: int, *more: str, probe: bool = False
) -> subprocess.CompletedProcess:
    """A run in processes of its own."""
    command = ["-m", "jambatalk", "train"]
    if probe:
        script = folder.with_suffix(".py")
        script.write_text(PROBE)
        command = [str(script)]
    if processes > 1:
        # Not --standalone, which wants names: neither localhost nor the machine's need resolve.
        here = ["--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0"]
        workers = ["--nproc-per-node", str(processes), "--local-addr", "127.0.0.1"]
        command = ["-m", "torch.distributed.run", *here, *workers, *command]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *command, str(config), "-o", str(folder), *more],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.slow
def test_two_processes_have_the_gradients_of_a_doubled_batch(
    data: Path, wav2vec2: Path, tmp_path: Path
) -> None:
    config = write_config(tmp_path / "run.yaml", data, wav2vec2)
    more = ["epochs=1", "data.cut=12", "optimizer.clip=1e9"]
    gradients = {}
    for processes, batch in ((1, 2), (2, 1)):
        folder = tmp_path / f"processes{processes}"
        done = launch(config, folder, processes, *more, f"batch={batch}", probe=True)
        assert done.returncode == 0, done.stderr
        gradients[processes] = torch.load(folder / "gradients0.pt")
    again = torch.load(tmp_path / "processes2" / "gradients1.pt")
    assert sum(gradient.abs().max() > 0 for gradient in gradients[1]) > 200
    for one, two, too in zip(gradients[1], gradients[2], again, strict=True):
        assert torch.equal(two, too)
        torch.testing.assert_close(two, one, rtol=1e-4, atol=1e-5 * float(one.abs().max() + 1e-9))
    one, two = (rows(tmp_path / f"processes{n}")[0] for n in (1, 2))
    assert one["step"] == two["step"] == 5
    for name in ("loss", "val.error", "letters"):
        assert two[name] == pytest.approx(one[name], rel=1e-3)


def test_a_step_has_the_same_recordings_however_it_is_shared(
    data: Path, wav2vec2: Path, tmp_path: Path
) -> None:
    order = {}
    for batch, accumulate, of in ((4, 1, 1), (2, 2, 1), (1, 2, 2)):
        config = load_config(
            write_config(tmp_path / "run.yaml", data, wav2vec2),
            ["data.cut=12", f"batch={batch}", f"accumulate={accumulate}"],
        )
        dataset = open_dataset("folder", data, "train")
        examples = Cuts(dataset, None, 12)
        shown = [Order(examples, config, process, of) for process in range(of)]
        assert {one.steps for one in shown} == {3}  # of 9 recordings
        batches = zip(*shown, strict=True)  # (process, draw) of each batch
        flat = [draw for batch in batches for part in batch for draw in part]
        order[batch] = flat
    assert order[4] == order[2] == order[1]
    assert {index for index, _ in order[4]} == set(range(9))
    one = Order(examples, config, 0, 1)
    one.epoch = 1
    assert [draw for batch in one for draw in batch] != order[4]


def test_weights_are_learned_from_tracks(tmp_path: Path) -> None:
    names = [f"{who}_{number:02}" for who in ("anna", "ben") for number in range(6)]
    write_tracks(tmp_path / "tracks", names, seconds=1.5)
    given = ["data={folder: " + str(tmp_path / "tracks") + ", cut: 30, workers: 0}"]
    given += ["epochs=12", "optimizer.warmup=2", "network.changes={width: 32}"]
    assert run(ROOT / "configs" / "tracks.yaml", tmp_path / "run", *given) == 0
    first, *_, last = rows(tmp_path / "run")
    assert last["val.vertices"] < 0.7 * first["val.vertices"]
    talking_head = TalkingHead.from_pretrained(tmp_path / "run" / "checkpoint")
    assert talking_head.styles == ("neutral", "anna", "ben")
    motion = talking_head.animate(Speech.read(VOICE), "ben")
    assert motion.blendshape("jawOpen").std() > 0.01


def test_vertices_are_learned_by_the_bundled_network(data: Path, tmp_path: Path) -> None:
    given = [
        "data={folder: " + str(data) + ", cut: 15, workers: 1}",
        "face.mesh=" + str(data / "face.ply"),
    ]
    given += ["face.lips=" + str(data / "lips.npy"), "epochs=8", "optimizer.warmup=2", "batch=2"]
    given += ["network.changes={width: 32}", "optimizer.learning_rate=3e-3", "check_every=2"]
    assert run(ROOT / "configs" / "folder.yaml", tmp_path / "run", *given) == 0
    looks = [row["val.vertices"] for row in rows(tmp_path / "run") if "val.vertices" in row]
    assert len(looks) == 4
    assert looks[-1] < 0.7 * looks[0]
    motion = TalkingHead.from_pretrained(tmp_path / "run" / "checkpoint").animate(
        Speech.read(VOICE)
    )
    assert 1e-4 < motion.offsets.std() < 0.01  # metres


def test_vocaset_is_stretched_to_its_frames(wav2vec2: Path, tmp_path: Path) -> None:
    folder = write_face(write_vocaset(tmp_path / "vocaset"), 5023)
    more = ["network.layout=vocaset", f"data={{set: vocaset, folder: {folder}, workers: 0}}"]
    config = load_config(write_config(tmp_path / "run.yaml", folder, wav2vec2), more)
    task = RecordingTask(config)
    samples, motion, style = task.examples[0, 0]
    predicted = task.learner.predict(samples[None], len(motion), style[None])
    assert predicted.shape == (1, *motion.shape)
    losses = task.learner(samples[None], motion[None], style[None])
    assert set(losses) == {"vertices", "velocity", "lip_features", "letters"}
    assert task.model.config.unit == 1.0


def test_the_text_encoder_hears_normalised_samples() -> None:
    x = normalised(torch.randn(3, 1000) * 0.01 + 0.5)
    assert x.mean(-1).abs().max() < 1e-4
    assert (x.square().mean(-1) - 1).abs().max() < 1e-2


def test_schedules() -> None:
    constant = OptimizerConfig(learning_rate=1e-4, warmup=4)
    assert [constant.rate(step, 100) for step in (0, 3, 99)] == pytest.approx([0.25e-4, 1e-4, 1e-4])
    cosine = OptimizerConfig(schedule="cosine", learning_rate=1.0 - 1e-9)
    assert cosine.rate(50, 100) == pytest.approx(0.505)
    assert cosine.rate(100, 100) == pytest.approx(0.01)


# ---- what goes wrong is said


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["train", *arguments]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    return said[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("epoch=5", "unknown key 'epoch'. Is it 'epochs'?"),
        ("data.folder=nowhere", "There is no folder nowhere"),
        ("face.mesh=nowhere.ply", "There is no mesh 'nowhere.ply'"),
        ("face.mesh=no/FLAME_sample.ply", "github.com/TimoBolkart/voca, for non-commercial"),
        ("face.lips=nowhere.npy", "nowhere.npy cannot be read"),
        ("face.lips=no/FLAME_masks.pkl", "flame.is.tue.mpg.de, after registration"),
        ("network.text_encoder=./nowhere", "There is no folder './nowhere' with a speech encoder"),
        (
            "network.changes.encoder.source=./nowhere",
            "There is no folder './nowhere' with a speech encoder",
        ),
        ("network.changes.encoder.source=null", "no weights for the speech encoder"),
        ("network.layout=biwi", "25 frames a second, not 30"),
        ("network.scan=cuda", "cuda"),
        ("loss.aperture=1", "'loss.aperture' cannot be 1.0"),
        ("data.cut=500", "No recording"),
        ("data.val=test", "There is no recording in"),
    ],
)
def test_what_is_wrong_is_said_at_once(
    change: str,
    message: str,
    published: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "run"
    assert message in refused(capsys, str(published), "-o", str(folder), change)
    assert not folder.exists()


def test_a_loss_that_is_no_number_stops_the_run(
    published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(
        capsys, str(published), "-o", str(tmp_path / "run"), "loss.vertices=1e38", "epochs=1"
    )
    assert "In epoch 1, step 1, the gradient is no longer a number (vertices " in said
    assert "learning_rate" in said


@pytest.mark.parametrize("workers", [0, 1])
def test_a_broken_recording_is_named(
    workers: int,
    data: Path,
    published: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(data, tmp_path / "broken")
    path = tmp_path / "broken" / "vertices_npy" / "anna_03.npy"
    motion = np.load(path)
    motion[5] = np.nan
    np.save(path, motion)
    given = [f"data={{folder: {tmp_path / 'broken'}, workers: {workers}}}", "epochs=1"]
    said = refused(capsys, str(published), "-o", str(tmp_path / "run"), *given)
    assert "The motion of 'anna_03' is not a number in frame 5" in said


def test_runs_are_neither_overwritten_nor_made_up(
    published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    assert "no run to resume" in refused(capsys, str(published), "-o", str(folder), "--resume")
    assert run(published, folder, "epochs=1", "loss={lip_features: 0, letters: 0}") == 0
    written = (folder / "log.jsonl").read_text()
    assert "--resume" in refused(capsys, str(published), "-o", str(folder), "epochs=1")
    assert (folder / "log.jsonl").read_text() == written
    (folder / "state.pt").write_bytes(b"x")
    assert "no run to resume" in refused(capsys, str(published), "-o", str(folder), "--resume")


def test_a_start_must_fit_the_set(
    published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    start = f"network={{start: {ROOT / 'checkpoints' / 'default'}}}"
    said = refused(capsys, str(published), "-o", str(folder), start)
    assert "predicts 0 vertices, and" in said


def test_without_accelerate_the_cure_is_said(
    published: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "accelerate", None)
    config = load_config(published)
    with pytest.raises(ModelError, match=r'accelerate.*pip install -e ".\[train\]"'):
        train(lambda: make_task(config), config, tmp_path / "run")
