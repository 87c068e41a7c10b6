"""Small random weights in the form of published ones, for trying the commands without those.

write_stand_ins(folder)     of FaceFormer, CodeTalker, SelfTalk and FaceDiffuser for VOCASET
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from paper_files import WAV2VEC2
from torch import Tensor

from jambatalk.networks.layouts import find_layout
from jambatalk.networks.network import Network
from jambatalk.networks.registry import new_network

NAMES = ("faceformer", "codetalker", "selftalk", "facediffuser")
SMALL = {  # fields of the configuration; FaceDiffuser's GRU is as wide as its token
    "codetalker": {"hidden": 32, "feed_forward": 32, "code_width": 2},
    "facediffuser": {"token_width": 16, "steps": 10},
    "facexhubert": {"layers": 2},
}
LAST = ("vertice_map_r", "vertice_map_reverse", "final_layer", "fc")  # maps to vertices
FIRST = "input_projection"  # of FaceDiffuser; a ReLU, dead to small motions behind a bias
CALM = 0.03  # factor of its weights, so that a face stays one


def make_network(name: str, layout: str = "vocaset", **fields: object) -> Network:
    """Make a network of a published layout, 16 channels wide, with random weights."""
    torch.manual_seed(0)
    small = {"width": 16, "encoder": WAV2VEC2, "layers": 1} | SMALL.get(name, {}) | fields
    network = new_network(replace(find_layout(name, layout), **small)).eval()
    with torch.no_grad():
        for parameter, weight in network.named_parameters():
            if parameter == "fc.weight":  # FaceXHuBERT's begins at zero
                torch.nn.init.normal_(weight)
            if parameter.split(".")[-2] in LAST:
                weight *= CALM
            if parameter.startswith(FIRST) and parameter.endswith("bias"):
                weight.zero_()
    return network


def write_stand_ins(
    folder: Path, names: Sequence[str] = NAMES, layout: str = "vocaset", **fields: object
) -> None:
    """Write each network's weights as its authors did: `NETWORK.pth`, of CodeTalker two stages.

    Beside them lies `encoder.json`, the description of the small speech encoder. `fields` are those
    of the configuration that are not the layout's, such as the number of `vertices`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "encoder.json").write_text(json.dumps(WAV2VEC2))
    for name in names:
        network = make_network(name, layout, **fields)
        weights: dict[str, Tensor] = {**network.state_dict(), **network.constants()}
        if name != "codetalker":
            torch.save(weights, folder / f"{name}.pth")
            continue
        first = {n: w for n, w in weights.items() if n.startswith("autoencoder.")}
        second = {n: w for n, w in weights.items() if n not in first}
        first = {n.removeprefix("autoencoder."): w for n, w in first.items()}
        for stage, part in enumerate((first, second), 1):
            torch.save({"state_dict": part}, folder / f"codetalker_stage{stage}.pth.tar")
