"""Speech encoders against `transformers` itself, small and with random weights."""

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from paper_files import BASE, LARGE

from jambatalk.errors import ModelError
from jambatalk.model import encoder as encoders
from jambatalk.model import waveform
from jambatalk.model.config import EncoderConfig, JambaTalkConfig
from jambatalk.model.jambatalk import JambaTalk, build_encoder

SMALL = BASE | {"num_hidden_layers": 3}
MODELS = {
    "wav2vec2": transformers.Wav2Vec2Model,
    "hubert": transformers.HubertModel,
    "wavlm": transformers.WavLMModel,
}
BOTH_SIZES = pytest.mark.parametrize("norms", [{}, LARGE], ids=["base", "large"])
ALL_KINDS = pytest.mark.parametrize("kind", list(MODELS))


def speech(seconds: float) -> np.ndarray:
    """Synthesise sound of changing loudness and pitch, neither of mean 0 nor of variance 1."""
    t = np.arange(round(seconds * 16000)) / 16000
    noise = np.random.default_rng(0).standard_normal(len(t))
    sound = np.sin(2 * np.pi * (150 + 50 * np.sin(3 * t)) * t) + 0.3 * noise
    return (0.1 * sound * (1 + np.sin(9 * t)) + 0.02).astype(np.float32)


@pytest.fixture
def published(tmp_path: Path):
    """Return a function that saves a small model as it would be published."""

    def make(kind: str, **architecture) -> tuple[str, torch.nn.Module]:
        torch.manual_seed(3)
        config = transformers.AutoConfig.for_model(kind, **SMALL | architecture)
        model = MODELS[kind](config).eval()
        with torch.no_grad():  # biases and norms begin as zeros and ones
            for weight in model.parameters():
                weight += 0.05 * torch.randn_like(weight)
        folder = tmp_path / kind
        model.save_pretrained(folder)
        return str(folder), model

    return make


def library_layers(model: torch.nn.Module, samples: np.ndarray) -> list[torch.Tensor]:
    """Compute all hidden layers by transformers alone, the last after its norm."""
    processor = transformers.Wav2Vec2FeatureExtractor(do_normalize=True)
    inputs = processor(samples, sampling_rate=16000, return_tensors="pt").input_values
    with torch.no_grad():
        output = model(inputs, output_hidden_states=True)
    return [*(x[0] for x in output.hidden_states[:-1]), output.last_hidden_state[0]]


@ALL_KINDS
@BOTH_SIZES
def test_features_equal_those_of_transformers(kind: str, norms: dict, published) -> None:
    source, model = published(kind, **norms)
    samples = speech(2.0)
    hidden = library_layers(model, samples)
    expected = torch.stack([hidden[1], hidden[3]], 1)  # (99, 2, 32)
    after = build_encoder(EncoderConfig(kind, (1, 3), source), 50)(samples)
    assert after.shape == (100, 2, 32)
    torch.testing.assert_close(after[:99], expected, atol=1e-5, rtol=1e-5)
    pairs = build_encoder(EncoderConfig(kind, (1, 3), source, resample="pairs"), 25)(samples)
    joined = torch.cat([expected[0:98:2], expected[1:98:2]], -1)
    torch.testing.assert_close(pairs, joined, atol=1e-5, rtol=1e-5)


@ALL_KINDS
@BOTH_SIZES
def test_resampling_before_equals_the_published_one(kind: str, norms: dict, published) -> None:
    source, model = published(kind, **norms)
    samples = speech(2.0)
    # 99 features become 59 frames: frame k lies at feature 98 k / 58
    position = torch.arange(59) * 98 / 58
    left = position.floor().long().clamp(max=97)
    part = position - left

    def resampled(_module: object, _inputs: object, x: torch.Tensor) -> torch.Tensor:
        return x[..., left] * (1 - part) + x[..., left + 1] * part

    model.feature_extractor.register_forward_hook(resampled)
    frames = build_encoder(EncoderConfig(kind, (2, 3), source, resample="before"), 30)(samples)
    expected = torch.stack(library_layers(model, samples)[2:], 1)
    torch.testing.assert_close(frames, expected, atol=1e-5, rtol=1e-5)


def test_frame_counts_are_the_published_ones(published) -> None:
    source, _ = published("wav2vec2")
    before = build_encoder(EncoderConfig("wav2vec2", (3,), source, resample="before"), 30)
    pairs = build_encoder(EncoderConfig("wav2vec2", (3,), source, resample="pairs"), 25)
    assert before(speech(5.0)).shape == (149, 1, 32)
    assert pairs(speech(5.0)).shape == (124, 1, 64)
    assert (before.width, pairs.width) == (32, 64)
    assert before(speech(0.2)).shape == (5, 1, 32)
    assert pairs(speech(0.2)).shape == (4, 1, 64)


@ALL_KINDS
@BOTH_SIZES
@pytest.mark.parametrize(("resample", "fps"), [("after", 30), ("before", 30), ("pairs", 25)])
def test_windowed_features_are_close_to_those_of_the_whole(
    kind: str, norms: dict, resample: str, fps: float, published, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, _ = published(kind, **norms)
    encoder = build_encoder(EncoderConfig(kind, (1, 3), source, resample=resample), fps)
    samples = speech(14.3)
    with torch.no_grad():
        whole = encoder(samples)
    monkeypatch.setattr(encoders, "WINDOW", 150)
    monkeypatch.setattr(encoders, "CONTEXT", 75)
    monkeypatch.setattr(waveform, "PIECE", 300)
    windowed = encoder(samples)
    assert windowed.shape == whole.shape
    # Attention sees less of the recording. Shifted by a frame, they would be ten times as far.
    spread = whole.std(0).mean()
    apart, shifted = (windowed - whole).std(0).mean(), (whole[1:] - whole[:-1]).std(0).mean()
    assert 0 < apart < 0.1 * spread < 0.1 * shifted


@ALL_KINDS
@BOTH_SIZES
def test_convolutions_in_pieces_equal_the_whole(kind, norms, published, monkeypatch) -> None:
    source, _ = published(kind, **norms)
    encoder = build_encoder(EncoderConfig(kind, (3,), source, resample="before"), 30)
    samples = speech(9.1)
    samples[70000:] *= 0.1
    whole = encoder.inputs(samples[None])
    monkeypatch.setattr(waveform, "PIECE", 100)
    torch.testing.assert_close(encoder.inputs(samples[None]), whole, atol=1e-5, rtol=1e-5)


def test_fine_tuning_changes_all_but_the_convolutions(published) -> None:
    source, _ = published("wav2vec2", **LARGE, layerdrop=0.9)
    encoder = build_encoder(EncoderConfig("wav2vec2", (2, 3), source, resample="before"), 30)
    samples = speech(2.0)
    encoder.train()
    assert torch.equal(encoder(samples), encoder(samples))  # frozen: no dropout
    encoder.unfreeze()
    encoder.train()
    assert not torch.equal(encoder(samples), encoder(samples))
    encoder(samples).square().sum().backward()
    for name, weight in encoder.model.named_parameters():
        trained = weight.grad is not None and bool(weight.grad.any())
        dull = name.endswith("k_proj.bias")  # attention does not feel it
        assert trained == ("feature_extractor" not in name) or dull, name
    encoder.eval()
    assert torch.equal(encoder(samples), encoder(samples))


@pytest.mark.parametrize("normalised", [True, False])
def test_source_decides_whether_speech_is_normalised(normalised: bool, published) -> None:
    source, model = published("wavlm")
    transformers.Wav2Vec2FeatureExtractor(do_normalize=normalised).save_pretrained(source)
    samples = speech(1.0)
    inputs = (samples - samples.mean()) / samples.std() if normalised else samples
    with torch.no_grad():
        expected = model(torch.from_numpy(inputs)[None]).last_hidden_state[0]
    features = build_encoder(EncoderConfig("wavlm", (3,), source), 50)(samples)[:49, 0]
    torch.testing.assert_close(features, expected, atol=2e-4, rtol=1e-3)


def test_code_in_weight_files_is_not_executed(published, tmp_path: Path) -> None:
    source, model = published("hubert")
    samples = speech(1.0)
    config = EncoderConfig("hubert", (3,), source)
    expected = build_encoder(config, 30)(samples)
    (Path(source) / "model.safetensors").unlink()
    torch.save(model.state_dict(), Path(source) / "pytorch_model.bin")
    assert torch.equal(build_encoder(config, 30)(samples), expected)

    class Harm:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    torch.save({"weight": Harm()}, Path(source) / "pytorch_model.bin")
    with pytest.raises(ModelError, match="could not be loaded"):
        build_encoder(config, 30)
    (Path(source) / "pytorch_model.bin").write_bytes(pickle.dumps(Harm(), 2))
    with pytest.raises(ModelError, match="could not be loaded"):
        build_encoder(config, 30)
    assert not (tmp_path / "harm").exists()


def test_unusable_sources_are_refused(published, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for missing, reason in {
        "nobody/nothing": "could not be loaded .* a network",
        "./nothing": "no folder",
        str(tmp_path / "nothing"): "no folder",
    }.items():
        with pytest.raises(ModelError, match=reason) as caught:
            build_encoder(EncoderConfig("wav2vec2", (1,), missing), 30)
        assert "\n" not in str(caught.value)
    source, model = published("hubert")
    with pytest.raises(ModelError, match="of kind 'hubert', not 'wavlm'"):
        build_encoder(EncoderConfig("wavlm", (1,), source), 30)
    with pytest.raises(ModelError, match="has 3 layers"):
        build_encoder(EncoderConfig("hubert", (4,), source), 30)
    weights = model.state_dict()
    del weights["encoder.layers.1.attention.q_proj.weight"]
    model.save_pretrained(source, state_dict=weights)
    with pytest.raises(ModelError, match=r"lacks 1 weights, encoder.layers.1.attention.q_proj"):
        build_encoder(EncoderConfig("hubert", (1,), source), 30)
    source, _ = published("wav2vec2", conv_stride=[5, 2, 2, 2, 2, 2, 1])
    with pytest.raises(ModelError, match="50 features"):
        build_encoder(EncoderConfig("wav2vec2", (1,), source), 30)


def test_impossible_encoders_are_refused(published) -> None:
    for fields in ({"kind": "hubart"}, {"resample": "during"}, {"resample": "before"}):
        with pytest.raises(ModelError):
            EncoderConfig(**fields)
    pairs = EncoderConfig("wav2vec2", (1,), resample="pairs", architecture=SMALL)
    with pytest.raises(ModelError, match="25 frames"):
        JambaTalkConfig(encoder=pairs, fps=30.0)
    with pytest.raises(ModelError, match="encoder_width to 64"):
        JambaTalk(JambaTalkConfig(encoder=pairs, fps=25.0, encoder_width=32))


def test_checkpoint_holds_its_encoder(published, tmp_path: Path) -> None:
    source, _ = published("wav2vec2", **LARGE)
    config = EncoderConfig("wav2vec2", (3,), source, resample="before")
    model = JambaTalk(JambaTalkConfig(encoder=config, encoder_width=32, blendshapes=("a",))).eval()
    model.save_pretrained(tmp_path / "checkpoint")
    saved = json.loads((tmp_path / "checkpoint" / "config.json").read_text())
    assert saved["encoder"]["resample"] == "before"
    again = JambaTalk.from_pretrained(tmp_path / "checkpoint")
    assert torch.equal(again.encoder(speech(1.0)), model.encoder(speech(1.0)))
