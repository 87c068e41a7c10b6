"""The network on its own, small and with random weights."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from paper_files import BASE
from safetensors.torch import load_file, save_file
from torch.nn import functional as F  # noqa: N812

from jambatalk import Speech
from jambatalk.errors import ModelError
from jambatalk.model.attention import GroupedQueryAttention, LowRankRotary, rotate
from jambatalk.model.config import EncoderConfig, JambaTalkConfig
from jambatalk.model.encoder import CONTEXT, WINDOW, to_frame_rate
from jambatalk.model.jambatalk import JambaTalk, build_encoder
from jambatalk.model.mamba import Mamba, MambaState
from jambatalk.model.moe import MixtureOfExperts

WHISPER = EncoderConfig(
    kind="whisper",
    layers=(1, 2),
    architecture={
        "d_model": 32,
        "encoder_layers": 2,
        "encoder_attention_heads": 2,
        "encoder_ffn_dim": 64,
        "num_mel_bins": 80,
    },
)
WAV2VEC2 = EncoderConfig(kind="wav2vec2", layers=(1, 2), architecture=BASE)


HUGE = WHISPER.architecture | {"d_model": 10**9}


def small(encoder: EncoderConfig = WHISPER, **changes) -> JambaTalk:
    torch.manual_seed(1)
    config = JambaTalkConfig(
        encoder=encoder,
        encoder_width=32,
        width=32,
        styles=("neutral", "one", "two"),
        blendshapes=("a", "b", "c"),
        **changes,
    )
    return JambaTalk(config).eval()


@pytest.fixture(scope="module")
def speech() -> Speech:
    voice = Path(__file__).parent.parent / "assets" / "voices" / "pico_en.wav"
    return Speech.from_array(Speech.read(voice).samples[:32000], 16000)


def test_rotary_attention_depends_on_distance_alone() -> None:
    torch.manual_seed(0)
    sin, cos = LowRankRotary(16)(40)
    q, k = torch.randn(2, 16)
    turned_q, turned_k = rotate(q.expand(40, 16), sin, cos), rotate(k.expand(40, 16), sin, cos)
    scores = turned_q @ turned_k.T
    for shift in (-7, 0, 12):
        diagonal = scores.diagonal(shift)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal), atol=1e-4, rtol=0)
    assert not torch.isclose(scores[0, 0], scores[0, 5])


@pytest.mark.parametrize("length", [1, 9, 10, 11, 64])
def test_windowed_attention_equals_masked_attention(length: int) -> None:
    torch.manual_seed(0)
    whole = GroupedQueryAttention(32, heads=4, kv_heads=2, rotary_rank=4, window=None)
    windowed = GroupedQueryAttention(32, heads=4, kv_heads=2, rotary_rank=4, window=10)
    windowed.load_state_dict(whole.state_dict())
    x = torch.randn(2, length, 32)
    frame = torch.arange(length)
    before = frame[:, None] - frame
    band = (before >= 0) & (before <= 10)
    sin, cos = whole.rotary(length)
    q = whole._split_heads(rotate(whole.q_proj(x), sin, cos))
    k = whole._split_heads(rotate(whole._repeat_heads(whole.k_proj(x)), sin, cos))
    v = whole._split_heads(whole._repeat_heads(whole.v_proj(x)))
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=band).transpose(1, 2).flatten(2)
    torch.testing.assert_close(windowed(x)[0], whole.out_proj(y), atol=1e-5, rtol=1e-5)
    if length == 1:
        torch.testing.assert_close(windowed(x)[0], whole(x)[0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("split", [1, 2, 3, 20, 39])
@pytest.mark.parametrize("position", [0, 100_000])
def test_attention_continues_from_its_state(split: int, position: int) -> None:
    torch.manual_seed(0)
    attention = GroupedQueryAttention(32, heads=4, kv_heads=2, rotary_rank=4, window=7)
    x = torch.randn(2, 40, 32)
    state = attention.initial_state(position, 2)
    whole, end = attention(x, state)
    first, state = attention(x[:, :split], state)
    rest, state = attention(x[:, split:], state)
    torch.testing.assert_close(torch.cat([first, rest], 1), whole, atol=1e-5, rtol=1e-5)
    assert state.position == end.position == position + 40
    assert state.keys.shape[1:] == (7, 16)


@pytest.mark.parametrize("split", [1, 2, 3, 20])
def test_mamba_continues_from_its_state(split: int) -> None:
    torch.manual_seed(0)
    mamba, x = Mamba(16), torch.randn(2, 40, 16)
    whole, end = mamba(x)
    first, state = mamba(x[:, :split])
    rest, state = mamba(x[:, split:], state)
    torch.testing.assert_close(torch.cat([first, rest], 1), whole)
    assert isinstance(state, MambaState)
    for ours, theirs in zip(state, end, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_expert_outputs_are_weighted_by_the_gate() -> None:
    torch.manual_seed(0)
    moe, x = MixtureOfExperts(8, experts=3, experts_per_frame=2), torch.randn(1, 5, 8)
    y = moe(x)
    for t in range(5):
        shares = torch.softmax(x[0, t] @ moe.gate, 0)
        best = shares.topk(2)
        expected = sum(
            share / best.values.sum() * (torch.relu(x[0, t] @ moe.w1[e]) @ moe.w2[e])
            for share, e in zip(best.values, best.indices, strict=True)
        )
        torch.testing.assert_close(y[0, t], expected)


@pytest.mark.parametrize("encoder", [WHISPER, WAV2VEC2, replace(WAV2VEC2, kind="hubert")])
def test_encoders_are_interchangeable(encoder: EncoderConfig, speech: Speech) -> None:
    model = small(encoder)
    features = model.encode(speech)
    assert features.shape == (60, 2, 32)  # 2 s at 30 frames a second
    weights = model.predict(features, model.style("one"))
    assert weights.shape == (60, 3)
    assert torch.equal(weights, model.predict(model.encode(speech), model.style("one")))
    tiny = Speech.from_array(speech.samples[:3200], 16000)
    assert model.predict(model.encode(tiny), model.style("one")).isfinite().all()


def test_whisper_features_equal_those_of_transformers(tmp_path: Path, speech: Speech) -> None:
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperModel

    shape = {**WHISPER.architecture, "max_source_positions": 100}  # two seconds
    torch.manual_seed(0)
    published = WhisperModel(
        WhisperConfig(**shape, decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=8)
    ).eval()
    published.save_pretrained(tmp_path)
    extract = WhisperFeatureExtractor(feature_size=shape["num_mel_bins"])
    mel = extract(
        speech.samples, sampling_rate=16000, padding="do_not_pad", truncation=False
    ).input_features
    expected = published.encoder(torch.as_tensor(np.array(mel)), output_hidden_states=True)
    features = build_encoder(EncoderConfig("whisper", (1, 2), str(tmp_path)), 50)(speech.samples)
    torch.testing.assert_close(features[:, 0], expected.hidden_states[1][0])
    assert features.shape == (100, 2, 32)


def test_long_speech_is_encoded_in_windows() -> None:
    encoder = build_encoder(WHISPER, 50)
    torch.manual_seed(0)
    seconds = (2 * WINDOW + 3 * CONTEXT) // 50
    samples = np.random.default_rng(0).standard_normal(seconds * 16000).astype(np.float32) * 0.1
    features = encoder(samples)
    assert len(features) == 50 * seconds
    # the second window alone, with its context, is what a recording cut there would give
    mel = encoder.inputs(samples[None])[..., (WINDOW - CONTEXT) * 2 : (2 * WINDOW + CONTEXT) * 2]
    window = encoder.hidden_states(mel)[0, CONTEXT : CONTEXT + WINDOW]
    torch.testing.assert_close(features[WINDOW : 2 * WINDOW], window)


def test_features_are_interpolated_at_the_frame_rate() -> None:
    ramp = torch.arange(100.0)[:, None, None] / 50  # its value is its time in seconds
    frames = to_frame_rate(ramp, 30, 60)[:, 0, 0]
    torch.testing.assert_close(frames[:59], torch.arange(59) / 30)
    assert frames[-1] == pytest.approx(59 / 30)


def test_saved_model_loads_unchanged(tmp_path: Path, speech: Speech) -> None:
    model = small()
    model.save_pretrained(tmp_path)
    again = JambaTalk.from_pretrained(tmp_path)
    assert again.config == model.config
    for ours, theirs in zip(model.decoder.parameters(), again.decoder.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    # the encoder is stored in float16
    first, second = (JambaTalk.from_pretrained(tmp_path).encode(speech) for _ in range(2))
    assert torch.equal(first, second)
    torch.testing.assert_close(first, model.encode(speech), atol=0.05, rtol=0.05)


def test_styles_mix_and_scale() -> None:
    model = small()
    table = model.decoder.style_table.weight.detach()
    assert torch.equal(model.style("two").vector, table[2])
    assert torch.equal(model.style("two", strength=0).vector, table[0])
    mixed = model.style({"one": 1, "two": 3}).vector
    torch.testing.assert_close(mixed, 0.25 * table[1] + 0.75 * table[2])
    strong = model.style("one", 1.5)
    torch.testing.assert_close(strong.vector, table[0] + 1.5 * (table[1] - table[0]))
    assert strong.amplitude == 1.0
    neutral = model.config.styles[0]
    assert model.style(neutral, 1.5).amplitude == 1.5
    assert model.style({neutral: 1, "two": 3}, 0.6).amplitude == pytest.approx(0.9)
    for wrong in ("three", {"one": -1.0, "two": 2.0}, {"one": 0.0}):
        with pytest.raises(ModelError):
            model.style(wrong)


def test_style_changes_the_motion(speech: Speech) -> None:
    model = small()
    for block in model.decoder.blocks.values():  # trained, these are not zero
        torch.nn.init.normal_(block.norm.style_map.weight, std=0.3)
    features = model.encode(speech)
    one, two = (model.predict(features, model.style(s)) for s in ("one", "two"))
    assert (one - two).abs().max() > 0.01


def test_unusable_checkpoints_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no checkpoint folder"):
        JambaTalk.from_pretrained(tmp_path / "missing")
    with pytest.raises(ModelError, match="not a checkpoint"):
        JambaTalk.from_pretrained(tmp_path)
    model = small()
    model.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    weights["stranger"] = weights.pop("feature_map.weight")
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match=r"missing feature_map.weight, unexpected stranger\."):
        JambaTalk.from_pretrained(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelError, match="is not a file of weights"):
        JambaTalk.from_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text()) | {"colour": "blue"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="colour"):
        JambaTalk.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heads": 0}, r"'heads' cannot be 0\. Give a whole number, 1 to 1,024"),
        ({"heads": 3}, "divide a width of 32"),
        ({"kv_heads": 3}, "Let heads divide width, and kv_heads divide heads"),
        ({"heads": 32, "kv_heads": 1}, "even number of channels"),
        ({"width": -32}, "'width' cannot be -32"),
        ({"width": 10**12}, r"Give a whole number, 2 to 16,384"),
        ({"width": 16_384, "layers": ["mamba"] * 256}, "describes a decoder of 2e.12 weights"),
        ({"dropout": float("nan")}, "'dropout' cannot be nan"),
        ({"fps": "30"}, r"'fps' cannot be '30'\. Give a number"),
        ({"tied": 1}, "Give true or false"),
        ({"layers": ["mamba", "lstm"]}, "Give a list, each one of mamba, mamba_moe, attention"),
        ({"block": "adalm"}, "Give one of adaln, paper"),
        ({"block": "paper"}, "paper's block has no styles"),
        ({"styles": ["calm", "calm"]}, "styles has a name twice"),
        (
            {"attention_windw": 3},
            "unknown key 'attention_windw'. Is it 'attention_window'",
        ),
        ({"encoder": [1]}, r"'encoder' cannot be \[1\]"),
        ({"encoder": {"sauce": "x"}}, "unknown key 'encoder.sauce'. Is it 'encoder.source'"),
        (
            {"encoder": {"layers": [0]}},
            r"'encoder.layers' cannot be \[0\]\. Give a list, each a whole",
        ),
        ({"encoder": {"layers": []}}, "encoder.layers"),
        ({"encoder": {"kind": "hubart"}}, "Give one of whisper, wav2vec2, hubert, wavlm"),
        ({"encoder": {"window": [3, 4]}}, "Give a list of 3, each a whole number"),
        ({"encoder": {"architecture": {"d_model": 64}}}, "lacks 'encoder.architecture.encoder_la"),
        ({"encoder": {"architecture": HUGE}}, "architecture.d_model' cannot be 1000000000"),
        ({"encoder": {"kind": "hubert", "architecture": {"conv_dim": [10**9]}}}, "conv_dim"),
    ],
)
def test_impossible_configurations_are_refused(changes: dict, message: str) -> None:
    values = json.loads(json.dumps(small().config.to_dict()))
    with pytest.raises(ModelError, match=message) as caught:
        JambaTalkConfig.from_dict(values | changes)
    assert caught.value.cure


@pytest.mark.parametrize("values", [[], None, "config", 3])
def test_configuration_that_is_no_object_is_refused(values: object) -> None:
    with pytest.raises(ModelError, match="Give keys and values"):
        JambaTalkConfig.from_dict(values)


def test_configuration_survives_json() -> None:
    config = small(attention_window=None, style_notes={"one": "A note."}).config
    assert JambaTalkConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_encoder_without_architecture_is_refused() -> None:
    with pytest.raises(ModelError, match=r"encoder\.architecture"):
        small(EncoderConfig())


def test_failed_save_leaves_the_checkpoint_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small().save_pretrained(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    other = small()
    torch.nn.init.ones_(other.decoder.motion_map.weight)
    monkeypatch.setattr(JambaTalkConfig, "to_dict", lambda _: {"width": "half"})
    monkeypatch.setattr(Path, "write_text", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        other.save_pretrained(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("content", ["", "[", "[" * 100_000, "\xff", '{"width": 1e999}'])
def test_damaged_config_file_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(ModelError):
        JambaTalk.from_pretrained(tmp_path)
