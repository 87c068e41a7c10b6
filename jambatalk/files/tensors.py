"""Tensors in safetensors files from outside."""

from __future__ import annotations

from collections.abc import Mapping
from errno import EIO
from pathlib import Path
from typing import TYPE_CHECKING

from jambatalk.errors import JambaTalkError, ModelError, brief
from jambatalk.files.regular import COPY_AGAIN, LARGEST, check_file, damaged

if TYPE_CHECKING:
    from torch import Tensor

MAX_HEADER = 4 << 20  # bytes of names and shapes
TYPES = ("float16", "bfloat16", "float32", "float64", "int32", "int64", "bool")


def read_tensors(
    path: str | Path,
    error: type[JambaTalkError] = ModelError,
    kind: str = "a safetensors file",
    cure: str = COPY_AGAIN,
    largest: int = LARGEST,
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a safetensors file: name → tensor, and its notes, name → text.

    Args:
        error: class of the error to raise.
        kind: what the file should be, for the message.
        cure: what to do, for the message.
        largest: size in bytes that it may have.

    Raises:
        JambaTalkError: of class `error`, where the file is missing, too large or damaged, or a
            tensor holds NaN, infinity or numbers of another type than `TYPES`.
    """
    from safetensors import safe_open  # torch takes seconds to import

    check_file(path, error, kind, cure, largest)
    try:
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
        if length > MAX_HEADER:
            raise ValueError(f"a header of {length} bytes; {MAX_HEADER} are allowed")
        with safe_open(path, "pt") as tensors:
            found = {name: tensors.get_tensor(name) for name in tensors.keys()}  # noqa: SIM118
            notes = tensors.metadata() or {}
        for name, tensor in found.items():
            _check(name, tensor)
    except Exception as cause:  # safetensors raises its own, and OSError
        raise damaged(path, cause, error, kind, cure) from cause
    return found, notes


def write_tensors(
    tensors: Mapping[str, Tensor], path: Path, notes: Mapping[str, str] | None = None
) -> None:
    """Write a safetensors file; `notes` are name → text.

    Raises:
        OSError: it cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        save_file(dict(tensors), path, dict(notes or {}) or None)
    except SafetensorError as cause:
        raise OSError(EIO, brief(cause)) from cause


def _check(name: str, tensor: Tensor) -> None:
    kind = str(tensor.dtype).removeprefix("torch.")
    if kind not in TYPES:
        raise ValueError(f"'{brief(name)}' is of {kind}")
    if tensor.is_floating_point() and not tensor.isfinite().all():
        raise ValueError(f"'{brief(name)}' holds NaN or infinity")
