"""Training on a handful of real recordings with a made-up motion."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from jambatalk import Face, Speech, TalkingHead, load_head
from jambatalk.errors import DataError
from jambatalk.face.lips import aperture
from jambatalk.files.bundled import DEFAULT_CHECKPOINT
from jambatalk.model.checkpoint import ENCODER_FILE
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.train.config_file import load_config
from jambatalk.train.loop import train
from jambatalk.train.optimizer import Muon, make_optimizers
from jambatalk.train.training_config import OptimizerConfig, TrainingConfig
from recipes.checkpoint.training.augment import CLEAR_PART, SPEED, augment, played
from recipes.checkpoint.training.bundled import at_rest, default_config
from recipes.checkpoint.training.examples import StyledClip, listen, silence
from recipes.checkpoint.training.styled_task import StyledTask

ROOT = Path(__file__).parent.parent
VOICES = ROOT / "assets" / "voices"


@pytest.fixture(scope="module")
def face() -> Face:
    return load_head(1)


ONE, TWO = 1, 2  # rows of the style table
ONCE = {"grid": 1}  # augmented


def talking(face: Face, voice: str, style: int) -> StyledClip:
    """A jaw that follows the loudness; the neutral style does the same, the others are unknown."""
    speech = Speech.read(VOICES / voice)
    loud = loudness(speech.samples, 30.0)
    weights = np.full((3, len(loud), len(face.blendshapes)), np.nan, np.float32)
    for row in (0, style):
        weights[row] = 0.0
        weights[row, :, face.blendshapes.index("jawOpen")] = loud / loud.max() * 0.6
    return StyledClip(voice, "grid", speech.samples, weights, style)


def loudness(samples: np.ndarray, fps: float) -> np.ndarray:
    """Of each frame."""
    frame = round(16000 / fps)
    return np.sqrt((samples[: len(samples) // frame * frame].reshape(-1, frame) ** 2).mean(1))


def bundled(*changes: str) -> TrainingConfig:
    """The recipe of the bundled checkpoint, changed."""
    return load_config(ROOT / "recipes" / "checkpoint" / "train.yaml", changes)


def small_model(face: Face) -> JambaTalk:
    """The bundled encoder under a small new decoder."""
    torch.manual_seed(0)
    styles = ("neutral", "one", "two")
    config = replace(default_config(face), styles=styles, style_notes=dict.fromkeys(styles, ""))
    config = replace(config, layers=("mamba_moe", "attention"), width=32)
    model = JambaTalk(config)
    encoder = load_file(DEFAULT_CHECKPOINT / ENCODER_FILE)
    model.encoder.model.load_state_dict(encoder, strict=False)
    return model


def test_learns_and_leaves_a_checkpoint_that_runs(tmp_path: Path, face: Face) -> None:
    clips = [talking(face, "jfk.flac", ONE), talking(face, "pico_es.wav", TWO)]
    config = bundled("batch=8", "data.cut=45", "optimizer.warmup=5", "optimizer.learning_rate=3e-3")
    config = replace(config, epochs=4, video_every=4)
    held_out = [talking(face, "pico_en.wav", ONE)]
    model = small_model(face)
    scores = train(
        lambda: StyledTask(model, face, clips, held_out, config, variants=ONCE, steps=20),
        *(config, tmp_path),
    )
    rows = [json.loads(row) for row in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert rows[-1]["vertices"] < rows[0]["vertices"]
    assert scores["one.r_jaw"] > 0.5  # another voice
    assert f"{scores['one.r_jaw']:.2f}" in (tmp_path / "checkpoint" / "README.md").read_text()
    assert (tmp_path / "videos" / "epoch0004.mp4").stat().st_size > 5000
    talking_head = TalkingHead.from_pretrained(tmp_path / "checkpoint")
    aperture = talking_head.animate(Speech.read(VOICES / "pico_fr.wav"), "one").lip_aperture()
    assert aperture.std() > 0.001


def test_training_is_reproducible(tmp_path: Path, face: Face) -> None:
    clips = [talking(face, "jfk.flac", ONE), talking(face, "pico_es.wav", TWO)]
    config = bundled("batch=2", "data.cut=30", "epochs=1")
    weights = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        model = small_model(face)
        task = StyledTask(model, face, clips, clips, config, variants=ONCE, steps=3)
        train(lambda task=task: task, config, folder)
        weights.append((folder / "checkpoint" / "model.safetensors").read_bytes())
    assert weights[0] == weights[1]


def test_muon_steps_a_matrix_alike_in_all_directions() -> None:
    torch.manual_seed(0)
    matrix, thin, bias = (
        torch.zeros(shape, requires_grad=True) for shape in ((64, 48), (64, 2), 9)
    )
    config = OptimizerConfig("muon", learning_rate=0.01)
    optimizers = make_optimizers([matrix, thin, bias], config)
    kinds = [type(optimizer) for optimizer in optimizers]
    assert kinds == [Muon, torch.optim.AdamW]
    left, right = torch.linalg.qr(torch.randn(64, 48))[0], torch.linalg.qr(torch.randn(48, 48))[0]
    matrix.grad = left * torch.logspace(0, -1.5, 48) @ right  # much steeper one way than another
    thin.grad, bias.grad = torch.randn(64, 2), torch.randn(9)
    for optimizer in optimizers:
        optimizer.step()
    moved = torch.linalg.svdvals(matrix.detach())
    assert moved.min() > 0.5 * moved.max() > 0
    assert matrix.detach().square().mean().sqrt() == pytest.approx(
        0.2 * 0.01, rel=0.3
    )  # AdamW's, typically
    for weight in (thin, bias):
        torch.testing.assert_close(weight.detach(), -0.01 * weight.grad.sign(), atol=1e-5, rtol=0)


def test_muon_is_torchs_but_for_its_half_precision() -> None:
    torch.manual_seed(0)
    start = torch.randn(96, 64)
    ours, theirs = (start.clone().requires_grad_() for _ in range(2))
    rate = {"lr": 0.01, "weight_decay": 0.05}
    optimizers = (
        Muon([ours], **rate),
        torch.optim.Muon([theirs], **rate, adjust_lr_fn="match_rms_adamw"),
    )
    for _ in range(4):
        ours.grad = torch.randn(96, 64)
        theirs.grad = ours.grad.clone()
        for optimizer in optimizers:
            optimizer.step()
    moved, difference = ours.detach() - start, ours.detach() - theirs.detach()
    assert difference.norm() < 0.03 * moved.norm()


def test_who_smiles_smiles_on_in_silence(face: Face) -> None:
    model = small_model(face)
    rest = at_rest(face, ("neutral", "smiling", "english-man"))
    smile = face.blendshapes.index("mouthSmileLeft")
    for example in silence(model, rest, count=2, seconds=1.0, seed=0):
        assert (example.weights[1, :, smile] > 0.3).all()
        assert not example.weights[[0, 2]].any()
        assert aperture(face, example.weights[1].float().numpy()).max() < 1e-4


def test_every_style_needs_a_recording(face: Face) -> None:
    clips = [talking(face, "jfk.flac", ONE)]
    with pytest.raises(DataError, match="two"):
        StyledTask(small_model(face), face, clips, clips, bundled())


def test_augmented_motion_stays_with_its_sound(face: Face) -> None:
    clip, other = talking(face, "jfk.flac", ONE), talking(face, "pico_fr.wav", ONE)
    jaw = face.blendshapes.index("jawOpen")
    agree = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        speed = rng.uniform(*SPEED)
        samples = augment(clip.samples, speed, rng, [other.samples])
        weights = played(clip.weights[0], speed)
        seconds = len(samples) / 16000
        assert len(weights) / 30 == pytest.approx(seconds, abs=0.1)
        assert seconds != pytest.approx(len(clip.samples) / 16000, abs=0.01)
        loud = loudness(samples, 30.0)
        frames = min(len(loud), len(weights))
        agree.append(np.corrcoef(loud[:frames], weights[:frames, jaw])[0, 1])
    assert np.median(agree) > 0.9
    assert min(agree) > 0.3  # as loud a crowd as the voice itself


def test_some_recordings_stay_clear() -> None:
    voice = Speech.read(VOICES / "pico_en.wav").samples
    clear = [
        np.array_equal(augment(voice, 1.1, np.random.default_rng(seed)), played(voice, 1.1))
        for seed in range(60)
    ]
    assert np.mean(clear) == pytest.approx(CLEAR_PART, abs=0.15)


def test_who_is_captured_talks_behind_nobody(face: Face) -> None:
    model, taught = small_model(face), talking(face, "pico_en.wav", 0)
    captured = talking(face, "pico_fr.wav", ONE)
    heard = listen(model, [taught], {"grid": 6}, seed=0)
    beside = listen(model, [captured, taught], {"grid": 6}, seed=0)
    for one, other in zip(heard, beside[-len(heard) :], strict=True):
        assert torch.equal(one.features, other.features)


def test_what_was_heard_is_kept(tmp_path: Path, face: Face) -> None:
    model, clips = small_model(face), [talking(face, "pico_en.wav", ONE)]
    first = listen(model, clips, variants=ONCE, seed=0, cache=tmp_path)
    model.encode = None
    again = listen(model, clips, variants=ONCE, seed=0, cache=tmp_path)
    with pytest.raises(TypeError):  # another seed is another noise, and nothing is kept of it
        listen(model, clips, variants=ONCE, seed=1, cache=tmp_path)
    assert len(first) == len(again) == 2
    for one, other in zip(first, again, strict=True):
        assert torch.equal(one.features, other.features)
        assert torch.equal(one.weights, other.weights)
        assert one.styles.tolist() == [0, ONE]
