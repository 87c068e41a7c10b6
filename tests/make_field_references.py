"""Cut the references of the field's networks down to what fits the repository.

    JAMBATALK_REFERENCE=FOLDER python tests/make_field_references.py

FOLDER/peers holds what the networks' own code gives with random weights. Some of its arrays, each
as it is, and the weights without lip readers and long tables are written to `data/field/`.
"""

import json

import numpy as np
import torch
from field_reference import DATA
from local_data import REFERENCE

COMMON = ("samples", "template", "one_hot", "enc_output", "target")
KEPT = {
    "faceformer_biwi_tiny": (
        *("memory", "fed", "offsets", "target_forced_loss", "target_free_loss"),
    ),
    "codetalker_biwi_tiny": (
        *("one_hot2", "memory", "codes", "indices", "offsets", "vq_vertices"),
        *("vq_quant_loss", "vq_rec_loss", "vq_loss"),
        *("target_motion_loss", "target_reg_loss", "target_loss"),
    ),
    "selftalk_vocaset_tiny": (
        *("dec_input", "dec_output", "offsets"),
        *("target_loss_vertices", "target_loss_velocity"),
    ),
    "facexhubert_biwi_tiny": ("emotion_one_hot", "gru", "offsets_emotion1", "target_loss"),
    "facediffuser_vocaset_tiny": ("x", "x_tokens", "denoised_t5", "target_noise", "target_loss"),
    "facediffuser_beat_tiny": (
        *("x", "noise", "denoised_t9", "sample", "sample_skip4", "target_noise", "target_loss"),
    ),
}
NOTE = (
    "Random weights, and what the network's own published code computes with them. Cut down by "
    "tests/make_field_references.py."
)


def main() -> None:
    """Write all of them."""
    DATA.mkdir(parents=True, exist_ok=True)
    for name, kept in KEPT.items():
        source = REFERENCE / "peers" / name
        described = json.loads(source.with_suffix(".json").read_text())
        for measured in ("float32_against_float64", "one_thread_against_two"):
            del described[measured]
        text = json.dumps({"about": NOTE, **described}, indent=2) + "\n"
        (DATA / f"{name}.json").write_text(text)
        with np.load(source.with_suffix(".npz")) as file:
            arrays = {key: file[key] for key in (*COMMON, *kept) if key in file.files}
        np.savez_compressed(DATA / f"{name}.npz", allow_pickle=False, **arrays)
        for path in source.parent.glob(f"{name}*.pth"):
            stored = torch.load(path, weights_only=True)
            torch.save(shortened(stored.get("state_dict", stored)), DATA / path.name)


def shortened(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the weights without a lip reader, and one row of the first stage's positions."""
    training = ("text_encoder.", "lip_map.", "transformer.", "lm_head.")
    return {
        name: weight[:1].clone() if name.endswith("_pos_embedding.pe") else weight
        for name, weight in weights.items()
        if not name.startswith(training)
    }


if __name__ == "__main__":
    main()
