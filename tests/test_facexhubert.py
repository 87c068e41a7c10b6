"""FaceXHuBERT here against its own code's outputs."""

from pathlib import Path

import torch
from field_reference import FieldReference, compare, references, watched, watched_encoder

from jambatalk.networks.speech_features import convolved, normalised


@references("facexhubert")
@torch.no_grad()
def test_all_arrays_agree(path: Path) -> None:
    reference = FieldReference.read(path)
    network = reference.network()
    samples, template, one_hot = (reference[n] for n in ("samples", "template", "one_hot"))
    audio = normalised(samples, network.epsilon)
    with watched(**watched_encoder(network)) as ours:
        features = network.extract_features(samples)
    ours |= {
        "audio": audio[None],
        "enc_conv": convolved(network.audio_encoder, audio),
        "enc_conv_t": convolved(network.audio_encoder, audio).transpose(1, 2),
        "paired": features,
        "style": network.obj_vector(one_hot),
        "gru_state": network.gru(features)[1],
    }
    for number, emotion in enumerate(reference["emotion_one_hot"]):
        style = torch.cat([one_hot, emotion[None]], 1)
        with watched(gru=network.gru, emotion=network.emo_vector) as given:
            offsets = network.decode(features, style, template)
        ours |= {
            "gru": given["gru"],
            "styled": given["gru"]
            * network.obj_vector(one_hot)[:, None]
            * given["emotion"][:, None],
            "emotion": given["emotion"][0],
            f"offsets_emotion{number}": offsets,
            f"vertices_emotion{number}": offsets + template[:, None],
        }
        for name in reference.targets:
            heard = network.extract_features(samples, reference[name].shape[1])
            ours |= {
                f"{name}_loss": network.loss(samples, template, reference[name], style),
                f"{name}_offsets": network.decode(heard, style, template),
            }
    compare(ours, reference)
