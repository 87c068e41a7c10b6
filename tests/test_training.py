"""Training runs on small synthetic sets, from configuration file to checkpoint."""

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
from jambatalk.train.batch_sampler import BatchSampler
from jambatalk.train.config_file import load_config
from jambatalk.train.loop import train
from jambatalk.train.random_crops import RandomCrops
from jambatalk.train.recording_task import RecordingTask
from jambatalk.train.training_config import OptimizerConfig, TrainingConfig
from jambatalk.train.training_module import standardised

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
    """A tiny wav2vec 2.0 with a letter head and random weights."""
    return write_speech_encoder(tmp_path_factory.mktemp("wav2vec2"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two subjects, five sentences each, on a small mesh."""
    return write_face(write_folder(tmp_path_factory.mktemp("data"), sentences=range(5)), 300)


@pytest.fixture
def published(data: Path, wav2vec2: Path, tmp_path: Path) -> Path:
    """The published network and its training, at a small size."""
    return write_config(tmp_path / "run.yaml", data, wav2vec2)


def write_config(path: Path, data: Path, wav2vec2: Path, **more: object) -> Path:
    network = TINY | {"encoder": {"layers": [2], "source": str(wav2vec2)}}
    values = {
        "data": {"set": "folder", "folder": str(data)},
        "workers": 0,
        "face": {"mesh": str(data / "face.ply"), "lips": str(data / "lips.npy")},
        "network": {"text_encoder": str(wav2vec2), "changes": network},
        "epochs": 2,
    }
    path.write_text(yaml.safe_dump(values | more))
    return path


def read_log(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def curve(folder: Path) -> list[dict[str, float]]:
    """The log of a run without its times."""
    return [{k: v for k, v in entry.items() if k != "minutes"} for entry in read_log(folder)]


def run(config: Path, folder: Path, *more: str) -> int:
    return main(["train", str(config), "-o", str(folder), *more])


def test_published_training_from_config_to_video(published: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert run(published, folder, "epochs=3", "video_every=3", "optimizer.learning_rate=3e-4") == 0
    first, *_, last = read_log(folder)
    for name in ("vertices", "lip_features", "letters", "loss", "val.error"):
        assert last[name] < first[name], name
    weighted = 1000 * last["vertices"] + 1000 * last["velocity"]
    weighted += 0.001 * last["lip_features"] + 0.0001 * last["letters"]
    assert last["loss"] == pytest.approx(weighted, rel=1e-5)
    assert (folder / "videos" / "epoch0003.mp4").stat().st_size > 5000
    curves = EventAccumulator(str(folder / "tensorboard"))
    curves.Reload()
    assert [p.step for p in curves.Scalars("val/error")] == [9, 18, 27]

    animated = tmp_path / "animated.npz"
    trained = str(folder / "checkpoint")
    assert main(["animate", str(VOICE), "-o", str(animated), "--checkpoint", trained]) == 0
    motion = Motion.load(animated)
    assert motion.offsets.shape[1:] == (300, 3)
    assert motion.offsets.std() > 1e-5
    assert TalkingHead.from_pretrained(trained).heads.names == ["anna", "ben"]
    assert load_config(folder / "config.yaml", TrainingConfig).epochs == 3
    assert "folder" not in JambaTalk.from_pretrained(trained).config.encoder.architecture
    card = (folder / "checkpoint" / "README.md").read_text()
    assert f"{min(entry['val.error'] for entry in read_log(folder)):.5g}" in card


def test_velocity_loss_alone_decreases(published: Path, tmp_path: Path) -> None:
    """The decoder starts from no motion, whose velocity error the vertex loss hardly lowers."""
    others = ("loss.vertices=0", "loss.lip_features=0", "loss.letters=0")
    faster = ("network.changes.dropout=0", "optimizer.learning_rate=1e-3", "epochs=6")
    assert run(published, tmp_path / "run", *others, *faster) == 0
    first, *_, last = read_log(tmp_path / "run")
    assert last["velocity"] < 0.85 * first["velocity"]


def test_speech_encoder_is_trained_and_saved(published: Path, tmp_path: Path) -> None:
    config = load_config(published, TrainingConfig)
    before = RecordingTask(config).model.encoder.model.state_dict()
    train(lambda: RecordingTask(config), config, tmp_path / "run")
    after = JambaTalk.from_pretrained(tmp_path / "run" / "checkpoint").encoder.model.state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert "encoder.layers.1.attention.q_proj.weight" in moved
    assert not [name for name in moved if name.startswith("feature_extractor")]
    # a run started from the checkpoint has its encoder
    start = [f"network={{start: {tmp_path / 'run' / 'checkpoint'}, text_encoder: unused}}"]
    again = load_config(
        published, TrainingConfig, [*start, "loss.lip_features=0", "loss.letters=0"]
    )
    started = RecordingTask(again).model.encoder.model.state_dict()
    assert all(torch.equal(started[name], after[name]) for name in after)


@pytest.mark.parametrize(("accumulate", "optimizer"), [(1, "adam"), (2, "muon")])
def test_resumed_run_equals_an_uninterrupted_one(
    accumulate: int, optimizer: str, published: Path, tmp_path: Path
) -> None:
    more = [f"optimizer={{name: {optimizer}, schedule: cosine, warmup: 5}}", "patience=9"]
    more += [f"accumulate={accumulate}"]
    more += ["network.changes.second_expert=random", "epochs=3"]
    assert run(published, tmp_path / "whole", *more) == 0
    config = load_config(published, TrainingConfig, more)
    with pytest.raises(KeyboardInterrupt):
        train(lambda: Interrupted(config, validations=2), config, tmp_path / "parts")
    assert len(curve(tmp_path / "parts")) == 1
    with (tmp_path / "parts" / "log.jsonl").open("a") as log:
        log.write('{"epoch": 2, "lo')  # as of a run that was killed, or a disk that was full
    assert run(published, tmp_path / "parts", *more, "--resume") == 0
    assert curve(tmp_path / "parts") == curve(tmp_path / "whole")
    whole, parts = (
        tmp_path / name / "checkpoint" / "model.safetensors" for name in ("whole", "parts")
    )
    assert whole.read_bytes() == parts.read_bytes()


class Interrupted(RecordingTask):
    """Interrupted by Ctrl-C in its n-th validation."""

    def __init__(self, config: TrainingConfig, validations: int) -> None:
        super().__init__(config)
        self.validations = validations

    def validate(self) -> dict[str, float]:
        self.validations -= 1
        if not self.validations:
            raise KeyboardInterrupt
        return super().validate()


def test_patience_stops_a_run_without_improvement(published: Path, tmp_path: Path) -> None:
    # too small a learning rate to change anything
    assert run(published, tmp_path, "epochs=9", "patience=2", "optimizer.learning_rate=1e-30") == 0
    assert [entry["epoch"] for entry in read_log(tmp_path)] == [1, 2, 3]


@pytest.mark.parametrize(("save", "error"), [("best", 1.0), ("last", 3.0)])
def test_best_or_last_checkpoint_is_saved(
    save: str, error: float, published: Path, tmp_path: Path
) -> None:
    config = load_config(published, TrainingConfig, ["epochs=3", f"save={save}"])
    task = Worsening(config)
    assert train(lambda: task, config, tmp_path / "run")["error"] == error
    written = load_file(tmp_path / "run" / "checkpoint" / WEIGHTS_FILE)
    last = task.model.decoder.state_dict()
    assert all(torch.equal(written[name], last[name]) for name in written) == (save == "last")


class Worsening(RecordingTask):
    """Every validation is worse than the one before."""

    validations = 0

    def validate(self) -> dict[str, float]:
        self.validations += 1
        return super().validate() | {"error": float(self.validations)}


def test_bfloat16_has_nearly_the_same_losses(published: Path, tmp_path: Path) -> None:
    for precision in ("no", "bf16"):
        AcceleratorState._reset_state(True)
        assert run(published, tmp_path / precision, "epochs=1", f"precision={precision}") == 0
    AcceleratorState._reset_state(True)
    plain, half = (read_log(tmp_path / precision)[0] for precision in ("no", "bf16"))
    assert half["lip_features"] != plain["lip_features"]
    assert half["lip_features"] == pytest.approx(plain["lip_features"], rel=0.05)
    assert half["vertices"] == pytest.approx(plain["vertices"], rel=0.05)


PROBE = """
import os, sys, torch
from jambatalk.cli import main
from jambatalk.train.training_module import TrainingModule

# no randomness in the network: two processes draw other numbers than one
def deterministic(self, *given):
    original(self, *given)
    self.model.encoder.model.config.apply_spec_augment = False
    torch.manual_seed(0)
    torch.nn.init.normal_(self.model.decoder.motion_map.weight, std=1e-3)  # lets gradients pass
    for module in self.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        elif isinstance(getattr(module, "dropout", None), float):
            module.dropout = 0.0
original, TrainingModule.__init__ = TrainingModule.__init__, deterministic

step, gradients = torch.optim.Adam.step, []
def record(self, *given):
    weights = self.param_groups[0]["params"]
    gradients.append([torch.zeros(1) if w.grad is None else w.grad.clone() for w in weights])
    return step(self, *given)
torch.optim.Adam.step = record
assert main(["train", *sys.argv[1:]]) == 0
torch.save(gradients[0], f"{sys.argv[3]}/gradients{os.environ.get('RANK', 0)}.pt")
"""


def launch(
    config: Path, folder: Path, processes: int, *more: str, probe: bool = False
) -> subprocess.CompletedProcess:
    """Run in processes of its own."""
    command = ["-m", "jambatalk", "train"]
    if probe:
        script = folder.with_suffix(".py")
        script.write_text(PROBE)
        command = [str(script)]
    if processes > 1:
        # not --standalone, which needs host names to resolve
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
    more = ["epochs=1", "data.crop=12", "optimizer.clip=1e9"]
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
    one, two = (read_log(tmp_path / f"processes{n}")[0] for n in (1, 2))
    assert one["step"] == two["step"] == 5
    for name in ("loss", "val.error", "letters"):
        assert two[name] == pytest.approx(one[name], rel=1e-3)


def test_steps_have_the_same_recordings_however_they_are_shared(
    data: Path, wav2vec2: Path, tmp_path: Path
) -> None:
    order = {}
    for batch, accumulate, processes in ((4, 1, 1), (2, 2, 1), (1, 2, 2)):
        config = load_config(
            write_config(tmp_path / "run.yaml", data, wav2vec2),
            TrainingConfig,
            ["data.crop=12", f"batch={batch}", f"accumulate={accumulate}"],
        )
        dataset = open_dataset("folder", data, "train")
        crops = RandomCrops(dataset, None, 12)
        samplers = [BatchSampler(crops, config, n, processes) for n in range(processes)]
        assert {sampler.steps for sampler in samplers} == {3}  # of 9 recordings
        batches = zip(*samplers, strict=True)  # (process, key) of each batch
        flat = [key for batch in batches for part in batch for key in part]
        order[batch] = flat
    assert order[4] == order[2] == order[1]
    assert {index for index, _ in order[4]} == set(range(9))
    sampler = BatchSampler(crops, config)
    sampler.epoch = 1
    assert [key for batch in sampler for key in batch] != order[4]


def test_training_on_tracks(tmp_path: Path) -> None:
    names = [f"{who}_{number:02}" for who in ("anna", "ben") for number in range(5)]
    write_tracks(tmp_path / "tracks", names, seconds=1.2)
    given = ["data={folder: " + str(tmp_path / "tracks") + ", crop: 30}", "workers=0"]
    given += ["epochs=10", "optimizer.warmup=2"]
    given += ["network.changes={width: 32, layers: [mamba_moe, attention]}"]
    assert run(ROOT / "configs" / "tracks.yaml", tmp_path / "run", *given) == 0
    first, *_, last = read_log(tmp_path / "run")
    assert last["val.vertices"] < 0.7 * first["val.vertices"]
    talking_head = TalkingHead.from_pretrained(tmp_path / "run" / "checkpoint")
    assert talking_head.styles == ("neutral", "anna", "ben")
    motion = talking_head.animate(Speech.read(VOICE), "ben")
    assert motion.blendshape("jawOpen").std() > 0.01


def test_training_the_bundled_network_on_vertices(data: Path, tmp_path: Path) -> None:
    given = [
        "data={folder: " + str(data) + ", crop: 15}",
        "workers=1",
        "face.mesh=" + str(data / "face.ply"),
    ]
    given += ["face.lips=" + str(data / "lips.npy"), "epochs=8", "optimizer.warmup=2", "batch=2"]
    given += ["network.changes={width: 32, layers: [mamba, attention]}"]
    given += ["optimizer.learning_rate=3e-3", "validate_every=2"]
    assert run(ROOT / "configs" / "folder.yaml", tmp_path / "run", *given) == 0
    log = read_log(tmp_path / "run")
    errors = [entry["val.vertices"] for entry in log if "val.vertices" in entry]
    assert len(errors) == 4
    assert errors[-1] < 0.7 * errors[0]
    motion = TalkingHead.from_pretrained(tmp_path / "run" / "checkpoint").animate(
        Speech.read(VOICE)
    )
    assert 1e-4 < motion.offsets.std() < 0.01  # metres


def test_features_of_vocaset_are_stretched_to_its_frames(wav2vec2: Path, tmp_path: Path) -> None:
    folder = write_face(write_vocaset(tmp_path / "vocaset"), 5023)
    more = ["network.layout=vocaset", f"data={{set: vocaset, folder: {folder}}}"]
    config = load_config(
        write_config(tmp_path / "run.yaml", folder, wav2vec2), TrainingConfig, more
    )
    task = RecordingTask(config)
    samples, motion, style = task.dataset[0, 0]
    predicted = task.module.predict(samples[None], len(motion), style[None])
    assert predicted.shape == (1, *motion.shape)
    losses = task.module(samples[None], motion[None], style[None])
    assert set(losses) == {"vertices", "velocity", "lip_features", "letters"}
    assert task.model.config.unit == 1.0


def test_text_encoder_input_is_standardised() -> None:
    x = standardised(torch.randn(3, 1000) * 0.01 + 0.5)
    assert x.mean(-1).abs().max() < 1e-4
    assert (x.square().mean(-1) - 1).abs().max() < 1e-2


def test_learning_rate_schedules() -> None:
    constant = OptimizerConfig(learning_rate=1e-4, warmup=4)
    assert [constant.rate(step, 100) for step in (0, 3, 99)] == pytest.approx([0.25e-4, 1e-4, 1e-4])
    cosine = OptimizerConfig(schedule="cosine", learning_rate=1.0 - 1e-9)
    assert cosine.rate(50, 100) == pytest.approx(0.505)
    assert cosine.rate(100, 100) == pytest.approx(0.01)


# ---- errors


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["train", *arguments]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("epoch=5", "unknown key 'epoch'. Is it 'epochs'?"),
        ("data.folder=nowhere", "There is no folder nowhere"),
        ("face.mesh=nowhere.ply", "There is no file 'nowhere.ply'"),
        ("face.mesh=no/FLAME_sample.ply", "github.com/TimoBolkart/voca, for non-commercial"),
        ("face.lips=nowhere.npy", "There is no file 'nowhere.npy'"),
        ("face.lips=no/FLAME_masks.pkl", "flame.is.tue.mpg.de, after registration"),
        ("network.text_encoder=./nowhere", "There is no folder './nowhere' with a speech encoder"),
        (
            "network.changes.encoder.source=./nowhere",
            "There is no folder './nowhere' with a speech encoder",
        ),
        ("network.changes.encoder.source=null", "no pretrained weights for the speech encoder"),
        ("network.layout=biwi", "25 frames a second, not 30"),
        ("network.scan=cuda", "cuda"),
        ("loss.aperture=1", "'loss.aperture' cannot be 1.0"),
        ("data.crop=500", "No recording"),
        ("data.val=test", "There is no recording in"),
    ],
)
def test_invalid_configuration_is_refused_before_anything_is_written(
    change: str,
    message: str,
    published: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "run"
    assert message in refused(capsys, str(published), "-o", str(folder), change)
    assert not folder.exists()


def test_loss_that_is_not_finite_stops_the_run(
    published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = refused(
        capsys, str(published), "-o", str(tmp_path / "run"), "loss.vertices=1e38", "epochs=1"
    )
    assert "The gradient is not finite in epoch 1, step 1 (vertices " in message
    assert "learning_rate" in message


@pytest.mark.parametrize("workers", [0, 1])
def test_damaged_recording_is_named(
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
    given = [f"data={{folder: {tmp_path / 'broken'}}}", f"workers={workers}", "epochs=1"]
    message = refused(capsys, str(published), "-o", str(tmp_path / "run"), *given)
    assert "The motion of 'anna_03' is not finite in frame 5" in message


def test_runs_are_neither_overwritten_nor_resumed_from_nothing(
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


def test_resuming_with_another_network_names_its_missing_weights(
    published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, losses = tmp_path / "run", "loss={lip_features: 0, letters: 0}"
    assert run(published, folder, "epochs=1", losses) == 0
    arguments = [str(published), "-o", str(folder), "--resume", "epochs=2"]
    message = refused(capsys, *arguments)
    assert (
        "cannot be resumed with this configuration: its state lacks the weights network.l"
        in message
    )
    assert "run/config.yaml" in message  # long paths are shortened in the middle
    message = refused(capsys, *arguments, losses, "network.changes.d_state=8")
    assert "size mismatch" in message
    message = refused(capsys, *arguments, losses, "optimizer.name=muon")
    assert "cannot be resumed" in message


def test_start_that_does_not_fit_the_set_is_refused(
    published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    start = f"network={{start: {ROOT / 'checkpoints' / 'default'}}}"
    message = refused(capsys, str(published), "-o", str(folder), start)
    assert "predicts 0 vertices, and" in message


def test_missing_accelerate_names_the_extra_to_install(
    published: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "accelerate", None)
    config = load_config(published, TrainingConfig)
    with pytest.raises(ModelError, match=r"accelerate.*pip install 'jambatalk\[train\]'"):
        train(lambda: RecordingTask(config), config, tmp_path / "run")
