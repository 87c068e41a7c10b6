"""Tiny weights of the field's published networks, and what a user brings beside them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import synthetic
import trimesh
from field_reference import DATA, FieldReference

NAMES = {  # network → the reference whose weights stand in for the authors'
    "faceformer": "faceformer_biwi_tiny",
    "codetalker": "codetalker_biwi_tiny",
    "selftalk": "selftalk_vocaset_tiny",
    "facexhubert": "facexhubert_biwi_tiny",
    "facediffuser": "facediffuser_vocaset_tiny",
    "beat": "facediffuser_beat_tiny",
}


@dataclass(frozen=True)
class FieldFiles:
    """The files of a network's conversion."""

    network: str
    layout: str
    weights: list[Path]
    folder: Path  # with mesh, mask and encoder
    reference: FieldReference

    def words(self, *more: str, **changed: str) -> list[str]:
        """Return the command line without its output; `changed` are the network and layout."""
        named = {"network": self.network, "layout": self.layout} | changed
        words = ["convert", *map(str, self.weights)]
        words += [word for name, value in named.items() for word in (f"--{name}", value)]
        words += ["--encoder-config", str(self.folder / "encoder.json"), *more]
        if (self.folder / "face.ply").exists():
            words += ["--template", str(self.folder / "face.ply")]
            words += ["--lip-mask", str(self.folder / "lips.npy")]
        return words


def write_field_files(name: str, folder: Path) -> FieldFiles:
    """Write the files that belong to the weights of one of `NAMES`."""
    reference = FieldReference.read(DATA / f"{NAMES[name]}.json")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "encoder.json").write_text(json.dumps(reference.encoder))
    vertices = reference.described["vertice_dim"] // 3
    if name != "beat":
        head = synthetic.make_head(vertices)
        trimesh.Trimesh(head.template, head.triangles, process=False).export(folder / "face.ply")
        np.save(folder / "lips.npy", head.lips)
    stages = ("_stage1", "_stage2") if name == "codetalker" else ("",)
    return FieldFiles(
        reference.described["network"].lower(),
        reference.described["layout"],
        [DATA / f"{NAMES[name]}{stage}.pth" for stage in stages],
        folder,
        reference,
    )
