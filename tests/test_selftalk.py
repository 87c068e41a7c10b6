"""SelfTalk here against its own code's outputs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from field_reference import FieldReference, compare, references, watched, watched_encoder
from torch import Tensor

from jambatalk.networks.selftalk import (
    LOSS_WEIGHTS,
    SelfTalk,
    greedy_text,
    letter_loss,
    training_parts,
)
from jambatalk.networks.speech_features import convolved, normalised, stretched

LAYER = {
    "dec_self_attention": "self_attn",
    "dec_norm1": "norm1",
    "dec_cross_attention": "multihead_attn",
    "dec_norm2": "norm2",
    "dec_feed_forward": "linear2",
    "dec_output": "norm3",
}


@references("selftalk")
@torch.no_grad()
def test_all_arrays_agree(path: Path) -> None:
    reference = FieldReference.read(path)
    network = reference.network()
    samples, template, style = reference["samples"], reference["template"], torch.zeros(1, 0)
    audio = normalised(samples, network.epsilon)
    with watched(**watched_encoder(network)) as encoder:
        features = network.extract_features(samples)
    layer = network.transformer_decoder.layers[0]
    parts = {name: layer.get_submodule(part) for name, part in LAYER.items()}
    with fast_path_off(), watched(**parts) as decoder:
        offsets = network.decode(features, style, template)
    ours = (
        encoder
        | decoder
        | {
            "audio": audio[None],
            "enc_conv": convolved(network.audio_encoder, audio),
            "dec_input": features,
            "offsets": offsets,
            "vertices": offsets + template[:, None],
        }
    )
    for name in reference.targets:
        losses = network.losses(samples, template, reference[name], style)
        ours |= {f"{name}_loss_{part}": loss for part, loss in losses.items()}
    if "lip_mask" in reference.values:
        ours |= lip_reading(network, reference, offsets)
    compare(ours, reference)


def lip_reading(network: SelfTalk, reference: FieldReference, offsets: Tensor) -> dict[str, Tensor]:
    """Read lips, and compute the losses."""
    samples, template, style = reference["samples"], reference["template"], torch.zeros(1, 0)
    reader, text_encoder = training_parts(reference.weights(), reference.encoder, "")
    reader.lips = reference["lip_mask"]
    watch = {"lip_mapped": reader.lip_map, "lip_encoded": reader.transformer.encoder}
    with watched(**watch) as lips:
        lip_features, lip_logits = reader(offsets, network.config.fps)
    resampled = stretched(lips["lip_mapped"].transpose(1, 2), lip_features.shape[1])
    ours = lips | {
        "lip_resampled": resampled.transpose(1, 2),
        "lip_features": lip_features,
        "lip_logits": lip_logits,
    }
    for name in reference.targets:
        target = reference[name]
        with watched(**watched_encoder(network)) as encoder:
            features = network.extract_features(samples, target.shape[1])
        offsets = network.decode(features, style, template)
        text_features, text_logits = network.encode_text(samples, offsets.shape[1], text_encoder)
        lip_features, lip_logits = reader(offsets, network.config.fps, text_features.shape[1])
        losses = network.reading_losses(samples, template, target, reader, text_encoder)
        collapsed = text_logits[0].argmax(-1).unique_consecutive()
        collapsed = collapsed[collapsed != 0]
        given = {f"loss_{part}": loss for part, loss in losses.items()} | {
            "loss": sum(LOSS_WEIGHTS[part] * loss for part, loss in losses.items()),
            "loss_letters_collapsed": letter_loss(lip_logits, collapsed),
            "text_ids": greedy_text(text_logits[0]),
            "text_ids_collapsed": collapsed,
            "used": target[:, : offsets.shape[1]],
            "vertices": offsets + template[:, None],
            "enc_resampled": encoder["enc_resampled"],
            "dec_input": features,
            "lip_features": lip_features,
            "lip_logits": lip_logits,
            "text_features": text_features,
            "text_logits": text_logits,
        }
        ours |= {f"{name}_{part}": value for part, value in given.items()}
    return ours


@contextmanager
def fast_path_off() -> Iterator[None]:
    """Let the decoder call its parts one by one."""
    torch.backends.mha.set_fastpath_enabled(False)
    yield
    torch.backends.mha.set_fastpath_enabled(True)
