"""Training of the bundled checkpoint, on real recordings with made-up motion."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from captured_data import JFK_SECONDS, jfk_phones, write_data
from safetensors.torch import load_file

from jambatalk import Face, Speech, TalkingHead, load_head
from jambatalk.face.lips import aperture, width
from jambatalk.files.bundled import DEFAULT_CHECKPOINT, VOICES
from jambatalk.model.checkpoint import ENCODER_FILE
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.motion.motion import Motion
from jambatalk.motion.resample import resample
from jambatalk.train.config_file import load_config, make_config, to_plain
from jambatalk.train.loop import train
from jambatalk.train.optimizer import Muon, make_optimizers
from jambatalk.train.training_config import OptimizerConfig
from recipes.checkpoint.augment import CLEAN_SHARE, SPEED, augment, change_speed
from recipes.checkpoint.captured.lip_clips import LipClip
from recipes.checkpoint.coarticulation.phone_tracks import PHONES
from recipes.checkpoint.corpus.recording import Recording
from recipes.checkpoint.feature_cache import FeatureCache
from recipes.checkpoint.lip_styles.speakers import NOTES
from recipes.checkpoint.model_card import write_model_card
from recipes.checkpoint.pseudo_labels.__main__ import main as label_main
from recipes.checkpoint.train import CONFIG
from recipes.checkpoint.train import main as train_main
from recipes.checkpoint.training.architecture import bundled_config
from recipes.checkpoint.training.encoded_clips import EncodedClip, encode_clips, silent_clips
from recipes.checkpoint.training.recipe_config import RecipeConfig
from recipes.checkpoint.training.style_task import StyleTask
from recipes.checkpoint.training.styled_clips import StyledClip


@pytest.fixture(scope="module")
def face() -> Face:
    return load_head(1)


PER_CLIP = ("frames", "landmarks", "lips", "tracked")  # arrays of GRID's motion.npz
ONE, TWO = 1, 2  # indices of styles
ONCE = {"grid": 1}  # number of augmented versions


def make_clip(face: Face, voice: str, style: int) -> StyledClip:
    """A clip whose jaw follows the loudness, the same in three styles."""
    speech = Speech.read(VOICES / voice)
    loud = loudness(speech.samples, 30.0)
    weights = np.zeros((3, len(loud), len(face.blendshapes)), np.float32)
    weights[..., face.blendshapes.index("jawOpen")] = loud / loud.max() * 0.6
    phones = np.full(len(loud), PHONES.index("AA"))
    return StyledClip(
        voice, "grid", speech.samples, weights, style, phones, np.zeros((len(loud), 2), np.float32)
    )


def encoded(model: JambaTalk, clips: list[StyledClip], versions: int = 1) -> list[EncodedClip]:
    """The clips with some augmented versions, and with silence."""
    rest = np.zeros((len(model.config.styles), len(model.config.blendshapes)), np.float32)
    silent = silent_clips(model, rest, count=1, seconds=3.0, seed=0)
    return encode_clips(FeatureCache(model), clips, {"grid": versions}) + silent


def loudness(samples: np.ndarray, fps: float) -> np.ndarray:
    """RMS level of each frame."""
    frame = round(16000 / fps)
    return np.sqrt((samples[: len(samples) // frame * frame].reshape(-1, frame) ** 2).mean(1))


def tracked_lips(face: Face, clips: list[StyledClip]) -> np.ndarray:
    """Lip aperture and mouth width (t, 2) of the first clip, in the neutral style."""
    weights = clips[0].weights[0]
    return np.stack([aperture(face, weights), width(face, weights)], 1)


def recipe_config(*changes: str) -> RecipeConfig:
    return load_config(CONFIG, RecipeConfig, changes)


def small_model(face: Face) -> JambaTalk:
    """The bundled encoder under a small new decoder."""
    torch.manual_seed(0)
    styles = ("neutral", "one", "two")
    config = replace(bundled_config(face), styles=styles, style_notes=dict.fromkeys(styles, ""))
    config = replace(config, layers=("mamba_moe", "attention"), width=32, dropout=0.05)
    model = JambaTalk(config)
    encoder = load_file(DEFAULT_CHECKPOINT / ENCODER_FILE)
    model.encoder.model.load_state_dict(encoder, strict=False)
    return model


def test_training_from_clips_to_checkpoint_and_video(tmp_path: Path, face: Face) -> None:
    clips = [make_clip(face, "jfk.flac", ONE), make_clip(face, "pico_es.wav", TWO)]
    changes = ["batch=8", "data.crop=45", "epochs=4", "video_every=4"]
    config = recipe_config(*changes, "optimizer={warmup: 5, learning_rate: 3e-3}")
    held_out = [make_clip(face, "pico_en.wav", ONE)]
    model = small_model(face)
    voice = Speech.read(VOICES / "pico_en.wav").samples
    lips = LipClip("person", "person", model.encode_samples(voice), tracked_lips(face, held_out))
    clips, held_out = encoded(model, clips), encoded(model, held_out, versions=0)
    task = StyleTask(model, face, clips, held_out[:1], {"people": [lips]}, config, steps=40)
    scores = train(lambda: task, config, tmp_path)
    entries = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert entries[-1]["vertices"] < entries[0]["vertices"]
    assert scores["one.r_jaw"] > 0.5  # another voice
    assert -1 <= scores["people.r_aperture"] <= 1  # a voice that was not trained on
    assert f"{scores['one.r_jaw']:.2f}" in (tmp_path / "checkpoint" / "README.md").read_text()
    assert (tmp_path / "videos" / "epoch0004.mp4").stat().st_size > 5000
    talking_head = TalkingHead.from_pretrained(tmp_path / "checkpoint")
    aperture = talking_head.animate(Speech.read(VOICES / "pico_fr.wav"), "one").lip_aperture()
    assert aperture.std() > 0.001


def test_training_twice_gives_identical_weights(tmp_path: Path, face: Face) -> None:
    clips = [make_clip(face, "jfk.flac", ONE), make_clip(face, "pico_es.wav", TWO)]
    config = recipe_config("batch=2", "data.crop=30", "epochs=1")
    weights = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        model = small_model(face)
        examples = encoded(model, clips)
        task = StyleTask(model, face, examples, examples[:1], {}, config, steps=3)
        train(lambda task=task: task, config, folder)
        weights.append((folder / "checkpoint" / "model.safetensors").read_bytes())
    assert weights[0] == weights[1]


def test_muon_updates_a_matrix_equally_in_all_directions() -> None:
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


def test_muon_matches_torch_within_its_half_precision() -> None:
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


def test_augmented_motion_stays_in_sync(face: Face) -> None:
    clip, other = make_clip(face, "jfk.flac", ONE), make_clip(face, "pico_fr.wav", ONE)
    jaw = face.blendshapes.index("jawOpen")
    agree = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        speed = rng.uniform(*SPEED)
        samples = augment(clip.samples, speed, rng, [other.samples])
        weights = resample(clip.weights[0], speed, 1.0)
        seconds = len(samples) / 16000
        assert len(weights) / 30 == pytest.approx(seconds, abs=0.1)
        assert seconds != pytest.approx(len(clip.samples) / 16000, abs=0.01)
        loud = loudness(samples, 30.0)
        frames = min(len(loud), len(weights))
        agree.append(np.corrcoef(loud[:frames], weights[:frames, jaw])[0, 1])
    assert np.median(agree) > 0.9
    assert min(agree) > 0.3  # babble as loud as the voice


def test_some_augmented_recordings_stay_clean() -> None:
    voice = Speech.read(VOICES / "pico_en.wav").samples
    clean = [
        np.array_equal(augment(voice, 1.1, np.random.default_rng(seed)), change_speed(voice, 1.1))
        for seed in range(60)
    ]
    assert np.mean(clean) == pytest.approx(CLEAN_SHARE, abs=0.15)


def test_captured_voices_are_not_used_as_babble(face: Face) -> None:
    encode = FeatureCache(small_model(face))
    uncaptured = replace(make_clip(face, "pico_en.wav", 0), kind="labelled")
    captured = make_clip(face, "pico_fr.wav", ONE)
    alone = encode_clips(encode, [uncaptured], {"labelled": 6})
    beside = encode_clips(encode, [captured, uncaptured], {"labelled": 6})
    for one, other in zip(alone, beside[-len(alone) :], strict=True):
        assert torch.equal(one.features, other.features)


def test_cached_features_are_reused(tmp_path: Path, face: Face) -> None:
    model, clips = small_model(face), [make_clip(face, "pico_en.wav", ONE)]
    first = encode_clips(FeatureCache(model, 0, tmp_path), clips, ONCE)
    model.encode = None
    again = encode_clips(FeatureCache(model, 0, tmp_path), clips, ONCE)
    with pytest.raises(TypeError):  # another seed gives another noise, which is not cached
        encode_clips(FeatureCache(model, 1, tmp_path), clips, ONCE)
    assert len(first) == len(again) == 2
    for one, other in zip(first, again, strict=True):
        assert torch.equal(one.features, other.features)
        assert torch.equal(one.weights, other.weights)


@pytest.mark.slow
def test_train_command_from_data_folder_to_checkpoint(tmp_path: Path, face: Face) -> None:
    def animate(speech: Speech, style: str) -> Motion:
        weights = np.zeros((len(loudness(speech.samples, 30.0)), len(face.blendshapes)), np.float32)
        jaw = loudness(speech.samples, 30.0)
        weights[:, face.blendshapes.index("jawOpen")] = 0.6 * jaw / jaw.max()
        weights[:, face.blendshapes.index("mouthPucker")] = 0.3 * (1 - jaw / jaw.max())
        return Motion(weights, 30.0, face)

    data, corpus, run = tmp_path / "data", tmp_path / "corpus", tmp_path / "run"
    write_data(data, face, animate)
    grid = np.load(data / "grid_s1" / "motion.npz")  # the first clip is held out: write another
    twice = {name: np.concatenate([grid[name]] * 2) for name in PER_CLIP} | {"clip": ["a", "b"]}
    np.savez(data / "grid_s1" / "motion.npz", **(dict(grid) | twice))
    (data / "grid_s1" / "audio" / "one.opus").rename(data / "grid_s1" / "audio" / "a.opus")
    shutil.copy(data / "grid_s1" / "audio" / "a.opus", data / "grid_s1" / "audio" / "b.opus")
    alignments = data / "grid_s1" / "alignments.json"
    words = json.loads(alignments.read_text())["one"]
    alignments.write_text(json.dumps({"a": words, "b": words}))
    for suffix in (".npz", ".flac"):
        take = data / "facegood" / f"1114_3_15{suffix}"
        shutil.copy(take, take.with_name(f"1114_2_01{suffix}"))
    samples = Speech.read(VOICES / "jfk.flac").samples[: round(JFK_SECONDS * 16000)]
    for split in ("train", "held_out", "captured"):
        source = "grid" if split == "captured" else "librispeech"
        Recording(
            name="b" if split == "captured" else split,
            source=source,
            speaker=split,
            language="en",
            split=split,
            samples=samples,
            phones=jfk_phones(),
            text="",
            timing="text",
        ).save(corpus)
    changes = ["epochs=1", "batch=2", "network.changes={width: 32, layers: [mamba, attention]}"]
    folders = ["--data", str(data), "--corpus", str(corpus)]
    labels = tmp_path / "labels"
    assert label_main([*folders, "--steps", "2", "-o", str(labels)]) == 0
    assert train_main([*folders, "-o", str(run), f"data.labels={labels}", *changes]) == 0
    assert TalkingHead.from_pretrained(run / "checkpoint").styles == tuple(NOTES)
    card = (run / "checkpoint" / "README.md").read_text()
    assert "LibriSpeech" in card
    assert "{" not in card


def holds(values: dict, recorded: dict) -> bool:
    """Return whether values are as recorded; there may be more of them, which came later."""
    return all(
        holds(values[key], value) if isinstance(value, dict) else values[key] == value
        for key, value in recorded.items()
    )


def test_model_card_is_made_from_the_training_record(tmp_path: Path) -> None:
    network = JambaTalk.from_pretrained(DEFAULT_CHECKPOINT)
    training = json.loads((DEFAULT_CHECKPOINT / "training.json").read_text())
    assert holds(to_plain(make_config(RecipeConfig, training["config"])), training["config"])
    counts = [sum(w.numel() for w in m.parameters()) for m in (network.encoder, network.decoder)]
    write_model_card(tmp_path, network.config, training, *counts)
    made, bundled = (undated(folder / "README.md") for folder in (tmp_path, DEFAULT_CHECKPOINT))
    assert made == bundled


def undated(card: Path) -> str:
    """The card without its date and the table that the evaluation writes."""
    before, _, after = re.sub(r"trained \d{4}-\d\d-\d\d", "", card.read_text()).partition(
        "\n## Measured\n"
    )
    return before + after[after.index("\n## ") :]
