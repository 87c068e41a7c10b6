"""The files of a checkpoint folder: where they are, and how they are read and written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from jambatalk.errors import ModelError, abbreviate, brief
from jambatalk.files.plain import read_json
from jambatalk.files.tensors import read_tensors
from jambatalk.files.unfinished import whole_file
from jambatalk.model.config import JambaTalkConfig

if TYPE_CHECKING:
    from torch import Tensor, nn

Config = TypeVar("Config")

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"  # the decoder, float32
ENCODER_FILE = "encoder.safetensors"  # a frozen encoder in float16; retraining leaves it alone
CURE = f"Give a folder with {CONFIG_FILE} and {WEIGHTS_FILE}, or train one with 'jambatalk train'."
FETCH_AGAIN = "Fetch the checkpoint again."
MISMATCH = "config.json and weights do not belong together: fetch both again."


def fetch_checkpoint(source: str | Path) -> Path:
    """Return the folder of a checkpoint, downloaded from the Hugging Face hub where it is a name.

    Args:
        source: a folder, or OWNER/NAME on the hub.

    Raises:
        ModelError: there is no such checkpoint.
    """
    folder = Path(source)
    if folder.is_dir():
        return folder
    if folder.is_absolute() or str(source).count("/") != 1:
        raise ModelError(
            f"There is no checkpoint folder '{source}'.",
            "Give a folder, or OWNER/NAME on the Hugging Face hub.",
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(str(source)))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        raise ModelError(
            f"'{source}' is neither a folder nor could it be fetched from the hub.",
            "Check the name and the network.",
        ) from error


def read_config(folder: Path) -> JambaTalkConfig:
    """Read and validate the configuration of a checkpoint folder of JambaTalk.

    Raises:
        ModelError: it is missing or not JSON, or a field has no valid value.
    """
    return read_config_as(folder, JambaTalkConfig.from_dict)


def read_config_as(folder: Path, read: Callable[[dict[str, Any]], Config]) -> Config:
    """Read the configuration of a checkpoint folder.

    Args:
        read: its values → the configuration; raises ModelError.

    Raises:
        ModelError: it is missing or not JSON, or as `read` raises.
    """
    path = folder / CONFIG_FILE
    if not path.exists():
        raise ModelError(f"'{folder}' is not a checkpoint: it has no {CONFIG_FILE}.", CURE)
    values = read_json(path, ModelError, "the configuration of a checkpoint", CURE)
    try:
        return read(values)
    except ModelError as error:
        raise ModelError(f"'{path}': {error.what}", error.cure) from error


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file: name → weight; raises ModelError."""
    weights, _ = read_tensors(path, ModelError, "a file of weights", FETCH_AGAIN)
    return weights


def load_weights(module: nn.Module, path: Path) -> None:
    """Load all weights of a module from a safetensors file.

    Raises:
        ModelError: the file cannot be read, or weights are missing, unexpected or of another shape.
    """
    weights = read_weights(path)
    check_weights(module, weights, path)
    module.load_state_dict(weights)


def check_weights(module: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Check that weights are those of a module, which may be without memory (on "meta").

    Args:
        path: of their file, for messages.

    Raises:
        ModelError: weights are missing, unexpected, or of another shape.
    """
    expected = module.state_dict()
    missing = [name for name in expected if name not in weights]
    unexpected = [brief(name) for name in weights if name not in expected]
    if missing or unexpected:
        raise ModelError(
            f"The weights in {path} do not fit its configuration: missing "
            f"{abbreviate(missing)}, unexpected {abbreviate(unexpected)}.",
            MISMATCH,
        )
    for name, weight in expected.items():
        found = weights[name]
        if found.shape != weight.shape:
            raise ModelError(
                f"The weights in {path} have other shapes ({name} is {brief(tuple(found.shape))}, "
                f"the network's {tuple(weight.shape)}).",
                MISMATCH,
            )
        if found.is_floating_point() != weight.is_floating_point():
            raise ModelError(f"{name} in {path} is of {found.dtype}.", MISMATCH)


def replace_files(folder: Path, writers: dict[str, Callable[[Path], Any]]) -> None:
    """Write files into a folder, each complete before any replaces an older one.

    Args:
        writers: name → what writes a file to the path it is given; renamed in this order.

    Raises:
        ModelError: a file cannot be written.
    """
    with ExitStack() as stack:  # the last entered is renamed first
        unfinished = {
            name: stack.enter_context(whole_file(folder / name, ModelError))
            for name in reversed(writers)
        }
        for name, write in writers.items():
            write(unfinished[name])
