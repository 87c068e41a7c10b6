"""Stand-ins for the files that a user of the published weights brings.

They are small, with random weights, and a face cut out of a bundled head.
"""

import json
import pickle
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import trimesh
from torch import Tensor
from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

from jambatalk import load_head
from jambatalk.model.checkpoint import ENCODER_FILE, WEIGHTS_FILE
from jambatalk.model.config import JambaTalkConfig
from jambatalk.model.jambatalk import JambaTalk
from jambatalk.paper.layouts import LAYOUTS
from jambatalk.paper.lip_reader import LIP_READER_FILE, TEXT_ENCODER_FILE, LipReader
from jambatalk.paper.paper_weights import to_paper_name

BASE = {  # wav2vec 2.0, made tiny; HuBERT and WavLM have the same names
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "conv_dim": [16] * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}
LARGE = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}  # its norms
WAV2VEC2 = BASE | LARGE | {"vocab_size": 33}
VERTICES = 3000


def tiny(layout: str, vertices: int = VERTICES) -> JambaTalkConfig:
    """Return a layout at a small width."""
    full = LAYOUTS[layout]
    encoder = replace(full.encoder, architecture=WAV2VEC2, layers=(2,))
    pair = full.encoder_width // 1024
    return replace(full, encoder=encoder, encoder_width=32 * pair, width=32, vertices=vertices)


def paper_state(config: JambaTalkConfig, lips: int) -> dict[str, Tensor]:
    """Return random weights of a whole published network by their published names."""
    torch.manual_seed(0)
    model, width = JambaTalk(config), config.encoder.architecture["hidden_size"]
    parts = {
        WEIGHTS_FILE: model.decoder,
        ENCODER_FILE: model.encoder.model,
        TEXT_ENCODER_FILE: Wav2Vec2ForCTC(Wav2Vec2Config(**config.encoder.architecture)),
        LIP_READER_FILE: LipReader(lips, width),
    }
    state = {
        to_paper_name(file, name): weight.detach()
        for file, part in parts.items()
        for name, weight in part.state_dict().items()
        if name != "lips"
    }
    state["vertice_map_r.weight"].normal_(std=0.0005)  # millimetres
    return state


def cut_face(name: str, vertices: int = VERTICES) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut out the front of a bundled head: positions, triangles, vertices of the lips."""
    head, first = load_head(name), load_head(1)  # the same cut on every head
    skin = np.union1d(head.regions["skin"], head.regions["lips"])
    mouth = first.template[head.regions["lips"]].mean(0)
    near = np.argsort(np.linalg.norm(first.template[skin] - mouth, axis=1))[:vertices]
    chosen = np.sort(skin[near])
    new_index = np.full(len(head.template), -1)
    new_index[chosen] = np.arange(vertices)
    triangles = new_index[head.triangles]
    lips = new_index[head.regions["lips"]]
    return head.template[chosen], triangles[(triangles >= 0).all(1)], lips[lips >= 0]


@dataclass(frozen=True)
class UserFiles:
    """The files that a user brings."""

    weights: Path
    lip_mask: Path
    mesh: Path
    templates: Path
    encoder_config: Path

    def arguments(self, layout: str) -> list[str]:
        """Return the command line without its output."""
        # fmt: off
        return [
            "convert", str(self.weights), "--layout", layout, "--lip-mask", str(self.lip_mask),
            "--template", str(self.mesh), "--templates", str(self.templates),
            "--encoder-config", str(self.encoder_config),
        ]
        # fmt: on


def write_files(folder: Path, layout: str, unit: float = 1.0) -> UserFiles:
    """Write files as the authors and the data sets publish them, in units of so many metres."""
    positions, triangles, lips = cut_face("mara")
    files = UserFiles(
        weights=folder / "net.pth",
        lip_mask=folder / "mask.pkl",
        mesh=folder / "face.ply",
        templates=folder / "templates.pkl",
        encoder_config=folder / "encoder.json",
    )
    write_weights(files.weights, layout, VERTICES, len(lips))
    # FLAME's is a dictionary of regions, BIWI's a list
    mask = {"lips": lips, "face": np.arange(VERTICES)} if layout == "vocaset" else lips.tolist()
    files.lip_mask.write_bytes(pickle.dumps(mask, protocol=2))
    trimesh.Trimesh(positions / unit, triangles, process=False).export(files.mesh)
    subjects = {name: cut_face(name)[0].astype(np.float64) / unit for name in ("mara", "wei")}
    files.templates.write_bytes(pickle.dumps(subjects, protocol=2))
    return files


def write_weights(path: Path, layout: str, vertices: int, lips: int) -> None:
    """Write the weights alone, and `encoder.json` with the shape of their speech encoder.

    Args:
        vertices: of the face.
        lips: number of vertices that the lip reader reads.
    """
    torch.save(paper_state(tiny(layout, vertices), lips), path)
    path.with_name("encoder.json").write_text(json.dumps(WAV2VEC2))
