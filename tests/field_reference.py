"""References of the field's published networks: weights, inputs and what their own code gives.

A reference is `NAME.json` (configuration), `NAME.pth` (weights by their published names; two files
for CodeTalker) and `NAME.npz` (inputs and outputs). Those in `data/` are cut down from larger ones,
which `JAMBATALK_REFERENCE` may hold in `peers/`; any others of the kind there are tested too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from local_data import REFERENCE
from torch import Tensor, nn

from jambatalk.files.pth import read_pth
from jambatalk.networks.network import Network
from jambatalk.networks.registry import published_network

DATA = Path(__file__).parent / "data" / "field"
# fmt: off
GIVEN = {  # to the network, not by it
    "samples", "template", "one_hot", "one_hot2", "target", "target_long", "emotion_one_hot",
    "lip_mask", "x", "noise", "target_noise", "target_long_noise", "vq_vertices",
}
# fmt: on
TOLD = {"num_attention_heads": "attention_heads", "diff_steps": "steps"}  # weights do not
TOLERANCE = 1e-5  # of an array's standard deviation


def reference_files(network: str) -> list[Path]:
    """Return the .json of every reference of a network."""
    found = [*DATA.glob(f"{network}_*.json"), *(REFERENCE / "peers").glob(f"{network}_*.json")]
    return sorted(found)


@dataclass
class FieldReference:
    """The contents of a reference's files."""

    described: dict[str, Any]
    values: dict[str, Tensor]
    path: Path

    @classmethod
    def read(cls, path: Path) -> FieldReference:
        """Read all but the weights; `path` is the .json."""
        with np.load(path.with_suffix(".npz")) as file:
            values = {name: torch.from_numpy(file[name]) for name in file.files}
        return cls(json.loads(path.read_text()), values, path)

    def weights(self, suffix: str = "") -> dict[str, Tensor]:
        """Read the weights by their published names."""
        return read_pth(self.path.with_name(f"{self.path.stem}{suffix}.pth"), "")

    def network(self) -> Any:
        """Build the network, ready for inference."""
        stages = ("_stage1", "_stage2") if self.path.stem.startswith("codetalker") else ("",)
        weights = {name: w for stage in stages for name, w in self.weights(stage).items()}
        told = {
            ours: self.described[theirs]
            for theirs, ours in TOLD.items()
            if theirs in self.described
        }
        return published_network(
            self.described["network"].lower(),
            self.described["layout"],
            weights,
            {"encoder": self.encoder} | told,
            "",
        )

    @property
    def targets(self) -> list[str]:
        """The names of captured motions, for losses."""
        return [name for name in ("target", "target_long") if name in self.values]

    @property
    def encoder(self) -> dict[str, Any]:
        """The shape of the speech encoder."""
        return self.described.get("wav2vec2") or self.described["hubert"]

    def __getitem__(self, name: str) -> Tensor:
        return self.values[name]


def compare(
    ours: dict[str, Tensor], reference: FieldReference, loose: Mapping[str, float] = {}
) -> None:
    """Check arrays by name against those of a reference, all of which must be there.

    Whole numbers and masks must be equal, scalars within 1e-5 of themselves, others within 1e-5
    of their standard deviation, or what `loose` names.
    """
    wrong = {}
    for name, value in ours.items():
        if name not in reference.values:
            continue
        theirs = reference[name]
        if value.shape != theirs.shape:
            wrong[name] = f"{tuple(value.shape)} instead of {tuple(theirs.shape)}"
        elif not theirs.dtype.is_floating_point or name in ("mask",):
            if not torch.equal(value, theirs):
                wrong[name] = "not equal"
        else:
            scale = theirs.abs() if theirs.ndim == 0 else theirs.double().std()
            by = float((value.double() - theirs.double()).abs().max() / scale)
            if not by <= loose.get(name, TOLERANCE):
                wrong[name] = f"differs by {by:.2g}"
    missing = reference.values.keys() - ours.keys() - GIVEN
    assert not missing, missing
    assert not wrong, wrong


@contextmanager
def watched(**modules: nn.Module) -> Iterator[dict[str, Tensor]]:
    """Collect the last output of modules under the given names."""
    given: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[..., None]:
        def hook(_: nn.Module, inputs: Any, output: Any) -> None:
            output = getattr(output, "last_hidden_state", output)  # of transformers
            given[name] = output[0] if isinstance(output, tuple) else output
            if name == "enc_projected":
                given["enc_resampled"] = inputs[0]

        return hook

    hooks = [module.register_forward_hook(keep(name)) for name, module in modules.items()]
    yield given
    for hook in hooks:
        hook.remove()


def watched_encoder(network: Network) -> dict[str, nn.Module]:
    """Name the parts of a speech encoder as references do."""
    encoder = network.audio_encoder
    parts = {
        "enc_projected": encoder.feature_projection,
        "enc_positions_normed": encoder.encoder.layer_norm,
        "enc_output": encoder,
    }
    return parts | {f"enc_layer{i}": layer for i, layer in enumerate(encoder.encoder.layers)}


def references(network: str) -> pytest.MarkDecorator:
    """Run a test with every reference of a network, as its argument `reference`."""
    files = reference_files(network)
    return pytest.mark.parametrize("path", files, ids=lambda p: f"{p.parent.name}/{p.stem}")
