"""The paper's network here against the published one."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from paper_files import paper_state, tiny
from paper_reference import (
    BIG,
    POLICIES,
    SMALL,
    Reference,
    disagreements,
    predictions,
    traces,
    training_pass,
)
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from jambatalk.model.checkpoint import WEIGHTS_FILE
from jambatalk.model.config import JambaTalkConfig
from jambatalk.model.decoder import JambaDecoder
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.model.moe import MixtureOfExperts, PaperMixtureOfExperts
from jambatalk.model.paper_decoder import PaperDecoder, short_norm
from jambatalk.paper.layouts import LAYOUTS
from jambatalk.paper.paper_weights import sort_weights

ROOT = Path(__file__).parent.parent


def full_size(layout: str) -> dict[str, list[int]]:
    """Return names and shapes of the authors' weights."""
    keys = json.loads((ROOT / "tests" / "data" / "published_keys.json").read_text())
    shapes = {}
    for name, shape in (keys["both"] | keys[layout]).items():
        layers, star, _ = name.partition("*")
        for i in range(keys["layers"][layers + star] if star else 1):
            shapes[name.replace("*", str(i))] = shape
    encoder = {name: s for name, s in shapes.items() if name.startswith("audio_encoder.")}
    return shapes | {
        name.replace("audio_encoder.", "text_encoder.wav2vec2."): s for name, s in encoder.items()
    }


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_have_the_published_weights(layout: str) -> None:
    shapes = full_size(layout)
    assert len(shapes) == 1077
    published = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    files = sort_weights(published, LAYOUTS[layout])
    assert sum(map(len, files.values())) == 1077


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(SMALL, id="small"),
        pytest.param(
            BIG,
            id="big",
            marks=pytest.mark.skipif(
                not BIG.with_suffix(".npz").exists(),
                reason="the published network's own outputs are not here",
            ),
        ),
    ],
)
def reference(request: pytest.FixtureRequest) -> Reference:
    return Reference.read(request.param)


def test_modules_agree_with_the_published_ones(reference: Reference) -> None:
    ours = traces(reference.network(), reference.audio)
    assert not disagreements(ours, reference.outputs("trace*"))


@pytest.mark.parametrize("policy", POLICIES)
def test_vertices_agree_with_the_published_ones(reference: Reference, policy: str) -> None:
    ours = predictions(reference.network(), reference.audio, reference.template, policy)
    assert not disagreements(ours, reference.outputs(f"*_{policy}"))


def test_training_pass_agrees_with_the_published_one(reference: Reference) -> None:
    ours = training_pass(reference.network(), reference.audio, reference.template)
    assert not disagreements(ours, reference.outputs("forward_*"))


CHANGES = {
    "norm": lambda network, patch: patch.setattr(
        "jambatalk.model.paper_decoder.short_norm", lambda x: 1.01 * short_norm(x)
    ),
    "order": lambda network, _: network.model.decoder.order.reverse(),
    "expert": lambda network, _: network.model.decoder.blocks["mamba_moe"].experts.w2[1].zero_(),
    "angles": lambda network, _: network.model.decoder.blocks[
        "attention"
    ].attention.rotary.up.weight.zero_(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_network_does_not_agree(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = Reference.read(SMALL)
    network = reference.network().requires_grad_(False)
    CHANGES[change](network, monkeypatch)
    ours = predictions(network, reference.audio, reference.template, "all")
    assert disagreements(ours, reference.outputs("*_all")).keys() == ours.keys()


def described(
    state: dict[str, Tensor], layers: str, heads: int, x: Tensor, second_expert: str = "all"
) -> Tensor:
    """Run the published decoder as it is described, step by step and frame by frame.

    Features (l, c) → offsets (l, 3 V). Layers: m Mamba, e Mamba with experts, a attention.
    """
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
        if second_expert == "none":
            shares = shares * (shares == shares.amax(-1, keepdim=True))
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
def test_layouts_agree_with_their_description(layout: str, layers: str, heads: int) -> None:
    config = tiny(layout, vertices=7)
    state = paper_state(config, lips=3)
    for name in ("vertice_map_r.weight", "transformer_decoder.lrl_rope.proj.1.weight"):
        state[name].normal_()
    decoder = PaperDecoder(config).eval()
    decoder.load_state_dict(sort_weights(state, config)[WEIGHTS_FILE])
    features = torch.randn(40, config.encoder_width)
    with torch.inference_mode():
        ours = {"offsets": decoder(features[None, :, None])[0]}
        assert not disagreements(ours, {"offsets": described(state, layers, heads, features)})


@pytest.mark.parametrize("policy", POLICIES)
def test_reference_agrees_with_the_description(reference: Reference, policy: str) -> None:
    features = reference.values["trace00_audio_encoder"][0]
    offsets = described(reference.state, "meaeme", 8, features, policy)
    ours = {f"vertices_{policy}": offsets + reference.template[:, None]}
    assert not disagreements(ours, reference.outputs(f"vertices_{policy}"))


@pytest.mark.parametrize(("layout", "frames"), [("vocaset", 149), ("biwi", 124)])
def test_frame_counts_are_the_published_ones(layout: str, frames: int) -> None:
    model = JambaTalk(tiny(layout, vertices=7)).eval()
    assert len(model.encoder(np.zeros(5 * 16000, np.float32))) == frames


def test_adaln_block_can_be_tied_and_predict_vertices() -> None:
    config = JambaTalkConfig(encoder_width=16, width=32, tied=True, vertices=5)
    decoder = JambaDecoder(config)
    assert set(decoder.blocks) == {"mamba", "moe_mamba", "experts", "attention", "feed_forward"}
    assert len(decoder.order) == 10
    features, style = torch.randn(1, 9, 2, 16), torch.zeros(1, 16)
    assert decoder(features, style).shape == (1, 9, 15)


def test_expert_capacity_is_the_published_one() -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 40, 8)
    published, ours = PaperMixtureOfExperts(8), MixtureOfExperts(8)
    published.load_state_dict(ours.state_dict())
    gates = torch.tensor([0.9, 0.1]).expand(1, 40, 2)  # all frames want the same expert first
    torch.testing.assert_close(published.eval()(x), ours(x))  # with room for all
    shares = published.train().gate_weights(gates)
    assert (shares[0, :25, 0] > 0).all()  # 1.25 · 40 / 2
    assert (shares[0, 25:, 0] == 0).all()
    published.second_expert = "random"
    drawn = (
        torch.stack([published.gate_weights(gates)[0, :25, 1] > 0 for _ in range(200)])
        .float()
        .mean()
    )
    assert drawn == pytest.approx(0.5, abs=0.05)  # a share of 0.1 where 0.2 is certain
    assert torch.equal(published.eval().gate_weights(gates), gates)


def test_inference_is_repeatable_and_without_lip_reader(tmp_path: Path) -> None:
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


def test_attention_layer_has_the_four_published_dropouts(monkeypatch: pytest.MonkeyPatch) -> None:
    block = PaperDecoder(tiny("vocaset", vertices=7)).blocks["attention"].train()
    rates = [m.p for m in block.modules() if isinstance(m, torch.nn.Dropout)]
    assert rates == [0.1, 0.1]  # inside the feed-forward network, and on both residuals
    calls = []
    attend = F.scaled_dot_product_attention
    monkeypatch.setattr(
        F,
        "scaled_dot_product_attention",
        lambda *args, **options: calls.append(options["dropout_p"]) or attend(*args, **options),
    )
    x = torch.randn(1, 20, 32)
    assert not torch.equal(block(x), block(x))
    assert torch.equal(block.eval()(x), block(x))
    assert calls == [0.1, 0.1, 0.0, 0.0]


def test_bundled_attention_has_no_inner_dropout() -> None:
    decoder = JambaDecoder(JambaTalkConfig(encoder_width=16, width=32, blendshapes=("a",)))
    attention, feed_forward = (decoder.blocks[key].inner for key in ("3", "4"))
    assert attention.dropout == 0
    assert [m.p for m in feed_forward.modules() if isinstance(m, torch.nn.Dropout)] == [0]


def test_weights_are_initialised_as_published() -> None:
    torch.manual_seed(0)
    width = 128
    decoder = PaperDecoder(replace(tiny("vocaset", vertices=7), width=width))
    decoder.requires_grad_(False)
    experts = decoder.blocks["mamba_moe"].experts
    assert experts.gate.std() == pytest.approx(1, abs=0.1)
    assert experts.w1.abs().max() == pytest.approx((4 * width) ** -0.5, rel=1e-3)
    assert experts.w2.abs().max() == pytest.approx(width**-0.5, rel=1e-3)
    up = decoder.blocks["attention"].attention.rotary.up.weight
    assert up.abs().max() == pytest.approx(16**-0.5, rel=0.01)
    bias = decoder.blocks["mamba"].mamba.dt_proj.bias  # Δ log-uniform from 0.001 to 0.1
    assert F.softplus(bias).log().mean() == pytest.approx(math.log(0.01), abs=0.3)
    bias = decoder.blocks["mamba_moe"].mamba.dt_proj.bias  # of a plain layer of 8 inputs
    assert bias.abs().max() == pytest.approx(8**-0.5, rel=0.05)
    assert not decoder.motion_map.weight.any()
