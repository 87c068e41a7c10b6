"""Training on a handful of real recordings with a made-up motion."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from jambatalk import Face, Speech, TalkingHead, load_head
from jambatalk.data.clip import Clip
from jambatalk.errors import DataError
from jambatalk.model.jambatalk import ENCODER_WEIGHTS, JambaTalk
from jambatalk.talking_head import DEFAULT_CHECKPOINT
from jambatalk.train.augment import augment
from jambatalk.train.config import TrainingConfig
from jambatalk.train.config_file import load_config
from jambatalk.train.default import default_config
from jambatalk.train.loop import train
from jambatalk.train.losses import LIPS, MOVED, MotionLoss
from jambatalk.train.styled import StyledTask

ROOT = Path(__file__).parent.parent
VOICES = ROOT / "assets" / "voices"


@pytest.fixture(scope="module")
def face() -> Face:
    return load_head(1)


def talking(face: Face, voice: str, style: str) -> Clip:
    """A jaw that follows the loudness."""
    speech = Speech.read(VOICES / voice)
    steps = speech.samples[: len(speech.samples) // 640 * 640].reshape(-1, 640)
    loud = np.sqrt((steps**2).mean(1))
    weights = np.zeros((len(loud), len(face.actions)), np.float32)
    weights[:, face.actions.index("jawOpen")] = loud / loud.max() * 0.6
    return Clip(voice, speech.samples, weights, 25.0, style)


def bundled(*changes: str) -> TrainingConfig:
    """The recipe of the bundled checkpoint, changed."""
    return load_config(ROOT / "configs" / "bundled.yaml", changes)


def small_model(face: Face) -> JambaTalk:
    """The bundled encoder under a small new decoder."""
    torch.manual_seed(0)
    config = replace(default_config(face), layers=("mamba_moe", "attention"), width=32)
    model = JambaTalk(config)
    encoder = load_file(DEFAULT_CHECKPOINT / ENCODER_WEIGHTS)
    model.encoder.model.load_state_dict(encoder, strict=False)
    return model


def test_learns_and_leaves_a_checkpoint_that_runs(tmp_path: Path, face: Face) -> None:
    clips = [talking(face, "jfk.flac", "crisp"), talking(face, "pico_es.wav", "lively")]
    config = bundled("batch=8", "data.cut=45", "optimizer.warmup=5", "optimizer.learning_rate=3e-3")
    config = replace(config, epochs=4, video_every=4)
    held_out = [talking(face, "pico_en.wav", "crisp")]
    model = small_model(face)
    scores = train(
        lambda: StyledTask(model, face, clips, held_out, config, variants=1, steps=20),
        *(config, tmp_path),
    )
    rows = [json.loads(row) for row in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert rows[-1]["vertices"] < rows[0]["vertices"]
    assert scores["crisp.r_jaw"] > 0.5  # another voice
    assert f"{scores['crisp.r_jaw']:.2f}" in (tmp_path / "best" / "README.md").read_text()
    assert (tmp_path / "videos" / "epoch0004.mp4").stat().st_size > 5000
    talking_head = TalkingHead.from_pretrained(tmp_path / "best")
    aperture = talking_head.animate(Speech.read(VOICES / "pico_fr.wav"), "crisp").lip_aperture()
    assert aperture.std() > 0.001


def test_training_is_reproducible(tmp_path: Path, face: Face) -> None:
    clips = [talking(face, "jfk.flac", "crisp"), talking(face, "pico_es.wav", "lively")]
    config = bundled("batch=2", "data.cut=30", "epochs=1")
    weights = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        model = small_model(face)
        task = StyledTask(model, face, clips, clips, config, variants=1, steps=3)
        train(lambda task=task: task, config, folder)
        weights.append((folder / "best" / "model.safetensors").read_bytes())
    assert weights[0] == weights[1]


def test_every_style_needs_a_recording(face: Face) -> None:
    clips = [talking(face, "jfk.flac", "crisp")]
    with pytest.raises(DataError, match="lively"):
        StyledTask(small_model(face), face, clips, clips, bundled())


def test_loss_is_the_error_of_the_vertices(face: Face) -> None:
    torch.manual_seed(0)
    said, seen = torch.rand(2, 7, len(face.actions)), torch.rand(2, 7, len(face.actions))
    losses = MotionLoss(face)(said, seen)
    offset = (face.vertices(said.numpy()) - face.vertices(seen.numpy())) * 1e3  # mm
    share = np.zeros(len(face.template))
    share[face.regions["skin"]] = 1
    share[face.regions["lips"]] = LIPS
    share[np.linalg.norm(face.basis, axis=-1).max(0) < MOVED] = 0
    squared = (offset**2).sum(-1) @ (share / share.sum())
    assert losses["vertices"].item() == pytest.approx(squared.mean(), rel=1e-3)
    speed = (np.diff(offset, axis=1) ** 2).sum(-1) @ (share / share.sum())
    assert losses["velocity"].item() == pytest.approx(speed.mean(), rel=1e-3)
    assert all(loss.item() == 0 for loss in MotionLoss(face)(said, said).values())


def test_in_its_own_units_the_loss_is_a_sphere(face: Face) -> None:
    loss, counts = MotionLoss(face), bundled().loss
    rest = torch.zeros(1, 2, len(face.actions))  # two equal frames: no velocity
    for direction in torch.randn(5, len(face.actions)):
        error = (direction / direction.norm())[None, None] @ loss.units(counts)
        assert counts.total(loss(rest + error, rest)).item() == pytest.approx(1.0, rel=0.01)


def test_augmented_motion_stays_with_its_sound(face: Face) -> None:
    clip = talking(face, "jfk.flac", "crisp")
    jaw = face.actions.index("jawOpen")
    for seed in range(3):
        samples, weights = augment(clip.samples, clip.weights, np.random.default_rng(seed))
        seconds = len(samples) / 16000
        assert len(weights) / 25 == pytest.approx(seconds, abs=0.1)
        assert seconds != pytest.approx(len(clip.samples) / 16000, abs=0.01)
        steps = samples[: len(weights) * 640].reshape(-1, 640)
        loud = np.sqrt((steps**2).mean(1))
        assert np.corrcoef(loud, weights[: len(loud), jaw])[0, 1] > 0.8
