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
from jambatalk.train.default import default_config
from jambatalk.train.loop import TrainConfig, train
from jambatalk.train.losses import LIPS, MOVED, MotionLoss

VOICES = Path(__file__).parent.parent / "assets" / "voices"


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
    config = TrainConfig(steps=80, batch=8, frames=45, warmup=5, evaluate_every=40, variants=1)
    config = replace(config, learning_rate=3e-3)
    held_out = [talking(face, "pico_en.wav", "crisp")]
    scores = train(small_model(face), face, clips, held_out, tmp_path, config)
    rows = [json.loads(row) for row in (tmp_path / "log.jsonl").read_text().splitlines()]
    losses = [row["vertices"] for row in rows if "vertices" in row]
    assert losses[-1] < losses[0]
    assert scores["crisp.r_jaw"] > 0.5  # another voice
    assert f"{scores['crisp.r_jaw']:.2f}" in (tmp_path / "README.md").read_text()
    talking_head = TalkingHead.from_pretrained(tmp_path)
    aperture = talking_head.animate(Speech.read(VOICES / "pico_fr.wav"), "crisp").lip_aperture()
    assert aperture.std() > 0.001


def test_training_is_reproducible(tmp_path: Path, face: Face) -> None:
    clips = [talking(face, "jfk.flac", "crisp"), talking(face, "pico_es.wav", "lively")]
    config = TrainConfig(steps=3, batch=2, frames=30, evaluate_every=3, variants=1)
    weights = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        train(small_model(face), face, clips, clips, folder, config)
        weights.append((folder / "model.safetensors").read_bytes())
    assert weights[0] == weights[1]


def test_every_style_needs_a_recording(tmp_path: Path, face: Face) -> None:
    clips = [talking(face, "jfk.flac", "crisp")]
    with pytest.raises(DataError, match="lively"):
        train(small_model(face), face, clips, clips, tmp_path, TrainConfig(steps=1))


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
    assert losses.vertices.item() == pytest.approx(squared.mean(), rel=1e-3)
    speed = (np.diff(offset, axis=1) ** 2).sum(-1) @ (share / share.sum())
    assert losses.velocity.item() == pytest.approx(speed.mean(), rel=1e-3)
    assert all(loss.item() == 0 for loss in MotionLoss(face)(said, said))


def test_in_its_own_units_the_loss_is_a_sphere(face: Face) -> None:
    loss = MotionLoss(face)
    rest = torch.zeros(1, 2, len(face.actions))  # two equal frames: no velocity
    for direction in torch.randn(5, len(face.actions)):
        error = (direction / direction.norm())[None, None] @ loss.units()
        assert loss(rest + error, rest).total().item() == pytest.approx(1.0, rel=0.01)


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
