"""Make the small reference of the published network, `data/paper_vocaset.*`.

    python tests/make_paper_reference.py [FOLDER]

FOLDER, by default what `JAMBATALK_REFERENCE` names, holds the published code's outputs. Nothing
is written unless this code reproduces all of them: only then may what it computes with other
weights stand for the published network.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from paper_files import LARGE, paper_state
from paper_reference import (
    BIG,
    SMALL,
    Reference,
    all_outputs,
    build,
    configuration,
    deviations,
    disagreements,
)
from torch import Tensor

from jambatalk.model.config import JambaTalkConfig
from jambatalk.speech import SAMPLE_RATE, Speech

VOICE = Path(__file__).parent.parent / "assets" / "voices" / "jfk.flac"
LIPS, VERTICES, SEED = 12, 40, 20241
SMALL_NETWORK = {
    "dataset": "vocaset",
    "feature_dim": 16,
    "vertice_dim": 3 * VERTICES,
    "wav2vec2": {
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "conv_dim": [8] * 7,
        "num_conv_pos_embeddings": 16,
        "num_conv_pos_embedding_groups": 2,
        "vocab_size": 33,
        **LARGE,
    },
}


def main() -> None:
    """Check against the published code's outputs, then write the small reference."""
    big = Path(sys.argv[1]) / BIG.name if len(sys.argv) > 1 else BIG
    if not big.with_suffix(".npz").exists():
        sys.exit(f"'{big.parent}' does not hold what the published code gives.")
    differs = verify(Reference.read(big))
    described = {
        "about": "The published network, made small: random weights, and what this repository's "
        "code computes with them. Made by tests/make_paper_reference.py, after that code had "
        "reproduced the outputs of the published code to the deviation given here, in standard "
        "deviations of each output. The wide feed-forward layers are overlapping pieces of one "
        "row of random numbers, which keeps the file small.",
        **SMALL_NETWORK,
        "seed": SEED,
        "torch": torch.__version__,
        "deviation": float(f"{differs:.1e}"),
    }
    config = configuration(described)
    state, values = random_state(config), inputs()
    network = build(config, state, values["lip_mask"])
    values |= all_outputs(network, values["audio"], values["template"])
    SMALL.with_suffix(".json").write_text(json.dumps(described, indent=2) + "\n")
    torch.save(state, SMALL.with_suffix(".pth"))
    np.savez_compressed(
        SMALL.with_suffix(".npz"), **{name: value.numpy() for name, value in values.items()}
    )
    size = sum(SMALL.with_suffix(s).stat().st_size for s in (".json", ".pth", ".npz"))
    print(f"Reproduced {big.name} to {differs:.1e}; wrote {SMALL.name}.*, {size / 1e3:.0f} kB.")


def verify(big: Reference) -> float:
    """Return the largest deviation from the published code's outputs; exit if it is too large."""
    ours = all_outputs(big.network(), big.audio, big.template)
    if wrong := disagreements(ours, big.outputs()):
        sys.exit(f"The published outputs are not reproduced: {wrong}.")
    return max(deviations(ours, big.outputs()).values())


def random_state(config: JambaTalkConfig) -> dict[str, Tensor]:
    """Draw weights so that no part of the network is without effect on its outputs."""
    state = paper_state(config, LIPS)
    torch.manual_seed(SEED)
    for name, weight in state.items():
        spread = 0.3 if name.startswith("mamba") else 0.1
        state[name] = weight + spread * torch.randn(weight.shape)
    state["vertice_map_r.weight"].normal_(std=0.3)
    state["mamba_moe.moe.gate.w_gating"] *= 8
    wide = [n for n in state if n.startswith("transformer") and ".linear" in n]
    longest, step = max(state[name].numel() for name in wide), 509  # no multiple of a width
    row = 0.05 * torch.randn(longest + step * len(wide))
    for index, name in enumerate(wide):
        piece = row[step * index :][: state[name].numel()]
        state[name] = piece.view(state[name].shape)
    return state


def inputs() -> dict[str, Tensor]:
    """Take a second of speech, a template and lips."""
    samples = Speech.read(VOICE).samples[SAMPLE_RATE // 2 :][:SAMPLE_RATE]
    samples = (samples - samples.mean()) / samples.std()
    return {
        "audio": torch.from_numpy(samples.astype(np.float32)),
        "template": 0.1 * torch.randn(1, 3 * VERTICES),
        "lip_mask": torch.randperm(VERTICES)[:LIPS].sort().values,
    }


if __name__ == "__main__":
    main()
