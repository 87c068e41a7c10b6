"""CodeTalker here against its own code's outputs."""

from pathlib import Path

import torch
from field_reference import DATA, FieldReference, compare, references, watched, watched_encoder
from torch import Tensor

from jambatalk.networks.causal_decoder import biased_mask, memory_mask
from jambatalk.networks.motion_codes import MotionCodes
from jambatalk.networks.speech_features import convolved, normalised

# A constant divided by its own rounding: two equal frames, normalised over time
LOOSE = {"fed_offsets": 1e-4, "fed": 1e-4, "dec_input": 1e-4, "step0_decoded": 5e-5}
# By how much a code was the nearest: what the authors' code differs by from itself is 3e-5
LOOSE |= {name: 5e-5 for name in ("margin", "vq_margin", "target_margin", "target_long_margin")}


@references("codetalker")
@torch.no_grad()
def test_all_arrays_agree(path: Path) -> None:
    reference = FieldReference.read(path)
    network = reference.network()
    codec, decoder = network.autoencoder, network.transformer_decoder
    samples, template, style = (reference[n] for n in ("samples", "template", "one_hot"))
    audio = normalised(samples, network.epsilon)
    with watched(**watched_encoder(network)) as ours:
        memory = network.extract_features(samples)
    run = network.run(memory, style)
    layers = {f"dec_layer{i}": layer.norm3 for i, layer in enumerate(decoder.layers)}
    with watched(dec_input=decoder.dropout, **layers) as given:
        output = decoder(run.inputs, decoder.begin(memory))[0]
    quantised = codec.nearest(run.latents)
    offsets = network.decode(memory, style, template)
    frames, parts = torch.arange(run.inputs.shape[1]), network.config.parts
    mapped = codec.decoder.vertice_map_reverse
    share, other = reference.described["weight_of_style"], reference["one_hot2"]
    mixed = network.decode(memory, share * style + (1 - share) * other, template)
    ours |= (
        given
        | first_stage(codec, reference)
        | {
            "audio": audio[None],
            "enc_conv": convolved(network.audio_encoder, audio),
            "memory": memory,
            "style": network.style_vector(style)[0],
            "fed": run.inputs,
            "dec_output": output,
            "codes": run.latents,
            "codes_flat": codec.joined(run.latents),
            "indices": quantised.indices,
            "margin": margin(codec, run.latents),
            "quantised": quantised.codes.transpose(1, 2),
            "step0_decoded": mapped(codec.decoder.single_frame()).repeat(1, 2, 1),
            "fed_offsets": mapped(run.fed_back),
            "step10_decoded": codec.decode(quantised.codes[:, : 11 * parts]),
            "offsets": offsets,
            "vertices": offsets + template[:, None],
            "vertices_mixed": mixed + template[:, None],
            "mask": biased_mask(decoder.period, frames, frames),
            "memory_mask": memory_mask(len(frames), decoder.features_per_frame),
        }
    )
    for name in reference.targets:
        memory = network.extract_features(samples, reference[name].shape[1])
        target = reference[name][:, : memory.shape[1] // decoder.features_per_frame]
        motion = target - template[:, None]
        latents, fed = network.force(memory, style, motion)
        true = codec.encode(motion)
        losses = network.losses(samples, template, reference[name], style)
        given = {
            "loss": sum(losses.values()),
            "motion_loss": losses["vertices"],
            "reg_loss": losses["codes"],
            "codes_true": codec.nearest(true).codes,
            "codes": latents,
            "offsets": codec.decode(codec.nearest(latents).codes),
            "fed": fed,
            "margin": torch.cat([margin(codec, true), margin(codec, latents)]),
        }
        ours |= {f"{name}_{part}": value for part, value in given.items()}
    compare(ours, reference, LOOSE)


@torch.no_grad()
def test_last_frame_is_that_of_all_frames_decoded_anew() -> None:
    codec = FieldReference.read(DATA / "codetalker_biwi_tiny.json").network().autoencoder
    codes = codec.joined(codec.quantize.embedding.weight[None])  # 8 frames
    kept = codes.new_zeros(1, codec.decoder.width, 0)
    for count in range(2, codes.shape[1] + 1):
        last, kept = codec.decoder.last_frame(codes[:, :count], kept)
        whole = codec.decoder(codes[:, :count])
        assert kept.shape[-1] == count
        last = codec.decoder.vertice_map_reverse(last)
        assert (last - whole[:, -1:]).abs().max() < 1e-5 * whole.std()


def first_stage(codec: MotionCodes, reference: FieldReference) -> dict[str, Tensor]:
    """Run the autoencoder on a motion."""
    target, template = reference["vq_vertices"], reference["template"]
    encoder, decoder = codec.encoder, codec.decoder
    watch = {
        "enc_mapped": encoder.vertice_mapping,
        "enc_squashed": encoder.squasher,
        "enc_embedded": encoder.encoder_linear_embedding.net,
        "z": encoder,
        "dec_expanded": decoder.expander[0][2],
        "dec_embedded": decoder.decoder_linear_embedding.net,
    }
    if codec.config.narrow:
        watch["dec_pre"] = decoder.decoder_linear_embedding_pre.net
    for side, blocks in (
        ("enc", encoder.encoder_transformer),
        ("dec", decoder.decoder_transformer),
    ):
        watch |= {f"{side}_block{i}": block for i, block in enumerate(blocks.net)}
    inputs = {}
    for side, blocks in (
        ("enc", encoder.encoder_transformer),
        ("dec", decoder.decoder_transformer),
    ):
        blocks.register_forward_pre_hook(
            lambda _, given, side=side: inputs.update({f"{side}_positioned": given[0]})
        )
    with watched(**watch) as given:
        latents = codec.encode(target - template[:, None])
        quantised = codec.nearest(latents)
        offsets = codec.decode(quantised.codes)
    losses = codec.loss(template, target)
    given |= inputs | {
        "quantised": quantised.codes.transpose(1, 2),
        "offsets": offsets,
        "indices": quantised.indices,
        "perplexity": quantised.perplexity,
        "quant_loss": losses["quantisation"],
        "rec_loss": losses["vertices"],
        "loss": sum(losses.values()),
        "reconstructed": offsets + template[:, None],
        "margin": margin(codec, latents),
    }
    return {f"vq_{name}": value for name, value in given.items()}


def margin(codec: MotionCodes, latents: Tensor) -> Tensor:
    """Return how clearly each code was chosen: the second distance less the first, by the mean."""
    distances = codec.distances(latents)
    two = distances.topk(2, largest=False).values
    return (two[:, 1] - two[:, 0]) / distances.mean()
