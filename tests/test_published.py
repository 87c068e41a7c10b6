"""The published network and what comes of its weights."""

import json
import math
import os
import pickle
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch
from places import REFERENCE
from published import VERTICES, WAV2VEC2, UserFiles, published_state, tiny, write_files
from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

from jambatalk import Motion, Speech, TalkingHead
from jambatalk.cli import main
from jambatalk.errors import ModelError
from jambatalk.model.config import JambaTalkConfig
from jambatalk.model.convert import WEIGHTS, Conversion, convert, rename, sort
from jambatalk.model.decoder import JambaDecoder
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.model.lip_reader import LIP_READER, LipReader, LipReading
from jambatalk.model.moe import MixtureOfExperts, PublishedExperts
from jambatalk.model.published import LAYOUTS, PublishedDecoder

ROOT = Path(__file__).parent.parent
VOICE = ROOT / "assets" / "voices" / "pico_en.wav"
OUTPUTS = REFERENCE / "jambatalk_vocaset_tiny.npz"
needs_reference = pytest.mark.skipif(
    not OUTPUTS.exists(), reason="the published network's own outputs are not here"
)


# ---- the same network


def full_size(layout: str) -> dict[str, list[int]]:
    """Names and shapes of the authors' weights."""
    keys = json.loads((ROOT / "tests" / "data" / "published_keys.json").read_text())
    shapes = {}
    for name, shape in (keys["both"] | keys[layout]).items():
        layers, star, _ = name.partition("*")
        for i in range(keys["layers"][layers + star] if star else 1):
            shapes[name.replace("*", str(i))] = shape
    heard = {name: s for name, s in shapes.items() if name.startswith("audio_encoder.")}
    return shapes | {
        name.replace("audio_encoder.", "text_encoder.wav2vec2."): s for name, s in heard.items()
    }


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_layouts_have_the_published_weights(layout: str) -> None:
    shapes = full_size(layout)
    assert len(shapes) == 1077
    published = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    files = sort(published, LAYOUTS[layout])
    assert sum(map(len, files.values())) == 1077


@pytest.fixture(scope="module")
def reference() -> dict[str, Tensor]:
    with np.load(OUTPUTS) as file:
        return {name: torch.from_numpy(file[name]) for name in file.files}


@pytest.fixture(scope="module")
def reference_files() -> tuple[JambaTalkConfig, dict[str, dict[str, Tensor]]]:
    """The reference network's configuration and its weights by our names."""
    described = json.loads(OUTPUTS.with_suffix(".json").read_text())
    state = torch.load(OUTPUTS.with_suffix(".pth"), weights_only=True)
    layout = LAYOUTS["vocaset"]
    encoder = replace(layout.encoder, architecture=described["wav2vec2"], layers=(2,))
    config = replace(layout, encoder=encoder, encoder_width=64, width=described["feature_dim"])
    return config, sort(state, config)


@pytest.fixture
def published(reference: dict, reference_files: tuple) -> LipReading:
    """The reference network, whole."""
    config, files = reference_files
    model = JambaTalk(config)
    text_encoder = Wav2Vec2ForCTC(Wav2Vec2Config(**config.encoder.architecture))
    reader = LipReader(254, 64)
    encoder_weights, text_weights = files["encoder.safetensors"], files["text_encoder.safetensors"]
    model.decoder.load_state_dict(files[WEIGHTS])
    model.encoder.model.load_state_dict(encoder_weights)
    text_encoder.load_state_dict(text_weights)
    reader.load_state_dict(files[LIP_READER] | {"lips": reference["lip_mask"]})
    return LipReading(model, reader, text_encoder).eval()


def agree(ours: Tensor, theirs: Tensor) -> None:
    """To 1e-4 of what varies in the reference."""
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() < 1e-4 * theirs.std()


@needs_reference
def test_every_module_agrees_with_the_published_one(published: LipReading, reference: dict) -> None:
    decoder, traced = published.model.decoder, []
    blocks = decoder.blocks
    watched = {
        "audio_feature_map": decoder.feature_map,
        "mamba": blocks["mamba"],
        "mamba_moe.mamba": blocks["mamba_moe"].mamba,
        "mamba_moe.moe": blocks["mamba_moe"].experts,
        "mamba_moe": blocks["mamba_moe"],
        "transformer_decoder": blocks["attention"],
        "lip_map": published.lip_reader.lip_map,
        "transformer": published.lip_reader.transformer,
        "lm_head": published.lip_reader.lm_head,
    }
    for name, module in watched.items():
        module.register_forward_hook(
            lambda _, __, y, name=name: traced.append((name, y[0] if isinstance(y, tuple) else y))
        )
    with torch.inference_mode():
        features = published.model.encoder(reference["audio"].numpy())
        offsets = decoder(features[None])
        published.lip_reader(offsets, 30.0)
    agree(features[None, :, 0], reference["trace00_audio_encoder"])
    theirs = [(name[8:], y) for name, y in reference.items() if name.startswith("trace")][1:]
    assert [name for name, _ in traced] == [name for name, _ in theirs]
    for (_, ours), (_, expected) in zip(traced, theirs, strict=True):
        agree(ours, expected)


@needs_reference
@pytest.mark.parametrize("policy", ["all", "none"])
def test_vertices_agree_with_the_published_ones(
    published: LipReading, reference: dict, policy: str
) -> None:
    model = published.model
    model.decoder.blocks["mamba_moe"].experts.second_expert = policy
    offsets = model.predict(model.encoder(reference["audio"].numpy()), model.style("neutral"))
    agree(offsets, (reference[f"vertices_{policy}"] - reference["template"])[0])
    with torch.inference_mode():
        features, letters = published.lip_reader(offsets[None], 30.0)
    agree(features, reference[f"lip_features_{policy}"])
    agree(letters, reference[f"logits_{policy}"])


@needs_reference
def test_the_training_pass_agrees_with_the_published_one(
    published: LipReading, reference: dict
) -> None:
    heard = published.model.encoder.hear(reference["audio"].numpy())
    with torch.no_grad():
        ours = published(heard[None], reference["audio"][None], reference["template"])
    agree(ours.vertices, reference["forward_vertice_out"])
    agree(ours.lip_features, reference["forward_lip_features"])
    agree(ours.letters, reference["forward_logits"])
    agree(ours.text_features, reference["forward_text_hidden_states"])
    agree(ours.text_letters, reference["forward_text_logits"])


def described(state: dict[str, Tensor], layers: str, heads: int, x: Tensor) -> Tensor:
    """The published decoder as its description reads, step by step and frame by frame: features
    (l, c) to offsets (l, 3 V). Layers: m Mamba, e Mamba with experts, a attention."""
    w = state.__getitem__

    def linear(x: Tensor, name: str) -> Tensor:
        return F.linear(x, w(f"{name}.weight"), state.get(f"{name}.bias"))

    def mamba(x: Tensor, name: str) -> Tensor:
        u, gate = linear(x, f"{name}.in_proj").chunk(2, -1)
        kernel, (inner, states) = w(f"{name}.conv1d.weight"), w(f"{name}.A_log").shape
        u = F.pad(u.T, (kernel.shape[-1] - 1, 0))
        u = F.silu(F.conv1d(u, kernel, w(f"{name}.conv1d.bias"), groups=inner)).T
        rank = w(f"{name}.dt_proj.weight").shape[1]
        dt, b, c = linear(u, f"{name}.x_proj").split([rank, states, states], -1)
        dt, a = F.softplus(linear(dt, f"{name}.dt_proj")), -w(f"{name}.A_log").exp()
        h, outputs = torch.zeros(inner, states), []
        for t in range(len(x)):
            h = torch.exp(dt[t, :, None] * a) * h + (dt[t] * u[t])[:, None] * b[t]
            outputs.append(h @ c[t] + w(f"{name}.D") * u[t])
        return linear(torch.stack(outputs) * F.silu(gate), f"{name}.out_proj")

    def norm(x: Tensor) -> Tensor:
        return x / x.norm(dim=-1, keepdim=True) / math.sqrt(x.shape[-1])

    def experts(x: Tensor) -> Tensor:
        name = "mamba_moe.moe.experts"
        shares = (x @ w("mamba_moe.moe.gate.w_gating")).softmax(-1)
        return sum(
            shares[:, e, None] * (F.relu(x @ w(f"{name}.w1")[e]) @ w(f"{name}.w2")[e])
            for e in range(2)
        )

    def turn(x: Tensor) -> Tensor:
        length, width = x.shape
        theta = 10000.0 ** (-2 * torch.arange(width // 2) / width)
        angles = torch.arange(length)[:, None] * theta
        table = torch.cat([angles.sin(), angles.cos()], -1)
        rope = "transformer_decoder.lrl_rope.proj"
        sin, cos = (table + linear(linear(table, f"{rope}.0"), f"{rope}.1")).chunk(2, -1)
        even, odd = x[:, 0::2], x[:, 1::2]
        turned = torch.empty_like(x)
        turned[:, 0::2], turned[:, 1::2] = even * cos - odd * sin, even * sin + odd * cos
        return turned

    def attention(x: Tensor) -> Tensor:
        name = "transformer_decoder"
        q, k = (turn(linear(x, f"{name}.{part}_proj")) for part in "qk")
        q, k, v = (y.view(len(x), heads, -1) for y in (q, k, linear(x, f"{name}.v_proj")))
        scores = torch.einsum("qhd,khd->hqk", q, k) / math.sqrt(q.shape[-1])
        y = torch.einsum("hqk,khd->qhd", scores.softmax(-1), v).flatten(1)
        x = x + linear(y, f"{name}.out_proj")
        x = F.layer_norm(x, x.shape[-1:], w(f"{name}.norm1.weight"), w(f"{name}.norm1.bias"))
        x = x + linear(F.relu(linear(x, f"{name}.linear1")), f"{name}.linear2")
        return F.layer_norm(x, x.shape[-1:], w(f"{name}.norm2.weight"), w(f"{name}.norm2.bias"))

    x = linear(x, "audio_feature_map")
    for layer in layers:
        if layer == "m":
            x = mamba(x, "mamba")
        elif layer == "a":
            x = attention(x)
        else:
            y = norm(x)
            x = x + experts(norm(mamba(y, "mamba_moe.mamba") + y))
    return linear(x, "vertice_map_r")


@pytest.mark.parametrize(
    ("layout", "layers", "heads"), [("vocaset", "meaeme", 8), ("biwi", "memeaememe", 4)]
)
def test_the_layouts_compute_what_is_described(layout: str, layers: str, heads: int) -> None:
    config = tiny(layout, vertices=7)
    state = published_state(config, lips=3)
    for name in ("vertice_map_r.weight", "transformer_decoder.lrl_rope.proj.1.weight"):
        state[name].normal_()
    decoder = PublishedDecoder(config).eval()
    decoder.load_state_dict(sort(state, config)[WEIGHTS])
    features = torch.randn(40, config.encoder_width)
    with torch.inference_mode():
        agree(decoder(features[None, :, None])[0], described(state, layers, heads, features))


@pytest.mark.parametrize(("layout", "frames"), [("vocaset", 149), ("biwi", 124)])
def test_frames_are_as_many_as_published(layout: str, frames: int) -> None:
    model = JambaTalk(tiny(layout, vertices=7)).eval()
    assert len(model.encoder(np.zeros(5 * 16000, np.float32))) == frames


def test_our_wiring_can_be_tied_and_move_vertices_too() -> None:
    config = JambaTalkConfig(encoder_width=16, width=32, tied=True, vertices=5)
    decoder = JambaDecoder(config)
    assert set(decoder.blocks) == {"mamba", "moe_mamba", "experts", "attention", "feed_forward"}
    assert len(decoder.order) == 10
    features, style = torch.randn(1, 9, 2, 16), torch.zeros(1, 16)
    assert decoder(features, style).shape == (1, 9, 15)


def test_experts_take_as_many_frames_as_published() -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 40, 8)
    published, ours = PublishedExperts(8), MixtureOfExperts(8)
    published.load_state_dict(ours.state_dict())
    gates = torch.tensor([0.9, 0.1]).expand(1, 40, 2)  # all frames want the same expert first
    torch.testing.assert_close(published.eval()(x), ours(x))  # with room for all
    shares = published.train().shares(gates)
    assert (shares[0, :25, 0] > 0).all()  # 1.25 · 40 / 2
    assert (shares[0, 25:, 0] == 0).all()
    published.second_expert = "random"
    drawn = torch.stack([published.shares(gates)[0, :25, 1] > 0 for _ in range(200)]).float().mean()
    assert drawn == pytest.approx(0.5, abs=0.05)  # a share of 0.1 where 0.2 is certain
    assert torch.equal(published.eval().shares(gates), gates)


def test_inference_builds_nothing_of_training_and_is_repeatable(tmp_path: Path) -> None:
    model = JambaTalk(tiny("vocaset", vertices=7)).eval()
    assert not [n for n, _ in model.named_modules() if "lip" in n or "text" in n or "lm_head" in n]
    samples = np.random.default_rng(0).standard_normal(16000).astype(np.float32)
    torch.nn.init.normal_(model.decoder.motion_map.weight)
    one, two = (model.predict(model.encoder(samples), model.style("neutral")) for _ in range(2))
    assert torch.equal(one, two)
    # the encoder is trained with the rest: not a digit of it is lost
    model.save_pretrained(tmp_path)
    again = JambaTalk.from_pretrained(tmp_path)
    assert torch.equal(again.predict(again.encoder(samples), again.style("neutral")), one)


# ---- published weights in, our checkpoint out


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, UserFiles]:
    folders = {layout: tmp_path_factory.mktemp(layout) for layout in LAYOUTS}
    # BIWI's coordinates are in other units
    return {
        layout: write_files(folder, layout, unit=1.0 if layout == "vocaset" else 0.001)
        for layout, folder in folders.items()
    }


@pytest.fixture(scope="module")
def checkpoints(files: dict, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("checkpoints")
    for layout, given in files.items():
        training = ["--for-training"] if layout == "biwi" else []
        assert main([*given.arguments(layout), "-o", str(folder / layout), *training]) == 0
    return {layout: folder / layout for layout in files}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_converted_weights_speak(
    layout: str, checkpoints: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = ["--checkpoint", str(checkpoints[layout])]
    assert main(["list", *chosen]) == 0
    assert "wei" in capsys.readouterr().out
    saved, film = tmp_path / "motion.npz", tmp_path / "film.mp4"
    assert main(["animate", str(VOICE), "-o", str(saved), "--head", "wei", *chosen]) == 0
    motion = Motion.load(saved)
    assert motion.offsets.shape == (len(motion), VERTICES, 3)
    assert np.abs(motion.lip_aperture()).max() < 0.02
    assert 0.02 < motion.lip_width()[0] < 0.08
    other = ["--head", "mara", "--size", "64", *chosen]
    assert main(["draw", str(saved), "-o", str(film), *other]) == 0
    assert film.stat().st_size > 5000
    again = tmp_path / "again.npz"
    assert main(["animate", str(VOICE), "-o", str(again), "--head", "2", *chosen]) == 0
    np.testing.assert_array_equal(Motion.load(again).offsets, motion.offsets)


def test_units_are_metres(checkpoints: dict) -> None:
    talking_heads = {n: TalkingHead.from_pretrained(path) for n, path in checkpoints.items()}
    assert [t.model.config.unit for t in talking_heads.values()] == [1.0, 0.001]
    metres, millimetres = (t.heads.load("wei").template for t in talking_heads.values())
    np.testing.assert_allclose(metres, millimetres, atol=1e-6)
    speech = Speech.read(VOICE)
    model = talking_heads["biwi"].model
    features = model.listen(speech)
    with torch.inference_mode():
        raw = model.decoder(features[None])[0]
    offsets = talking_heads["biwi"].animate(speech).offsets.reshape(len(features), -1)
    np.testing.assert_allclose(offsets, 0.001 * raw, rtol=1e-5, atol=1e-9)


def test_a_checkpoint_is_complete(checkpoints: dict) -> None:
    names = {path.name for path in checkpoints["vocaset"].iterdir()}
    assert names == {
        *("config.json", "model.safetensors", "encoder.safetensors", "README.md", "heads")
    }
    card = (checkpoints["vocaset"] / "README.md").read_text()
    assert "CC BY-NC 4.0" in card
    heads = TalkingHead.from_pretrained(checkpoints["vocaset"]).heads
    assert heads.names == ["mara", "wei"]
    assert heads.thumbnail("mara").stat().st_size > 1000


def test_what_training_needs_is_kept_on_request(checkpoints: dict, files: dict) -> None:
    network = LipReading.from_pretrained(checkpoints["biwi"]).train()
    assert not network.text_encoder.training
    samples = Speech.read(VOICE).samples[:32000]
    features = network.model.encoder.hear(samples)
    template = torch.zeros(1, 3 * VERTICES)
    reading = network(features[None], torch.from_numpy(samples)[None], template)
    assert len(features) == 49
    assert reading.lip_features.shape == reading.text_features.shape == (1, 98, 32)
    assert reading.letters.shape == (1, 98, 33)
    reading.vertices.square().mean().backward()
    assert network.model.encoder.model.encoder.layer_norm.weight.grad is not None
    assert network.lip_reader.lips.tolist() == pickle.loads(files["biwi"].lip_mask.read_bytes())
    with pytest.raises(ModelError, match="cannot be read"):
        LipReading.from_pretrained(checkpoints["vocaset"])


def test_old_names_of_normed_weights_are_read() -> None:
    conv = "audio_encoder.encoder.pos_conv_embed.conv"
    assert rename(f"{conv}.weight_g") == rename(f"{conv}.parametrizations.weight.original0")
    assert rename(f"{conv}.weight_v") == rename(f"{conv}.parametrizations.weight.original1")


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The message, one line, of a command that must fail."""
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_other_weights_are_named(
    files: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = replace(files["vocaset"], weights=tmp_path / "net.pth")
    state = torch.load(files["vocaset"].weights, weights_only=True)
    state["stranger"] = state.pop("mamba.A_log")
    state["lm_head.bias"] = state["lm_head.bias"][:5]
    torch.save(state, given.weights)
    said = refused([*given.arguments("vocaset"), "-o", str(tmp_path / "out")], capsys)
    assert "missing mamba.A_log;" in said
    assert "unexpected stranger;" in said
    assert "lm_head.bias (5,) instead of (33,)" in said
    # the other layout's encoder is half as wide to its decoder
    said = refused([*files["biwi"].arguments("vocaset"), "-o", str(tmp_path / "out")], capsys)
    assert "64" in said
    assert not (tmp_path / "out").exists()


class Malicious:
    """Leaves a trace when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.trace),)


@pytest.mark.parametrize("which", ["weights", "lip_mask", "templates"])
def test_no_pickle_is_run(
    which: str, files: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace, bad = tmp_path / "trace", tmp_path / "bad.pkl"
    if which == "weights":
        torch.save({"mamba.A_log": Malicious(trace)}, bad)
    else:
        bad.write_bytes(pickle.dumps({"lips": Malicious(trace)}))
    given = replace(files["vocaset"], **{which: bad})
    said = refused([*given.arguments("vocaset"), "-o", str(tmp_path / "out")], capsys)
    assert "bad.pkl" in said
    assert "mkdir" in said  # what it asked for
    assert not trace.exists()


@pytest.mark.parametrize(
    ("which", "layout", "says"),
    [
        ("weights", "vocaset", "CC BY-NC"),
        ("lip_mask", "vocaset", "flame.is.tue.mpg.de"),
        ("templates", "vocaset", "voca.is.tue.mpg.de"),
        ("mesh", "biwi", "data.vision.ee.ethz.ch"),
    ],
)
def test_a_missing_file_is_named_with_its_source(
    which: str, layout: str, says: str, files: dict, capsys: pytest.CaptureFixture[str]
) -> None:
    given = replace(files[layout], **{which: Path("nowhere.bin")})
    said = refused([*given.arguments(layout), "-o", "out"], capsys)
    assert "nowhere.bin" in said
    assert says in said


def test_files_that_do_not_belong_together_are_refused(
    files: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = count()

    def conversion(**changed: Path) -> list[str]:
        given = replace(files["vocaset"], **changed)
        return [*given.arguments("vocaset"), "-o", str(tmp_path / f"out{next(numbers)}")]

    (mask := tmp_path / "mask.pkl").write_bytes(pickle.dumps({"lips": np.arange(30)}))
    assert "30 vertices; the weights were trained with" in refused(
        conversion(lip_mask=mask), capsys
    )
    mask.write_bytes(pickle.dumps({"lips": np.arange(VERTICES, VERTICES + 30)}))
    assert "not those of a mesh" in refused(conversion(lip_mask=mask), capsys)
    (people := tmp_path / "t.pkl").write_bytes(pickle.dumps({"anna": np.zeros((9, 3))}))
    assert "'anna' has 9 vertices" in refused(conversion(templates=people), capsys)
    (mesh := tmp_path / "t.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    assert "vertices" in refused(conversion(mesh=mesh, templates=mesh), capsys)
    mesh.write_text("v 0 0 0\nf 1 2 3\n")
    assert "not a triangle mesh" in refused(conversion(mesh=mesh), capsys)


def test_the_other_layout_is_told_by_its_weights(
    files: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for mine, other in (("vocaset", "biwi"), ("biwi", "vocaset")):
        arguments = [*files[mine].arguments(other), "-o", str(tmp_path / "out")]
        assert "Give the other one of --layout" in refused(arguments, capsys)


def test_wav2vec2_large_is_taken_for_granted_only_if_it_is_one(files: dict, tmp_path: Path) -> None:
    given = files["vocaset"]
    job = Conversion(given.weights, "vocaset", given.lip_mask, given.mesh)
    with pytest.raises(ModelError, match="--encoder-config"):
        convert(job, tmp_path / "out")
    assert WAV2VEC2["hidden_size"] == 32


def test_the_page_shows_the_heads_of_its_checkpoint(checkpoints: dict) -> None:
    pytest.importorskip("gradio")
    from jambatalk.ui.inputs import portraits
    from jambatalk.ui.page import build
    from jambatalk.ui.studio import Studio

    talking_head = TalkingHead.from_pretrained(checkpoints["vocaset"])
    page = json.dumps(build(Studio(talking_head)).get_config_file(), default=str)
    assert '"wei"' in page
    assert "kofi" not in page
    assert "Compare styles" not in page  # there is one
    assert 'value="mara"' in portraits(talking_head.heads)
