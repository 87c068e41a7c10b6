"""FaceDiffuser here against its own code's outputs."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from field_reference import (
    DATA,
    FieldReference,
    compare,
    references,
    watched,
    watched_encoder,
)
from local_data import REFERENCE
from torch import Tensor

from jambatalk.networks.facediffuser import Diffuser, FaceDiffuser, FaceDiffuserRig
from jambatalk.networks.noise_schedule import NoiseSchedule, spread
from jambatalk.networks.speech_features import convolved, normalised

SKIPPED = 4  # steps, in a reference
SCHEDULES = REFERENCE / "peers" / "facediffuser_schedules.npz"


def coefficients(schedule: NoiseSchedule, suffix: str = "") -> dict[str, Tensor]:
    """Name a schedule's coefficients as references do."""
    variance = schedule.variance
    given = {
        "betas": schedule.betas,
        "alphas_cumprod": schedule.signal,
        "sqrt_alphas_cumprod": schedule.signal.sqrt(),
        "sqrt_one_minus_alphas_cumprod": (1 - schedule.signal).sqrt(),
        "posterior_mean_coef1": schedule.clean_share,
        "posterior_mean_coef2": schedule.noised_share,
        "posterior_variance": variance,
        "posterior_log_variance_clipped": torch.cat([variance[1:2], variance[1:]]).log(),
    }
    return {f"schedule_{name}{suffix}": value for name, value in given.items()}


def walked(
    network: Diffuser, features: Tensor, style: Tensor, template: Tensor, noise: Iterator[Tensor]
) -> tuple[Tensor, Tensor]:
    """Sample in the motion itself; return it noised and clean after every step, (steps, t, k)."""

    def clean(x: Tensor, step: int) -> Tensor:
        return network.denoise(x, step, features, style, template)

    pairs = list(network.walk(clean, noise))
    return torch.cat([x for x, _ in pairs]), torch.cat([x_0 for _, x_0 in pairs])


@references("facediffuser")
@torch.no_grad()
def test_all_arrays_agree(path: Path) -> None:
    reference = FieldReference.read(path)
    network = reference.network()
    samples, template, style = (reference[n] for n in ("samples", "template", "one_hot"))
    audio = normalised(samples, network.epsilon)
    with watched(**watched_encoder(network)) as ours:
        features = network.extract_features(samples)
    del ours["enc_resampled"]
    x = reference["x"]
    ours |= (
        coefficients(network.schedule)
        | inside(network, reference, features)
        | {
            "audio": audio[None],
            "enc_conv": convolved(network.audio_encoder, audio),
        }
    )
    for step in (0, 5, 9):
        ours[f"denoised_t{step}"] = network.denoise(x, step, features, style, template)
    if "noise" in reference.values:
        noise = reference["noise"][:, None]
        noised, clean = walked(network, features, style, template, iter(noise))
        ours |= {"sampled_x": noised, "sampled_x0": clean, "sample": noised[-1:]}
        network.skipped_steps = SKIPPED
        noised, _ = walked(network, features, style, template, iter(noise))
        ours |= {"sampled_skip4_x": noised, "sample_skip4": noised[-1:]}
    step = reference.described["loss_t"]
    for name in reference.targets:
        target, drawn = reference[name], reference[f"{name}_noise"]
        noised = network.schedule.add_noise(target, step, drawn)
        heard = network.extract_features(samples, target.shape[1])
        x = noised[:, : heard.shape[1]]
        ours |= {
            f"{name}_noised": noised,
            f"{name}_denoised": network.denoise(x, step, heard, style, template),
            f"{name}_loss": network.loss(samples, template, target, style, step, drawn),
        }
    compare(ours, reference)


@torch.no_grad()
def test_sampling_in_the_mapped_motion_gives_the_same() -> None:
    """Also with few steps (DDIM), and with the first steps skipped."""
    reference = FieldReference.read(DATA / "facediffuser_vocaset_tiny.json")
    network: FaceDiffuser = reference.network()
    template, style = reference["template"], reference["one_hot"]
    features = network.extract_features(reference["samples"])
    torch.manual_seed(0)
    noise = torch.randn(network.config.steps + 1, 1, features.shape[1], network.config.outputs)
    first = network.input_projection[0].weight
    for few, skipped in ((None, 0), (4, 0), (None, SKIPPED)):
        network.sampling_steps, network.skipped_steps = few, skipped
        plain = network.sample(features, style, template, iter(noise))
        mapped = iter(x @ first.T for x in noise)
        hidden = network.sample_hidden(features, style, template, mapped)
        vertices = network.final_layer(hidden) + template[:, None]
        assert (vertices - plain).abs().max() < 1e-5 * plain.std(), (few, skipped)


@torch.no_grad()
def test_noise_is_distributed_as_if_it_were_mapped() -> None:
    network: FaceDiffuser = FieldReference.read(DATA / "facediffuser_vocaset_tiny.json").network()
    weight = network.input_projection[0].weight
    one, again, other = (next(network.mapped_noise(20_000, seed))[0] for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    expected = weight @ weight.T
    assert (one.T @ one / len(one) - expected).norm() < 0.05 * expected.norm()


def test_a_jump_to_an_earlier_step_keeps_the_noise() -> None:
    schedule = NoiseSchedule(1000)
    clean, noise = torch.randn(2, 50, generator=torch.Generator().manual_seed(0))
    noised = schedule.add_noise(clean, 900, noise)
    jumped = schedule.jump(noised, clean, 900, 300)
    torch.testing.assert_close(jumped, schedule.add_noise(clean, 300, noise))
    steps = spread(1000, 25)
    assert (len(steps), steps[0], steps[-1]) == (25, 999, 0)


def inside(network: Diffuser, reference: FieldReference, features: Tensor) -> dict[str, Tensor]:
    """Return what the network computes on its way at step 5."""
    style, template = reference["one_hot"], reference["template"]
    entered = {}
    if isinstance(network, FaceDiffuserRig):
        gru, watch = network.rnn, {"t_token": network.embed_timestep.time_embed}
        watch |= {"offsets": network.out}
    else:
        gru, watch = network.gru, {"t_token": network.time_mlp, "offsets": network.final_layer}
        watch |= {"gru_input": network.norm_cond}
        network.norm_cond.register_forward_pre_hook(
            lambda _, given: entered.update(joined=given[0])
        )
    if isinstance(network, FaceDiffuser):
        mapped, convolution, _, pooled = network.input_projection
        watch |= {"x_mapped": mapped, "x_convolved": convolution, "x_tokens": pooled}
        watch |= {"cond_tokens": network.cond_projection, "style": network.obj_vector}
        network.final_layer.register_forward_pre_hook(
            lambda _, given: entered.update(styled=given[0], paired=features)
        )
    gru.register_forward_hook(
        lambda _, given, output: entered.update(gru=output[0], gru_state=output[1], fed=given[0])
    )
    with watched(**watch) as given:
        network.denoise(reference["x"], 5, features, style, template)
    ours = given | entered
    if isinstance(network, FaceDiffuserRig):
        ours |= {"joined": entered["fed"], "t_token": given["t_token"][None, None]}
    if isinstance(network, FaceDiffuser):
        ours["x_mapped"] = given["x_mapped"].transpose(0, 1)
    return ours


@pytest.mark.skipif(not SCHEDULES.exists(), reason="the published schedules are not here")
@pytest.mark.parametrize("steps", [500, 1000])
def test_schedules_agree(steps: int) -> None:
    with np.load(SCHEDULES) as file:
        theirs = {name: file[name] for name in file.files if name.endswith(f"_{steps}")}
    ours = coefficients(NoiseSchedule(steps), f"_{steps}")
    assert ours.keys() == theirs.keys()
    for name, values in theirs.items():
        np.testing.assert_allclose(ours[name], values, rtol=1e-9, err_msg=name)
