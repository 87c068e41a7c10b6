"""FaceFormer here against its own code's outputs."""

from pathlib import Path

import torch
from field_reference import FieldReference, compare, references, watched, watched_encoder
from torch import Tensor

from jambatalk.networks.causal_decoder import biased_mask, memory_mask
from jambatalk.networks.faceformer import FaceFormer
from jambatalk.networks.speech_features import convolved, normalised

LAYER = {
    "dec_self_attention": "self_attn.out_proj",
    "dec_norm1": "norm1",
    "dec_cross_attention": "multihead_attn.out_proj",
    "dec_norm2": "norm2",
    "dec_feed_forward": "linear2",
    "dec_output": "norm3",
}


def inside(network: FaceFormer, memory: Tensor, fed: Tensor) -> dict[str, Tensor]:
    """Run the first layer on all inputs at once, as the published code does at the last step."""
    decoder = network.transformer_decoder
    parts = {name: decoder.layers[0].get_submodule(part) for name, part in LAYER.items()}
    with watched(dec_input=decoder.dropout, **parts) as given:
        decoder(fed, decoder.begin(memory))
    return given


@references("faceformer")
@torch.no_grad()
def test_all_arrays_agree(path: Path) -> None:
    reference = FieldReference.read(path)
    network = reference.network()
    style, template = reference["one_hot"], reference["template"]
    samples = reference["samples"]
    audio = normalised(samples, network.epsilon)
    with watched(**watched_encoder(network)) as given:
        memory = network.extract_features(samples)
    _, fed = network.run(memory, style)
    offsets = network.decode(memory, style, template)
    frames = torch.arange(fed.shape[1])
    decoder = network.transformer_decoder
    ours = (
        given
        | inside(network, memory, fed)
        | {
            "audio": audio[None],
            "enc_conv": convolved(network.audio_encoder, audio),
            "memory": memory,
            "style": network.obj_vector(style),
            "fed": fed,
            "offsets": offsets,
            "vertices": offsets + template[:, None],
            "mask": biased_mask(decoder.period, frames, frames),
            "memory_mask": memory_mask(len(frames), decoder.features_per_frame),
        }
    )
    for name in reference.targets:
        with watched(**watched_encoder(network)) as given:
            memory, target = network.match(samples, reference[name])
        output, fed = network.force(memory, style, target - template[:, None])
        free, free_fed = network.run(memory, style)
        ours |= {
            f"{name}_forced_enc_resampled": given["enc_resampled"],
            f"{name}_forced_enc_output": given["enc_output"],
            f"{name}_forced_fed": fed,
            f"{name}_forced_offsets": network.vertice_map_r(output),
            f"{name}_free_fed": free_fed,
            f"{name}_free_offsets": network.vertice_map_r(free),
        }
        for forced in (True, False):
            loss = network.loss(samples, template, reference[name], style, forced)
            ours[f"{name}_{'forced' if forced else 'free'}_loss"] = loss
    compare(ours, reference)
